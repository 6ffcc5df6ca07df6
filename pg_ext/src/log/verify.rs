//! Compares rows, leaves, tiles and checkpoints with each other, in the server and in constant memory.

use ext_registry_core::log::audit::{
    Audit, Finding, Leaf, OUTSIDE, Outside, Row, RowId, Stored, StoredCheckpoint, StoredTile,
    TWICE, Twice, UNLOGGED,
};
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

use super::{Log, rows, signed, stored, unsigned};
use crate::error::Error;
use crate::ffi::{self, Bytes};

const TILE: &str = "
    SELECT t.hashes, t.root FROM @schema@.extension_log_tile t WHERE t.level = $1 AND t.index = $2";

const CHECKPOINT: &str = "
    SELECT c.origin, c.tree_size, c.root, c.sealed_at
    FROM @schema@.extension_log_checkpoint c
    WHERE c.tree_size > $1 AND c.tree_size <= $2
    ORDER BY c.tree_size
    LIMIT 1";

/// What is shown of a text, and compared of a tile or a root: more than any of them has.
const LONGEST: usize = 16 << 10;

/// All findings; none where everything is as it was sealed.
///
/// In a transaction that has written, each query has a snapshot of its own. No lock keeps sealers out meanwhile, for a
/// reader could hold it as long as it likes: the first query says where the log ends, and what is sealed later is beyond.
pub fn verify(log: &Log) -> Result<Vec<Finding>, Error> {
    let mut audit = Audit::new(None, ffi::clock());
    let mut findings = Vec::new();
    let (mut latest, mut leaves) = (0_i64, 0_i64);
    each(log, OUTSIDE, &[], |row| {
        match row.get::<&str>(1)?.map(Outside::from_name) {
            Some(Some(what)) => {
                let id = Id::read(row, 5)?;
                audit.outside(
                    what,
                    row.get(2)?,
                    row.get(3)?,
                    id.as_ref().map(Id::row).as_ref(),
                );
            }
            _ => {
                (latest, leaves) = (stored(row.get(3)?)?, stored(row.get(4)?)?);
                audit.ends_at(unsigned(leaves)?);
            }
        }
        findings.append(&mut audit.findings());
        Ok(())
    })?;
    let mut tables = Tables {
        log,
        after: -1,
        latest,
    };
    let sealed = rows::query(include_str!("sealed.sql"));
    each(log, &sealed, &[leaves.into()], |row| {
        take_leaf(&mut audit, &mut tables, row)?;
        findings.append(&mut audit.findings());
        Ok(())
    })?;
    audit.end(&mut tables)?;
    each(log, TWICE, &[], |row| {
        if let (Some(Some(what)), Some(id)) =
            (row.get::<&str>(1)?.map(Twice::from_name), Id::read(row, 2)?)
        {
            audit.twice(what, &id.row());
        }
        findings.append(&mut audit.findings());
        Ok(())
    })?;
    each(log, UNLOGGED, &[], |row| {
        let id = stored(Id::read(row, 1)?)?;
        audit.unlogged(&id.row(), microseconds(row.get(4)?));
        findings.append(&mut audit.findings());
        Ok(())
    })?;
    findings.append(&mut audit.findings());
    Ok(findings)
}

/// Version, bundle and label of a row, in three columns.
struct Id {
    version: String,
    bundle: Option<String>,
    label: Option<String>,
}

impl Id {
    /// `None` where there is no version.
    fn read(row: &SpiHeapTupleData<'_>, first: usize) -> Result<Option<Self>, Error> {
        let Some(version) = text(row.get(first)?) else {
            return Ok(None);
        };
        Ok(Some(Self {
            version,
            bundle: text(row.get(first + 1)?),
            label: text(row.get(first + 2)?),
        }))
    }

    fn row(&self) -> RowId<'_> {
        RowId {
            version_id: &self.version,
            bundle_id: self.bundle.as_deref(),
            label: self.label.as_deref(),
        }
    }
}

/// Calls `work` with each row. SPI is entered anew for every fetch: what it takes is freed only when it is left.
fn each(
    log: &Log,
    sql: &str,
    parameters: &[DatumWithOid<'_>],
    mut work: impl FnMut(&SpiHeapTupleData<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let name = Spi::connect(|client| {
        let cursor = client.try_open_cursor(&log.0.sql(sql), parameters)?;
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
        Some(version) => Some((version.to_string(), rows::read(row)?.hash)),
        None => None,
    };
    let created_at = microseconds(row.get(3)?);
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
            row: found.as_ref().map(|(version_id, hash)| Row {
                version_id,
                hash: *hash,
                created_at,
            }),
        },
        tables,
    )
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
    /// Size of the latest one.
    latest: i64,
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
                .select(client, CHECKPOINT, &[self.after.into(), self.latest.into()])?
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
