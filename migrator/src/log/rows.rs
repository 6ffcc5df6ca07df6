//! Leaves with the rows that they are of, and what a row's leaf is made of.
//!
//! Rows are taken from the connection one by one, however large they are: none is kept.

use ext_registry_core::log::audit::{self, RowId};
use ext_registry_core::log::{BUNDLE, Fields, Hash, VERSION, Value, row_data};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Portal, Row, Transaction};

use super::{READING, bytes, get, raw, time, unsigned};
use crate::error::{Doing, Error};
use crate::schema::Schema;

/// Columns before the fields of versions; those of bundles follow.
const BEFORE: usize = 7;

/// A leaf and its row.
pub struct Record {
    pub index: u64,
    version_id: String,
    bundle_id: Option<String>,
    label: Option<String>,
    recorded: Vec<u8>,
    created_at: Option<i64>,
    /// Version and data of the row's leaf; `None` where the row is gone.
    row: Option<(String, Vec<u8>)>,
}

impl Record {
    fn read(row: &Row) -> Result<Self, Error> {
        let index: i64 = get(row, 0)?;
        let bundle_id: Option<String> = get(row, 2)?;
        let version: Option<String> = get(row, 5)?;
        let created_at = time(row, 6)?;
        let (fields, first) = match bundle_id {
            None => (VERSION, BEFORE),
            Some(_) => (BUNDLE, BEFORE + VERSION.len()),
        };
        let row_of_leaf = match version {
            Some(version) => Some((version, data(row, fields, first, created_at)?)),
            None => None,
        };
        Ok(Self {
            index: unsigned(index),
            version_id: get(row, 1)?,
            bundle_id,
            label: text(raw(row, 3)?),
            recorded: bytes(row, 4)?.to_vec(),
            created_at,
            row: row_of_leaf,
        })
    }

    /// As the audit takes it.
    pub fn leaf(&self) -> audit::Leaf<'_> {
        audit::Leaf {
            index: self.index,
            id: RowId {
                version_id: &self.version_id,
                bundle_id: self.bundle_id.as_deref(),
                label: self.label.as_deref(),
            },
            recorded: &self.recorded,
            row: self.row.as_ref().map(|(version_id, data)| audit::Row {
                version_id,
                hash: Hash::leaf(data),
                created_at: self.created_at,
            }),
        }
    }

    /// Which row, for people.
    pub fn name(&self) -> String {
        self.leaf().id.name()
    }

    /// The data of the row's leaf; `None` where the row is gone.
    pub fn data(self) -> Option<Vec<u8>> {
        self.row.map(|(_, data)| data)
    }
}

/// The leaves of a range in their order.
pub struct Rows {
    portal: Portal,
}

impl Rows {
    pub fn open(
        transaction: &mut Transaction<'_>,
        schema: &Schema,
        first: u64,
        end: u64,
    ) -> Result<Self, Error> {
        let sql = query(transaction, schema)?;
        let statement = transaction.prepare(&sql).doing(READING)?;
        let portal = transaction
            .bind(&statement, &[&super::signed(first), &super::signed(end)])
            .doing(READING)?;
        Ok(Self { portal })
    }

    /// Passes on the next ones, at most so many.
    pub fn each(
        &self,
        transaction: &mut Transaction<'_>,
        most: usize,
        mut work: impl FnMut(Record) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let mut rows = transaction
            .query_portal_raw(&self.portal, most)
            .doing(READING)?;
        while let Some(row) = rows.next().doing(READING)? {
            work(Record::read(&row)?)?;
        }
        Ok(())
    }
}

/// Version, bundle and label of a row, in three columns of text, text and bytes.
pub struct Id {
    version: String,
    bundle: Option<String>,
    label: Option<String>,
}

impl Id {
    /// `None` where there is no version.
    pub fn read(row: &Row, first: usize) -> Result<Option<Self>, Error> {
        let Some(version) = get(row, first)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            version,
            bundle: get(row, first + 1)?,
            label: text(raw(row, first + 2)?),
        }))
    }

    pub fn row(&self) -> RowId<'_> {
        RowId {
            version_id: &self.version,
            bundle_id: self.bundle.as_deref(),
            label: self.label.as_deref(),
        }
    }
}

/// Reads all versions and bundles with plain COPY and gives their number: what an audit is compared with.
pub fn copy(transaction: &mut Transaction<'_>, schema: &Schema) -> Result<u64, Error> {
    let mut rows = 0;
    for table in ["extension_version", "extension_bundle"] {
        let sql = format!("COPY {}.{table} TO STDOUT", schema.quoted());
        let mut reader = transaction.copy_out(&sql).doing(READING)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = std::io::Read::read(&mut reader, &mut buffer).map_err(copy_failed)?;
            if read == 0 {
                break;
            }
            // In COPY's text format a line break within a value is escaped.
            rows += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }
    Ok(rows)
}

/// The server's own words, which the reader has wrapped.
fn copy_failed(error: std::io::Error) -> Error {
    match error.downcast::<postgres::Error>() {
        Ok(error) => Error::database(READING, error),
        Err(source) => Error::Io {
            doing: READING.to_owned(),
            source,
        },
    }
}

/// Text comes converted to UTF-8. From a SQL_ASCII database it comes as it is stored: the server would refuse to send
/// what is not UTF-8.
fn query(transaction: &mut Transaction<'_>, schema: &Schema) -> Result<String, Error> {
    let encoding: String = transaction
        .query_one("SELECT pg_catalog.current_setting('server_encoding')", &[])
        .and_then(|row| row.try_get(0))
        .doing(READING)?;
    let as_text = |expression: &str| match encoding.as_str() {
        "SQL_ASCII" => format!("convert_to({expression}::text, 'SQL_ASCII')"),
        _ => format!("{expression}::text"),
    };
    let fields: Vec<String> = VERSION
        .iter()
        .chain(BUNDLE)
        .map(|(_, column)| as_text(column))
        .collect();
    Ok(include_str!("rows.sql")
        .replace("@fields@", &fields.join(",\n    "))
        .replace(
            "@label@",
            &as_text(
                "left(coalesce(l.label, e.publisher || '/' || e.name || ' ' || v.version, (
        SELECT w.label FROM @schema@.extension_log_leaf w WHERE w.version_id = l.version_id AND w.bundle_id IS NULL LIMIT 1
    )), 1000)",
            ),
        )
        .replace("@schema@", &schema.quoted()))
}

fn data(
    row: &Row,
    fields: Fields,
    first: usize,
    created_at: Option<i64>,
) -> Result<Vec<u8>, Error> {
    let value = |column| -> Result<Value<'_>, Error> {
        Ok(match raw(row, column)? {
            None => Value::Null,
            Some(bytes) => std::str::from_utf8(bytes).map_or(Value::Bytes(bytes), Value::Text),
        })
    };
    let values: Vec<_> = (first..first + fields.len())
        .map(value)
        .collect::<Result<_, _>>()?;
    Ok(row_data(fields, values, created_at))
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
