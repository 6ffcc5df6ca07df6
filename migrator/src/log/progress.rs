//! How far an audit or an export is: a bar on a terminal, else a line now and then.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

const PLAIN: Duration = Duration::from_secs(15);

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
        let bar = match output.on_terminal() {
            true => ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            false => ProgressBar::hidden(),
        };
        let template = "{bar:30} {human_pos}/{human_len} {msg} {per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self {
            bar,
            what,
            total,
            output,
            last_line: Instant::now(),
        }
    }

    pub fn at(&mut self, position: u64) {
        self.bar.set_position(position);
        if !self.output.on_terminal() && self.last_line.elapsed() >= PLAIN {
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
