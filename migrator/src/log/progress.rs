//! How far an audit or an export is: a bar on a terminal, else a line now and then.

use std::time::Instant;

use indicatif::ProgressBar;

use crate::output::{NOW_AND_THEN, Output};

/// Drawn on stderr, and gone at the end.
pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    total: u64,
    output: Output,
    last_line: Instant,
}

impl Progress {
    /// `what` is counted, as in "leaves".
    pub fn new(output: Output, what: &'static str, total: u64) -> Self {
        let template = "{bar:30} {human_pos}/{human_len} {msg} {per_sec} {eta}";
        Self {
            bar: output.bar(total, template).with_message(what),
            what,
            total,
            output,
            last_line: Instant::now(),
        }
    }

    pub fn at(&mut self, position: u64) {
        self.bar.set_position(position);
        if !self.output.on_terminal() && self.last_line.elapsed() >= NOW_AND_THEN {
            self.last_line = Instant::now();
            let (what, total) = (self.what, self.total);
            self.output.log(&format!("{position} of {total} {what}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
