//! Published rows and the leaves that they are.

use std::ops::Deref;

use ext_registry_core::log::{BUNDLE, Fields, Hash, VERSION, Value, row_hash};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

use super::Log;
use crate::error::Error;
use crate::ffi::{self, Bytes, Json};

/// Columns before the fields: version, bundle, creation.
const BEFORE: usize = 3;

/// Columns for the fields that are jsonb, then for the others, as many for a version as for a bundle.
///
/// jsonb is printed here, one row at a time: in what a query returns, large values are pointers, and a row fits a page.
const JSON: usize = 5;
const TEXT: usize = 8;

/// The column after the fields.
pub const AFTER: usize = BEFORE + JSON + TEXT + 1;

/// How many rows are fetched at once: with them the memory that reading takes is bounded.
pub const FETCHED: i64 = 256;

/// A row as the log has it.
pub struct Row {
    pub version_id: pgrx::Uuid,
    /// None: it is a version.
    pub bundle_id: Option<pgrx::Uuid>,
    pub hash: Hash,
}

/// A query over versions and bundles with the two queries put in.
pub fn query(sql: &str) -> String {
    sql.replace("@versions@", &rows(include_str!("versions.sql"), VERSION))
        .replace("@bundles@", &rows(include_str!("bundles.sql"), BUNDLE))
}

/// One of them with its columns.
fn rows(sql: &str, fields: Fields) -> String {
    let columns = |json: bool, cast: &str, count: usize| {
        let columns = fields.iter().filter(|(name, _)| is_json(name) == json);
        let columns = columns.map(|(_, column)| *column);
        let columns = columns.chain(std::iter::repeat("NULL")).take(count);
        let columns: Vec<_> = columns.map(|column| format!("{column}::{cast}")).collect();
        columns.join(", ")
    };
    let all = [columns(true, "jsonb", JSON), columns(false, "text", TEXT)];
    sql.replace("@fields@", &all.join(", "))
}

fn is_json(field: &str) -> bool {
    matches!(
        field,
        "api" | "api_endpoints" | "assets" | "capabilities" | "precompiled" | "ui"
    )
}

/// The row of such a query. What it takes to convert a text is freed with each row.
pub fn read(row: &SpiHeapTupleData<'_>) -> Result<Row, Error> {
    ffi::with_memory_of_its_own(|| hashed(row))
}

fn hashed(row: &SpiHeapTupleData<'_>) -> Result<Row, Error> {
    let version_id: pgrx::Uuid = super::stored(row.get(1)?)?;
    let bundle_id: Option<pgrx::Uuid> = row.get(2)?;
    let created_at: Option<TimestampWithTimeZone> = row.get(3)?;
    let fields = match bundle_id {
        None => VERSION,
        Some(_) => BUNDLE,
    };
    let (mut json, mut text) = (BEFORE + 1..=BEFORE + JSON, BEFORE + JSON + 1..AFTER);
    let mut columns = Vec::with_capacity(fields.len());
    for (name, _) in fields {
        columns.push(match is_json(name) {
            true => match json.next() {
                Some(column) => row.get::<Json>(column)?.map(Column::Json),
                None => None,
            },
            false => match text.next() {
                Some(column) => row.get::<Bytes>(column)?.map(Column::Text),
                None => None,
            },
        });
    }
    let hash = row_hash(
        fields,
        columns.iter().map(value),
        created_at.map(Into::into),
    );
    Ok(Row {
        version_id,
        bundle_id,
        hash,
    })
}

/// A value of a row, as text.
enum Column {
    Json(Json),
    Text(Bytes),
}

impl Deref for Column {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Json(text) => text,
            Self::Text(text) => text,
        }
    }
}

/// Text as UTF-8 where it has such a form, else the bytes as they are stored.
fn value(column: &Option<Column>) -> Value<'_> {
    let Some(stored) = column else {
        return Value::Null;
    };
    match ffi::utf8_from_server(stored).map(std::str::from_utf8) {
        Ok(Ok(text)) => Value::Text(text),
        _ => Value::Bytes(stored),
    }
}

/// The leaves that a version and its bundles are now, with their place in the log once they are sealed. Nothing where
/// there is no such version.
pub fn of_version(log: &Log, version_id: pgrx::Uuid) -> Result<Vec<(Row, Option<i64>)>, Error> {
    let sql = query(include_str!("of_version.sql"));
    Spi::connect(|client| {
        log.select(client, &sql, &[version_id.into()])?
            .map(|row| Ok((read(&row)?, row.get(AFTER)?)))
            .collect()
    })
}
