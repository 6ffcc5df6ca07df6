//! One thing that does not fit, and what mends it.

use std::fmt;

use serde::Serialize;

use super::code::{Code, Level};

/// Something that differs from what it should be.
///
/// In JSON: `level` (`error`, `note`), `code` (stable), `object`, `message`, `mend` (SQL or a command, or null),
/// `mended_by_up` (`ext-migrate up` does it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: Level,
    pub code: Code,
    /// The table, `table.column`, trigger, … that is meant, without its schema.
    pub object: String,
    pub message: String,
    pub mend: Option<String>,
    pub mended_by_up: bool,
    #[serde(skip)]
    pub repairs: Vec<Repair>,
}

/// The order in which repairs run. Where a unique index and a trigger are both gone, the index must be there first:
/// else two inserts that race past the trigger could keep the index from ever being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// One CREATE INDEX CONCURRENTLY, outside a transaction.
    Index,
    /// Columns and constraints.
    Table,
    Function,
    Trigger,
    /// Lets writers go on, so it has a transaction of its own.
    Validate,
    /// On the extension, with the rights of the connected role.
    Extension,
}

/// What `up` does about a finding: statements that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The index, constraint, function or trigger, without its schema.
    pub object: String,
    /// Repairs of one table commit together.
    pub table: String,
    pub phase: Phase,
    pub statements: Vec<String>,
}

impl Finding {
    pub fn new(code: Code, object: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level: code.row().level,
            code,
            object: object.into(),
            message: message.into(),
            mend: None,
            mended_by_up: false,
            repairs: Vec::new(),
        }
    }

    /// The same where it is no error.
    pub fn as_note(self) -> Self {
        Self {
            level: Level::Note,
            ..self
        }
    }

    /// What a person can run.
    pub fn with_mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// What `up` runs by itself.
    pub fn with_repair(
        mut self,
        phase: Phase,
        object: &str,
        table: &str,
        statements: impl IntoIterator<Item = String>,
    ) -> Self {
        self.repairs.push(Repair {
            object: object.to_owned(),
            table: table.to_owned(),
            phase,
            statements: statements.into_iter().collect(),
        });
        self.mended_by_up()
    }

    /// `up` puts it right.
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
