//! Every error that the extension raises, and the row of the documented table that it maps to.

use std::ffi::CString;

use ext_registry_core::Issues;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::{Value, json};

use crate::ffi;
use crate::statements::Existing;

/// Why a version was not published, or the log not sealed or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 23505: the version exists, whoever published it and whenever.
    #[error("version {} of {}/{} already exists; published versions are final: publish a new version instead",
        .0.version, .0.publisher, .0.name)]
    VersionAlreadyExists(Box<Duplicate>),
    /// 22023, with the first issues and their number.
    #[error("invalid manifest: {0}")]
    InvalidManifest(Issues),
    /// 22023
    #[error("invalid content hash: {error}")]
    InvalidContentHash {
        given: String,
        error: ext_registry_core::Error,
    },
    /// 22023
    #[error("the bundle does not have the declared hash: declared {declared}, computed {computed}")]
    HashMismatch { declared: String, computed: String },
    /// 22023
    #[error("invalid argument {argument}: {reason}")]
    InvalidArgument {
        argument: &'static str,
        reason: &'static str,
    },
    /// 22004
    #[error("argument {0} must not be NULL")]
    NullArgument(&'static str),
    /// 42P01
    #[error("the tables of the registry are not in schema {schema}; run ext-migrate up")]
    NotMigrated { schema: String },
    /// 55000: what one owner has put on its table would run with the rights of the other.
    #[error("the tables of the registry in schema {schema} belong to different roles")]
    SeveralOwners { schema: String },
    /// 55000: the tables' owner has a trigger or rule that swallows the row.
    #[error("{0} was not stored: a trigger or rule on the table suppressed it")]
    NotStored(&'static str),
    /// 55000: nothing has been sealed.
    #[error("the log has no checkpoint yet; run ext_seal_log()")]
    NotSealed,
    /// 55000: this is a worker of Citus.
    #[error(
        "the log of published versions is on the coordinator of Citus: call the function there"
    )]
    LogElsewhere,
    /// XX001: what is stored of the log contradicts itself.
    #[error("the log of published versions is damaged: {0}")]
    LogDamaged(String),
    /// XX000: SPI was used wrongly; Postgres' own errors do not come this way.
    #[error("ext_registry could not run its query: {0}")]
    Spi(#[from] pgrx::spi::Error),
}

/// The tree was built from what is stored.
impl From<ext_registry_core::Error> for Error {
    fn from(error: ext_registry_core::Error) -> Self {
        Self::LogDamaged(error.to_string())
    }
}

/// What the duplicate error tells about both sides.
#[derive(Debug)]
pub struct Duplicate {
    /// In the database's encoding, as the error's own field has it.
    pub schema: CString,
    pub publisher: String,
    pub name: String,
    pub version: String,
    pub existing: Existing,
}

impl Error {
    fn sqlstate(&self) -> PgSqlErrorCode {
        match self {
            Self::VersionAlreadyExists(_) => PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION,
            Self::InvalidManifest(_)
            | Self::InvalidContentHash { .. }
            | Self::HashMismatch { .. }
            | Self::InvalidArgument { .. } => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            Self::NullArgument(_) => PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            Self::NotMigrated { .. } => PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
            Self::SeveralOwners { .. }
            | Self::NotStored(_)
            | Self::NotSealed
            | Self::LogElsewhere => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Self::LogDamaged(_) => PgSqlErrorCode::ERRCODE_DATA_CORRUPTED,
            Self::Spi(_) => PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        }
    }

    fn detail(&self) -> Value {
        match self {
            Self::VersionAlreadyExists(duplicate) => json!({
                "code": "EXTENSION_VERSION_ALREADY_EXISTS",
                "extension_id": duplicate.existing.extension_id.to_string(),
                "publisher": duplicate.publisher,
                "name": duplicate.name,
                "version": duplicate.version,
                "existing": {
                    "version_id": duplicate.existing.version_id.to_string(),
                    "version": duplicate.version,
                    "content_hash": duplicate.existing.content_hash,
                    "published_at": duplicate.existing.published_at,
                },
                "same_content": duplicate.existing.same.content,
                "same_manifest": duplicate.existing.same.manifest,
                "same_signature": duplicate.existing.same.signature,
            }),
            Self::InvalidManifest(issues) => json!({
                "code": "INVALID_MANIFEST",
                "issues": issues.first(),
                "issue_count": issues.count(),
            }),
            Self::InvalidContentHash { given, .. } => {
                json!({"code": "INVALID_CONTENT_HASH", "given": given})
            }
            Self::HashMismatch { declared, computed } => {
                json!({"code": "HASH_MISMATCH", "declared": declared, "computed": computed})
            }
            Self::InvalidArgument { argument, .. } => {
                json!({"code": "INVALID_ARGUMENT", "argument": argument})
            }
            Self::NullArgument(argument) => json!({"code": "NULL_ARGUMENT", "argument": argument}),
            Self::NotMigrated { schema } => {
                json!({"code": "REGISTRY_NOT_MIGRATED", "schema": schema})
            }
            Self::SeveralOwners { schema } => json!({"code": "SEVERAL_OWNERS", "schema": schema}),
            Self::NotStored(what) => json!({"code": "NOT_STORED", "what": what}),
            Self::NotSealed => json!({"code": "NOT_SEALED"}),
            Self::LogElsewhere => json!({"code": "LOG_ON_COORDINATOR"}),
            Self::LogDamaged(_) => json!({"code": "LOG_DAMAGED"}),
            Self::Spi(_) => json!({"code": "INTERNAL"}),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::VersionAlreadyExists(duplicate) if duplicate.existing.same.all() => Some(
                "It has the same content, manifest and signature: if this was a retry after a lost answer, the version is published.",
            ),
            Self::LogDamaged(_) => Some("ext_verify_log() names what was changed."),
            Self::SeveralOwners { .. } => {
                Some("Give all tables and the guards' functions to one role.")
            }
            Self::VersionAlreadyExists(_) => {
                Some("Raise the version number, or ask for the next patch with MAJOR.MINOR.*")
            }
            _ => None,
        }
    }

    /// Raises the error in Postgres. Nothing may be raised or caught between here and the end of the function.
    fn raise(self) -> ! {
        let message = printable(self.to_string());
        let mut report = ErrorReport::new(self.sqlstate(), message, "ext_registry")
            .set_detail(json_text(&self.detail()));
        if let Some(hint) = self.hint() {
            report = report.set_hint(hint);
        }
        if let Self::VersionAlreadyExists(duplicate) = &self {
            ffi::attach(&ffi::ErrorFields {
                schema: duplicate.schema.clone(),
                table: c"extension_version",
                constraint: c"extension_version_registry_id_version_unique",
            });
        }
        drop(self);
        report.report(PgLogLevel::ERROR);
        unreachable!("an error report of level ERROR does not return")
    }
}

/// What a function of ours answers: the result of `work`, or its error, ours or one of Postgres with all its fields.
pub fn answer<T>(work: impl FnOnce() -> Result<T, Error>) -> T {
    ffi::keeping_errors(work).unwrap_or_else(|error| error.raise())
}

/// One line that can be shown. Postgres takes an error's texts to be in the database's encoding, pgrx gives them as
/// UTF-8.
pub fn printable(text: String) -> String {
    if text.chars().all(is_printable) {
        return text;
    }
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_printable(c) {
            line.push(c)
        } else {
            line.extend(c.escape_unicode())
        }
    }
    line
}

/// One line of JSON.
pub fn json_text(value: &Value) -> String {
    ascii_json(value.to_string())
}

/// JSON text that means the same in the database's encoding, and in which no string has a line break for any reader.
pub fn ascii_json(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let mut line = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii() || is_printable(c) {
            line.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    line
}

/// Whether a client gets it as it is, and goes on in the same line: outside of UTF-8 that is ASCII only.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{2028}' | '\u{2029}' => false,
        c => !c.is_control() && ffi::database_encoding() == pg_sys::pg_enc::PG_UTF8,
    }
}
