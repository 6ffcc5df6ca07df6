//! Checkpoints as they are stored.

use ext_registry_core::log::{Checkpoint, Hash};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::{Log, sign, signed, stored, unsigned};
use crate::error::Error;
use crate::ffi::{self, Bytes};

/// Signature lines that a note has at most.
const MOST_LINES: i64 = 100;

/// A checkpoint and when it was written.
pub struct Stored {
    pub checkpoint: Checkpoint,
    pub sealed_at: TimestampWithTimeZone,
}

/// The checkpoint of this size, or the latest; `None` where there is none.
pub fn find(log: &Log, size: Option<i64>) -> Result<Option<Stored>, Error> {
    Spi::connect(|client| {
        let found = log
            .select(client, include_str!("checkpoint.sql"), &[size.into()])?
            .first();
        if found.is_empty() {
            return Ok(None);
        }
        let root: Bytes = stored(found.get(3)?)?;
        let checkpoint = Checkpoint {
            origin: text(found.get(1)?)?,
            size: unsigned(stored(found.get(2)?)?)?,
            root: Hash::try_from(&root[..])?,
        };
        Ok(Some(Stored {
            checkpoint,
            sealed_at: stored(found.get(4)?)?,
        }))
    })
}

/// The latest checkpoint, which must be there.
pub fn latest(log: &Log) -> Result<Stored, Error> {
    find(log, None)?.ok_or(Error::NotSealed)
}

/// The checkpoint of the size in an argument, the latest where that is NULL.
pub fn of_size(log: &Log, size: Option<i64>, argument: &'static str) -> Result<Stored, Error> {
    let latest = latest(log)?;
    match size {
        None => Ok(latest),
        Some(_) => find(log, size)?.ok_or(Error::InvalidArgument {
            argument,
            reason: "the log has no checkpoint of this size",
        }),
    }
}

/// The text of the signed note. The dash that begins a signature is not in every encoding: where it may not be, the note
/// comes without signatures.
pub fn note(log: &Log, checkpoint: &Checkpoint) -> Result<String, Error> {
    let encoding = ffi::database_encoding();
    if encoding != pg_sys::pg_enc::PG_UTF8 && encoding != pg_sys::pg_enc::PG_SQL_ASCII {
        return Ok(checkpoint.note([]));
    }
    let lines: Vec<String> = Spi::connect(|client| {
        let parameters = [
            signed(checkpoint.size)?.into(),
            MOST_LINES.into(),
            sign::LONGEST_LINE.into(),
        ];
        log.select(client, include_str!("signatures.sql"), &parameters)?
            .map(|row| text(row.get(1)?))
            .collect::<Result<_, Error>>()
    })?;
    Ok(checkpoint.note(lines.iter().map(String::as_str)))
}

/// What sealing and signing have stored is ASCII.
fn text(column: Option<Bytes>) -> Result<String, Error> {
    std::str::from_utf8(&stored(column)?)
        .map(str::to_owned)
        .map_err(|_| Error::LogDamaged("a checkpoint is not in UTF-8".to_owned()))
}
