//! Results on stdout, as text or JSON; everything else on stderr.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::cli::Format;
use crate::error::Error;

/// How often a line says how far something is, where no bar can.
pub const NOW_AND_THEN: Duration = Duration::from_secs(15);

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
    verbose: bool,
}

impl Output {
    pub fn new(format: Format, verbose: bool) -> Self {
        Self { format, verbose }
    }

    /// Prints a command's result: its `Display` for people, its fields for programs.
    pub fn result<R: Display + Serialize>(&self, result: &R) -> Result<(), Error> {
        let text = match self.format {
            Format::Text => result.to_string(),
            Format::Json => serde_json::to_string_pretty(result).map_err(|error| Error::Io {
                doing: "writing JSON".to_owned(),
                source: error.into(),
            })?,
        };
        self.raw(&harmless(&text))
    }

    /// Prints text that has the same form for people and programs (SQL, completions), to a file as it is.
    pub fn raw(&self, text: &str) -> Result<(), Error> {
        let mut stdout = io::stdout().lock();
        let text = match stdout.is_terminal() {
            true => harmless(text),
            false => Cow::Borrowed(text),
        };
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| match text.ends_with('\n') {
                true => Ok(()),
                false => stdout.write_all(b"\n"),
            })
            .and_then(|()| stdout.flush());
        match written {
            // A reader that has seen enough (`| head`) is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|source| Error::Io {
                doing: "writing to stdout".to_owned(),
                source,
            }),
        }
    }

    /// One line about what is going on.
    pub fn log(&self, line: &str) {
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(io::stderr(), "{}", harmless(line));
    }

    /// One line that only `--verbose` shows.
    pub fn detail(&self, line: &str) {
        if self.verbose {
            self.log(line);
        }
    }

    /// True when stdout is for programs.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// True when progress can be drawn over itself.
    pub fn on_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// A bar on stderr; nothing where that is no terminal: then a line now and then does.
    pub fn bar(&self, total: u64, template: &str) -> ProgressBar {
        let bar = match self.on_terminal() {
            true => ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            false => ProgressBar::hidden(),
        };
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// One line on stderr; for programs also on stdout:
    /// `{"error": {"code": "DESTRUCTIVE", "message": "…", "reasons": ["…"], "exit_code": 6}}`.
    pub fn error(&self, error: &Error) {
        self.log(&format!("error: {error}"));
        if self.format == Format::Json {
            let report = json!({"error": {
                "code": error.code(),
                "message": error.to_string(),
                "reasons": error.reasons(),
                "exit_code": error.exit() as u8,
            }});
            // The exit code says it too.
            let _ = self.raw(&harmless(&format!("{report:#}")));
        }
    }
}

/// Names of the database may hold what a terminal would obey: control characters become `\u001b`, in JSON too.
fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() && c != '\n';
    match text.contains(harmful) {
        false => Cow::Borrowed(text),
        true => text
            .chars()
            .map(|c| match harmful(c) {
                true => format!("\\u{:04x}", u32::from(c)),
                false => c.to_string(),
            })
            .collect::<String>()
            .into(),
    }
}
