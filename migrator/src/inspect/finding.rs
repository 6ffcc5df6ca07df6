//! One thing that does not fit.

use std::fmt;

use serde::Serialize;

use super::repair::Repair;

/// Something that differs from what it should be.
///
/// In JSON: `level` (`error`, `note`), `code` (stable), `object`, `message`, `mend` (SQL or a command, or null),
/// `mended_by_up` (`ext-migrate up` does it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: Level,
    pub code: &'static str,
    /// The table, `table.column`, trigger, … that is meant, without its schema.
    pub object: String,
    pub message: String,
    pub mend: Option<String>,
    pub mended_by_up: bool,
    #[serde(skip)]
    pub repairs: Vec<Repair>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Refuses an adoption; leaves a registry unguarded or drifted.
    Error,
    /// Worth knowing.
    Note,
}

impl Finding {
    pub fn error(
        code: &'static str,
        object: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Level::Error, code, object.into(), message.into())
    }

    pub fn note(code: &'static str, object: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Note, code, object.into(), message.into())
    }

    fn new(level: Level, code: &'static str, object: String, message: String) -> Self {
        Self {
            level,
            code,
            object,
            message,
            mend: None,
            mended_by_up: false,
            repairs: Vec::new(),
        }
    }

    /// What a person can run.
    pub fn with_mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// What `up` runs by itself; it shows as the mend too.
    pub fn with_repair(mut self, repair: Repair) -> Self {
        self.repairs.push(repair);
        self.mended_by_up()
    }

    /// `up` puts it right in one of its other steps.
    pub fn mended_by_up(self) -> Self {
        Self {
            mended_by_up: true,
            ..self.with_mend("ext-migrate up")
        }
    }

    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

/// `object: message`; in the alternate form with level and code, and a second line for the mend.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return write!(f, "{}: {}", self.object, self.message);
        }
        let level = match self.level {
            Level::Error => "error",
            Level::Note => "note",
        };
        writeln!(
            f,
            "{level} {}: {}: {}",
            self.code, self.object, self.message
        )?;
        match &self.mend {
            Some(mend) => writeln!(f, "    mend: {mend}"),
            None => Ok(()),
        }
    }
}
