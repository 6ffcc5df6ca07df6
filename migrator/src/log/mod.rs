//! The log of published versions, as it is read from outside: tables only, nothing that runs in the server.

pub mod audit;
mod checkpoints;
mod keys;
mod progress;
mod rows;
mod tiles;

pub use checkpoints::{Kept, Signed, latest, note, signed_by};
pub use keys::{SigningKey, verifier_from_pem};
pub use progress::Progress;
pub use rows::{Record, Rows, copy};
pub use tiles::StoredTiles;

use postgres::Row;
use postgres::types::{FromSql, Type};

use crate::error::{Doing, Error};

/// What is being done when a row of the log has another form than it should.
const READING: &str = "reading the log";

/// The value of a column as the server sent it, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, Error> {
    row.try_get(column).doing(READING)
}

/// A column that may be NULL, as the server sent it.
fn raw(row: &Row, column: usize) -> Result<Option<&[u8]>, Error> {
    let value: Option<Raw<'_>> = get(row, column)?;
    Ok(value.map(|Raw(bytes)| bytes))
}

/// The same; nothing where it is NULL.
fn bytes(row: &Row, column: usize) -> Result<&[u8], Error> {
    Ok(raw(row, column)?.unwrap_or_default())
}

/// A timestamptz in microseconds since 2000, as it is on the wire.
fn time(row: &Row, column: usize) -> Result<Option<i64>, Error> {
    Ok(raw(row, column)?
        .and_then(|bytes| bytes.try_into().ok())
        .map(i64::from_be_bytes))
}

/// A number that the tables hold as bigint and that is never negative in an unchanged log.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// For SQL: sizes beyond what bigint holds match nothing.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
