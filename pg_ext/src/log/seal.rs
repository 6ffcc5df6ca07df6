//! Appending what has been committed and is not yet in the log.

use ext_registry_core::log::audit::{Audit, Outside, RowId};
use ext_registry_core::log::{Checkpoint, Hash, Tile, Tree};
use pgrx::prelude::*;
use uuid::Uuid;

use super::rows::{self, Row};
use super::{Log, StoredTiles, checkpoint, signed};
use crate::error::Error;
use crate::ffi::{self, Bytes};

/// Sealers wait for each other here; readers, publishers and dumps do not wait.
const LOCK: &str = "LOCK TABLE @schema@.extension_log_leaf IN SHARE ROW EXCLUSIVE MODE";

const INSERT_TILE: &str = "
    INSERT INTO @schema@.extension_log_tile (level, index, hashes, root) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";

const INSERT_CHECKPOINT: &str = "
    INSERT INTO @schema@.extension_log_checkpoint (tree_size, root, origin) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";

/// How many leaves are appended at once, some more where the last fetch brings them.
const APPENDED: usize = 256;

/// What a seal has done.
pub struct Sealed {
    pub latest: Checkpoint,
    pub note: String,
    pub appended: i64,
}

/// Appends all that is pending and writes a checkpoint over it. Where nothing is, the latest checkpoint stays; a log
/// without one gets it even for an empty registry.
pub fn seal(log: &Log, origin: Option<&str>) -> Result<Sealed, Error> {
    lock(log)?;
    let before = checkpoint::find(log, None)?;
    let origin = match (&before, origin) {
        (Some(before), Some(origin)) if before.checkpoint.origin != origin => {
            return Err(Error::InvalidArgument {
                argument: "origin",
                reason: "the log has another one, which it keeps for good",
            });
        }
        (Some(before), _) => before.checkpoint.origin.clone(),
        (None, Some(origin)) => origin.to_owned(),
        (None, None) => format!("ext_registry/{}", Uuid::now_v7()),
    };
    let size = before.as_ref().map_or(0, |before| before.checkpoint.size);
    refuse_outside(log, signed(size)?)?;

    let pending = Spi::connect_mut(|client| {
        let sql = log.0.sql(&rows::query(include_str!("pending.sql")));
        let cursor = client.try_open_cursor_mut(&sql, &[])?;
        Ok::<_, Error>(cursor.detach_into_name())
    })?;
    let mut tree = None;
    let mut more = true;
    while more {
        let mut rows = Vec::with_capacity(APPENDED);
        while more && rows.len() < APPENDED {
            more = fetch(&pending, &mut rows)?;
        }
        if rows.is_empty() {
            break;
        }
        let tree = match &mut tree {
            Some(tree) => tree,
            None => tree.insert(resume(log, before.as_ref())?),
        };
        append(log, tree, &rows)?;
    }
    let appended = match &tree {
        Some(tree) => tree.size() - size,
        None => 0,
    };
    if before.is_none() || tree.is_some() {
        insert_checkpoint(log, &tree.unwrap_or_default(), &origin)?;
    }
    let latest = checkpoint::latest(log)?.checkpoint;
    Ok(Sealed {
        note: checkpoint::note(log, &latest)?,
        latest,
        appended: signed(appended)?,
    })
}

/// Refuses what no seal has written where the next one would write, and names it. At every seal, not only where it is in
/// the way: a row whose leaf is outside of the log is taken for one that is in it.
fn refuse_outside(log: &Log, size: i64) -> Result<(), Error> {
    let found = Spi::connect(|client| {
        let found = log
            .select(client, include_str!("outside.sql"), &[size.into()])?
            .first();
        let Some(what) = (!found.is_empty())
            .then(|| found.get::<&str>(1))
            .transpose()?
            .flatten()
            .and_then(Outside::from_name)
        else {
            return Ok::<_, Error>(None);
        };
        let text =
            |column| Ok::<_, Error>(found.get::<Bytes>(column)?.map(|text| ffi::readable(&text)));
        let (version, bundle, label) = (text(4)?, text(5)?, text(6)?);
        let id = version.as_deref().map(|version_id| RowId {
            version_id,
            bundle_id: bundle.as_deref(),
            label: label.as_deref(),
        });
        let mut audit = Audit::new(None, 0);
        audit.outside(what, found.get(2)?, found.get(3)?, id.as_ref());
        Ok(audit.findings().pop())
    })?;
    match found {
        Some(finding) => Err(Error::LogDamaged(finding.message)),
        None => Ok(()),
    }
}

/// Waits until no seal is under way, and lets none begin before the end of the transaction.
fn lock(log: &Log) -> Result<(), Error> {
    Spi::connect_mut(|client| log.update(client, LOCK, &[]).map(drop))
}

/// Adds the next rows; false where there are no more. Each time SPI is entered anew: what a fetch takes is freed only
/// when it is left.
fn fetch(cursor: &str, rows: &mut Vec<Row>) -> Result<bool, Error> {
    pgrx::check_for_interrupts!();
    Spi::connect(|client| {
        let mut cursor = client.find_cursor(cursor)?;
        let fetched = cursor.fetch(rows::FETCHED)?;
        let more = !fetched.is_empty();
        for row in fetched {
            rows.push(rows::read(&row)?);
        }
        if more {
            cursor.detach_into_name();
        }
        Ok(more)
    })
}

/// The tree as it was sealed last. What is appended must not cover up what has been changed since.
fn resume(log: &Log, before: Option<&checkpoint::Stored>) -> Result<Tree, Error> {
    let Some(before) = before else {
        return Ok(Tree::new());
    };
    let tree = Tree::resume(before.checkpoint.size, &mut StoredTiles(log))?;
    if tree.root() == before.checkpoint.root {
        Ok(tree)
    } else {
        Err(Error::LogDamaged(format!(
            "its tree does not have the root of the checkpoint of size {}",
            before.checkpoint.size
        )))
    }
}

fn append(log: &Log, tree: &mut Tree, rows: &[Row]) -> Result<(), Error> {
    let first = signed(tree.size())?;
    let mut full: Vec<(Tile, Vec<Hash>)> = Vec::new();
    for row in rows {
        tree.push(row.hash, |tile, hashes| full.push((tile, hashes.to_vec())));
    }
    let versions: Vec<pgrx::Uuid> = rows.iter().map(|row| row.version_id).collect();
    let bundles: Vec<Option<pgrx::Uuid>> = rows.iter().map(|row| row.bundle_id).collect();
    let hashes = concatenated(rows.iter().map(|row| row.hash));
    Spi::connect_mut(|client| {
        let parameters = [first.into(), versions.into(), bundles.into(), hashes.into()];
        let inserted = log.update(client, include_str!("insert_leaves.sql"), &parameters)?;
        if inserted.len() != rows.len() {
            return Err(Error::NotStored("a leaf of the log"));
        }
        for (tile, hashes) in &full {
            let parameters = [
                i16::from(tile.level).into(),
                signed(tile.index)?.into(),
                concatenated(hashes.iter().copied()).into(),
                Hash::root(hashes).as_bytes().to_vec().into(),
            ];
            if log.update(client, INSERT_TILE, &parameters)?.len() != 1 {
                return Err(Error::NotStored("a tile of the log"));
            }
        }
        Ok(())
    })
}

fn insert_checkpoint(log: &Log, tree: &Tree, origin: &str) -> Result<(), Error> {
    Spi::connect_mut(|client| {
        let parameters = [
            signed(tree.size())?.into(),
            tree.root().as_bytes().to_vec().into(),
            origin.into(),
        ];
        match log.update(client, INSERT_CHECKPOINT, &parameters)?.len() {
            1 => Ok(()),
            _ => Err(Error::NotStored("the checkpoint")),
        }
    })
}

fn concatenated(hashes: impl Iterator<Item = Hash>) -> Vec<u8> {
    hashes.flat_map(|hash| *hash.as_bytes()).collect()
}

/// The origin in an argument: what a checkpoint and the name of a key can hold, in any encoding.
pub fn origin(bytes: Option<&[u8]>) -> Result<Option<&str>, Error> {
    const LONGEST: usize = 255;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let fits = !bytes.is_empty()
        && bytes.len() <= LONGEST
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b'+');
    match std::str::from_utf8(bytes) {
        Ok(origin) if fits => Ok(Some(origin)),
        _ => Err(Error::InvalidArgument {
            argument: "origin",
            reason: "1 to 255 visible ASCII characters without + are expected, as in example.com/registry",
        }),
    }
}

/// Before anything else: a standby would answer with an internal error.
pub fn refuse_read_only() {
    ffi::refuse_read_only(c"ext_seal_log()");
}
