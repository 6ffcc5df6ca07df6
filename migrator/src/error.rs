//! What can go wrong, and the exit code that says so.

use std::time::Duration;

use postgres::error::SqlState;

pub use pg_connect::{describe, one_line};

/// How a run ends. The numbers are part of the public interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Anything that has no code of its own.
    Failed = 1,
    /// Wrong usage, or a schema or owner name that an extension script cannot carry.
    Usage = 2,
    /// Migrations are pending (`plan --exit-code`, `status --exit-code`).
    Pending = 3,
    /// History and files disagree.
    History = 4,
    /// Another run held the lock past `--wait`, or a table lock outlasted `--lock-timeout` and its retries.
    Locked = 5,
    /// Refused: an effect is destructive.
    Destructive = 6,
    /// No connection, or one that cannot hold a session lock.
    Connection = 7,
    /// `check` found the registry unguarded or drifted.
    Unguarded = 8,
    /// What was published is not what it was, or cannot be shown to be.
    HistoryChanged = 9,
}

/// Every error of `ext-migrate`. Its text is one sentence that can be shown to a person.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Usage(String),

    #[error(
        "{what} name {name:?} cannot be used: an extension script cannot carry any of \" $ ' \\ -- /* */ @extschema@ in it"
    )]
    UnusableName { what: &'static str, name: String },

    /// The reasons, one line each.
    #[error("the history and the migration files disagree: {}", .0.join("; "))]
    History(Vec<String>),

    #[error("another run holds the migration lock{holder}; gave up after {}", seconds(.waited))]
    AnotherRun { waited: Duration, holder: String },

    /// Who is in the way, one line each, is in `holders`.
    #[error("{step}: {}{}", no_lock(*.attempts, .lock_timeout), list(.holders))]
    TableLock {
        step: String,
        lock_timeout: Duration,
        attempts: u32,
        holders: Vec<String>,
    },

    /// Effects that were not additive; one line each.
    #[error("refused, nothing of this step was kept: {}", .0.join("; "))]
    Destructive(Vec<String>),

    #[error("cannot connect to {target}: {cause}")]
    Connect { target: String, cause: String },

    #[error(
        "this server is a standby, where nothing can be written: connect to the primary, or name all servers and \
         set target_session_attrs=primary"
    )]
    Standby,

    #[error(
        "this connection cannot hold a session lock ({0}): a pooler in transaction mode is in between; \
         connect to the server itself, or to a pool in session mode"
    )]
    Pooled(String),

    #[error(
        "lost the connection {doing}: {cause}; run the same command again, it goes on from here"
    )]
    ConnectionLost { doing: String, cause: String },

    /// The connected role lacks a right.
    #[error("{0}")]
    NoRight(String),

    /// The migrations cannot run on what is there; what does not fit, one line each.
    #[error("what is in the database does not fit, nothing was changed: {}", .0.join("; "))]
    Unfit(Vec<String>),

    #[error(
        "schema {other:?} of this database holds the registry already, and there is one per database: \
         run with --schema {other}"
    )]
    SecondSchema { other: String },

    /// What others made under the names of the DDL guard, one line each, and the statements that remove it.
    #[error(
        "the DDL guard cannot be made of what somebody else has made under its names, nothing was changed: {}; \
         as superuser {drops}, then run the same command again", .found.join("; ")
    )]
    DdlGuardNotOurs { found: Vec<String>, drops: String },

    #[error(
        "this server does not offer the extension ext_registry: install it there (make install), or run \
         ext-migrate up --without-extension to get the tables and guards alone"
    )]
    ExtensionUnavailable,

    #[error(
        "the extension ext_registry is not installed in this database: run ext-migrate up first"
    )]
    ExtensionMissing,

    #[error(
        "Citus is not installed in this database, nothing was changed: CREATE EXTENSION citus on every node first"
    )]
    NoCitus,

    /// A node of Citus refused.
    #[error("{doing}: node {node}: {cause}")]
    Node {
        doing: String,
        node: String,
        cause: String,
    },

    #[error("this is no valid {what}: {reason}")]
    InvalidNote { what: &'static str, reason: String },

    /// The log of published versions does not continue what was signed or kept.
    #[error("{0}")]
    HistoryChanged(String),

    /// The log of published versions has no checkpoint.
    #[error("nothing has been sealed yet: run ext-migrate seal first")]
    NotSealed,

    /// Its tables are not there.
    #[error(
        "there is no log of published versions in schema {schema:?}: run ext-migrate up; on Citus the coordinator has it, connect there"
    )]
    NoLog { schema: String },

    #[error("{doing}: {source}")]
    Log {
        doing: String,
        source: ext_registry_core::Error,
    },

    /// Any other refusal by the server.
    #[error("{doing}: {}", describe(.source))]
    Database {
        doing: String,
        source: postgres::Error,
    },

    #[error("{doing}: {source}")]
    Io {
        doing: String,
        source: std::io::Error,
    },
}

impl Error {
    /// The exit code of this error.
    pub fn exit(&self) -> Exit {
        self.row().0
    }

    /// A stable name for programs (`error.code` in JSON).
    pub fn code(&self) -> &'static str {
        self.row().1
    }

    fn row(&self) -> (Exit, &'static str) {
        match self {
            Self::Usage(_) => (Exit::Usage, "USAGE"),
            Self::UnusableName { .. } => (Exit::Usage, "UNUSABLE_NAME"),
            Self::History(_) => (Exit::History, "HISTORY_DISAGREES"),
            Self::AnotherRun { .. } => (Exit::Locked, "ANOTHER_RUN"),
            Self::TableLock { .. } => (Exit::Locked, "TABLE_LOCK"),
            Self::Destructive(_) => (Exit::Destructive, "DESTRUCTIVE"),
            Self::Connect { .. } => (Exit::Connection, "NO_CONNECTION"),
            Self::Pooled(_) => (Exit::Connection, "TRANSACTION_POOLING"),
            Self::ConnectionLost { .. } => (Exit::Connection, "CONNECTION_LOST"),
            Self::HistoryChanged(_) => (Exit::HistoryChanged, "HISTORY_CHANGED"),
            Self::Log { .. } => (Exit::HistoryChanged, "LOG_DAMAGED"),
            Self::Standby => (Exit::Failed, "STANDBY"),
            Self::Unfit(_) => (Exit::Failed, "UNFIT"),
            Self::NoRight(_) => (Exit::Failed, "NO_RIGHT"),
            Self::SecondSchema { .. } => (Exit::Failed, "SECOND_SCHEMA"),
            Self::DdlGuardNotOurs { .. } => (Exit::Failed, "DDL_GUARD_NOT_OURS"),
            Self::ExtensionUnavailable => (Exit::Failed, "EXTENSION_UNAVAILABLE"),
            Self::ExtensionMissing => (Exit::Failed, "EXTENSION_MISSING"),
            Self::NoCitus => (Exit::Failed, "NO_CITUS"),
            Self::Node { .. } => (Exit::Failed, "NODE"),
            Self::InvalidNote { .. } => (Exit::Failed, "INVALID_NOTE"),
            Self::NotSealed => (Exit::Failed, "NOT_SEALED"),
            Self::NoLog { .. } => (Exit::Failed, "NO_LOG"),
            Self::Database { .. } => (Exit::Failed, "DATABASE"),
            Self::Io { .. } => (Exit::Failed, "IO"),
        }
    }

    /// What the server or the connection answered while `doing` this.
    pub fn database(doing: &str, source: postgres::Error) -> Self {
        let doing = doing.to_owned();
        match connection_lost(&source) {
            true => Self::ConnectionLost {
                doing,
                cause: describe(&source),
            },
            false => Self::Database { doing, source },
        }
    }

    /// Whether a lock was not to be had in time, or a deadlock was broken.
    pub fn is_lock_refused(&self) -> bool {
        let refused = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        match self {
            Self::Database { source, .. } => {
                source.code().is_some_and(|code| refused.contains(code))
            }
            _ => false,
        }
    }

    /// Says in which step something destructive was found.
    pub fn at(self, step: &str) -> Self {
        match self {
            Self::Destructive(reasons) => Self::Destructive(
                reasons
                    .iter()
                    .map(|reason| format!("{step}: {reason}"))
                    .collect(),
            ),
            other => other,
        }
    }

    /// Rows that are there stand against it (SQLSTATE class 23).
    pub fn is_about_rows(&self) -> bool {
        match self {
            Self::Database { source, .. } => source
                .code()
                .is_some_and(|code| code.code().starts_with("23")),
            _ => false,
        }
    }

    /// The single reasons of an error that has several.
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::History(reasons)
            | Self::Destructive(reasons)
            | Self::Unfit(reasons)
            | Self::TableLock {
                holders: reasons, ..
            } => reasons,
            _ => &[],
        }
    }
}

impl From<pg_connect::Error> for Error {
    fn from(error: pg_connect::Error) -> Self {
        match error {
            pg_connect::Error::Settings(what) => Self::Usage(what),
            pg_connect::Error::Refused { target, cause, .. } => Self::Connect { target, cause },
        }
    }
}

/// Notes, tiles and proofs that do not hold what they should.
impl From<ext_registry_core::Error> for Error {
    fn from(source: ext_registry_core::Error) -> Self {
        match source {
            ext_registry_core::Error::InvalidNote { what, reason } => {
                Self::InvalidNote { what, reason }
            }
            source => Self::Log {
                doing: "reading the log".to_owned(),
                source,
            },
        }
    }
}

/// Says what was being done when the server refused.
pub trait Doing<T> {
    /// `doing` reads like "reading the history".
    fn doing(self, doing: &str) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, postgres::Error> {
    fn doing(self, doing: &str) -> Result<T, Error> {
        self.map_err(|source| Error::database(doing, source))
    }
}

/// True when the session is gone: the socket closed, or the server said that it shuts down.
pub fn connection_lost(error: &postgres::Error) -> bool {
    match error.as_db_error() {
        Some(db) => db.code().code().starts_with("57P0"),
        None => {
            error.is_closed()
                || std::error::Error::source(error).is_some_and(|s| s.is::<std::io::Error>())
        }
    }
}

fn no_lock(attempts: u32, lock_timeout: &Duration) -> String {
    let timeout = seconds(lock_timeout);
    match attempts {
        1 => format!("no lock within --lock-timeout {timeout}"),
        _ => format!("no lock within --lock-timeout {timeout} in {attempts} attempts"),
    }
}

/// `: a; b`, or nothing.
pub fn list(lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        _ => format!(": {}", lines.join("; ")),
    }
}

fn seconds(duration: &Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}

#[cfg(test)]
mod tests;
