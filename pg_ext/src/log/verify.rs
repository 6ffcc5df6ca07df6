//! Compares rows, leaves, tiles and checkpoints with each other, in the server and in constant memory.

use ext_registry_core::log::audit::{
    Audit, Finding, Leaf, Row, RowId, Stored, StoredCheckpoint, StoredTile,
};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

use super::{Log, rows, seal, signed, stored, unsigned};
use crate::error::Error;
use crate::ffi::{self, Bytes};

const TILE: &str = "
    SELECT t.hashes, t.root FROM @schema@.extension_log_tile t WHERE t.level = $1 AND t.index = $2";

const CHECKPOINT: &str = "
    SELECT c.origin, c.tree_size, c.root, c.sealed_at
    FROM @schema@.extension_log_checkpoint c
    WHERE c.tree_size > $1
    ORDER BY c.tree_size
    LIMIT 1";

/// What is shown of a text, and compared of a tile or a root: more than any of them has.
const LONGEST: usize = 16 << 10;

/// All findings; none where everything is as it was sealed.
pub fn verify(log: &Log) -> Result<Vec<Finding>, Error> {
    // All queries share the snapshot of the call, except in a transaction that has written: there each has its own, and
    // no seal may come in between.
    if ffi::has_written() {
        seal::lock(log)?;
    }
    let mut audit = Audit::new(None);
    let mut tables = Tables { log, after: -1 };
    let mut findings = Vec::new();
    let sealed = rows::query(include_str!("sealed.sql"));
    each(log, &sealed, |row| {
        take_leaf(&mut audit, &mut tables, row)?;
        findings.append(&mut audit.findings());
        Ok(())
    })?;
    audit.end(&mut tables)?;
    each(log, include_str!("unlogged.sql"), |row| {
        take_unlogged(&mut audit, row)?;
        findings.append(&mut audit.findings());
        Ok(())
    })?;
    findings.append(&mut audit.findings());
    Ok(findings)
}

/// Calls `work` with each row. SPI is entered anew for every fetch: what it takes is freed only when it is left.
fn each(
    log: &Log,
    sql: &str,
    mut work: impl FnMut(&SpiHeapTupleData<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let name = Spi::connect(|client| {
        let cursor = client.try_open_cursor(&log.0.sql(sql), &[])?;
        Ok::<_, Error>(cursor.detach_into_name())
    })?;
    loop {
        pgrx::check_for_interrupts!();
        let more = Spi::connect(|client| {
            let mut cursor = client.find_cursor(&name)?;
            let rows = cursor.fetch(rows::FETCHED)?;
            let fetched = rows.len();
            for row in rows {
                work(&row)?;
            }
            if fetched > 0 {
                cursor.detach_into_name();
            }
            Ok::<_, Error>(fetched > 0)
        })?;
        if !more {
            return Ok(());
        }
    }
}

fn take_leaf(
    audit: &mut Audit,
    tables: &mut Tables<'_>,
    row: &SpiHeapTupleData<'_>,
) -> Result<(), Error> {
    let found = match row.get::<pgrx::Uuid>(1)? {
        Some(_) => Some(Row {
            hash: rows::read(row)?.hash,
            created_at: microseconds(row.get(3)?),
        }),
        None => None,
    };
    let version: pgrx::Uuid = stored(row.get(rows::AFTER + 1)?)?;
    let bundle: Option<pgrx::Uuid> = row.get(rows::AFTER + 2)?;
    let label = text(row.get(rows::AFTER + 3)?);
    let recorded: Bytes = stored(row.get(rows::AFTER + 4)?)?;
    audit.leaf(
        &Leaf {
            index: unsigned(stored(row.get(rows::AFTER)?)?)?,
            id: RowId {
                version_id: &version.to_string(),
                bundle_id: bundle.map(|id| id.to_string()).as_deref(),
                label: label.as_deref(),
            },
            recorded: &recorded,
            row: found,
        },
        tables,
    )
}

fn take_unlogged(audit: &mut Audit, row: &SpiHeapTupleData<'_>) -> Result<(), Error> {
    let version: pgrx::Uuid = stored(row.get(1)?)?;
    let bundle: Option<pgrx::Uuid> = row.get(2)?;
    let (version, bundle) = (version.to_string(), bundle.map(|id| id.to_string()));
    let label = text(row.get(4)?);
    let id = RowId {
        version_id: &version,
        bundle_id: bundle.as_deref(),
        label: label.as_deref(),
    };
    audit.unlogged(&id, microseconds(row.get(3)?));
    Ok(())
}

fn microseconds(time: Option<TimestampWithTimeZone>) -> Option<i64> {
    time.map(i64::from)
}

fn text(column: Option<Bytes>) -> Option<String> {
    column.map(|text| ffi::readable(&text.start(LONGEST)))
}

fn start(column: Option<Bytes>) -> Result<Vec<u8>, Error> {
    Ok(stored(column)?.start(LONGEST))
}

/// What the audit asks for beside the leaves.
struct Tables<'a> {
    log: &'a Log,
    /// Size of the last checkpoint that was given.
    after: i64,
}

impl Stored for Tables<'_> {
    type Error = Error;

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<StoredTile>, Error> {
        Spi::connect(|client| {
            let parameters = [i16::from(level).into(), signed(index)?.into()];
            let found = self.log.select(client, TILE, &parameters)?.first();
            if found.is_empty() {
                return Ok(None);
            }
            Ok(Some(StoredTile {
                hashes: start(found.get(1)?)?,
                root: start(found.get(2)?)?,
            }))
        })
    }

    fn next_checkpoint(&mut self) -> Result<Option<StoredCheckpoint>, Error> {
        let found = Spi::connect(|client| {
            let found = self
                .log
                .select(client, CHECKPOINT, &[self.after.into()])?
                .first();
            if found.is_empty() {
                return Ok::<_, Error>(None);
            }
            let sealed_at: TimestampWithTimeZone = stored(found.get(4)?)?;
            Ok(Some(StoredCheckpoint {
                origin: text(found.get(1)?).unwrap_or_default(),
                size: unsigned(stored(found.get(2)?)?)?,
                root: start(found.get(3)?)?,
                sealed_at: sealed_at.into(),
            }))
        })?;
        if let Some(found) = &found {
            self.after = signed(found.size)?;
        }
        Ok(found)
    }
}
