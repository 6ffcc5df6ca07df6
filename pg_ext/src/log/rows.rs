//! Published rows and the leaves that they are.

use ext_registry_core::log::{Hash, Value, leaf_data, unix_microseconds};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

use super::Log;
use crate::error::Error;
use crate::ffi::{self, Bytes};

/// Fields of a version's leaf that the columns of versions.sql hold, in their order.
const VERSION: [&str; 11] = [
    "api",
    "api_endpoints",
    "assets",
    "capabilities",
    "main_entry",
    "name",
    "publisher",
    "registry_id",
    "runtime",
    "ui",
    "version",
];

/// The same for bundles.sql.
const BUNDLE: [&str; 7] = [
    "content_hash",
    "name",
    "precompiled",
    "publisher",
    "signature",
    "size_bytes",
    "storage_url",
];

/// Columns before the fields: version, bundle, creation.
const BEFORE: usize = 3;

/// The column after the fields.
pub const AFTER: usize = BEFORE + VERSION.len() + 1;

/// A row as the log has it.
pub struct Row {
    pub version_id: pgrx::Uuid,
    /// None: it is a version.
    pub bundle_id: Option<pgrx::Uuid>,
    pub hash: Hash,
}

/// A query over versions and bundles with the two queries put in.
pub fn query(sql: &str) -> String {
    sql.replace("@versions@", include_str!("versions.sql"))
        .replace("@bundles@", include_str!("bundles.sql"))
}

/// The row of such a query.
pub fn read(row: &SpiHeapTupleData<'_>) -> Result<Row, Error> {
    let version_id: pgrx::Uuid = super::stored(row.get(1)?)?;
    let bundle_id: Option<pgrx::Uuid> = row.get(2)?;
    let created_at = row
        .get::<TimestampWithTimeZone>(3)?
        .map(|time| unix_microseconds(time.into()));
    let names = match bundle_id {
        None => &VERSION[..],
        Some(_) => &BUNDLE[..],
    };
    let mut columns = Vec::with_capacity(names.len());
    for ordinal in 1..=names.len() {
        columns.push(row.get::<Bytes>(BEFORE + ordinal)?);
    }
    let version = version_id.to_string();
    let bundle = bundle_id.map(|id| id.to_string());
    let mut fields: Vec<(&str, Value<'_>)> = names
        .iter()
        .zip(&columns)
        .map(|(name, column)| (*name, value(column)))
        .collect();
    fields.push((
        "created_at",
        created_at.as_deref().map_or(Value::Null, Value::Text),
    ));
    match &bundle {
        None => fields.push(("id", Value::Text(&version))),
        Some(bundle) => {
            fields.push(("id", Value::Text(bundle)));
            fields.push(("version_id", Value::Text(&version)));
        }
    }
    Ok(Row {
        version_id,
        bundle_id,
        hash: Hash::leaf(&leaf_data(&fields)),
    })
}

/// Text as UTF-8 where it has such a form, else the bytes as they are stored.
fn value(column: &Option<Bytes>) -> Value<'_> {
    let Some(Bytes(stored)) = column else {
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
