//! Tiles and checkpoints as the tables have them, for the audit and for proofs.

use std::collections::{BTreeMap, VecDeque};

use ext_registry_core::log::audit::{Stored, StoredCheckpoint, StoredTile};
use ext_registry_core::log::{Hash, Tile, TileReader, WIDTH};
use postgres::Transaction;

use super::rows::{Record, Rows};
use super::{READING, bytes, checkpoints, get, raw, signed, unsigned};
use crate::error::{Doing, Error};
use crate::schema::Schema;

/// Tiles that are read at once, when they are asked for one after the other.
const AT_ONCE: u64 = 32;

/// The highest level of a tile that bigint has leaves for.
const HIGHEST: u32 = 6;

/// What is stored beside the leaves, as a transaction sees it.
pub struct StoredTiles<'a, 'b> {
    pub transaction: &'a mut Transaction<'b>,
    schema: &'a Schema,
    read: Read,
}

/// What has been read of it, for as long as the connection is busy with leaves.
pub struct Read {
    tiles: BTreeMap<(u8, u64), StoredTile>,
    checkpoints: VecDeque<StoredCheckpoint>,
    /// Size of the last checkpoint that was read.
    after: i64,
}

impl<'a, 'b> StoredTiles<'a, 'b> {
    pub fn new(transaction: &'a mut Transaction<'b>, schema: &'a Schema) -> Self {
        Self {
            transaction,
            schema,
            read: Read {
                tiles: BTreeMap::new(),
                checkpoints: VecDeque::new(),
                after: -1,
            },
        }
    }

    /// Passes on the next leaves, whose indexes these are, one after the other, with all that is stored beside them.
    pub fn each_leaf(
        &mut self,
        rows: &Rows,
        indexes: &[u64],
        mut work: impl FnMut(&Record, &mut Read) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let [first, ..] = indexes
            && let [.., last] = indexes
        {
            self.read_ahead(*first, last.saturating_add(1))?;
        }
        let read = &mut self.read;
        rows.each(self.transaction, indexes.len(), |record| {
            work(&record, read)
        })
    }

    /// The tiles over these leaves, those above that they fill, and the checkpoints up to the first one after them.
    fn read_ahead(&mut self, first: u64, end: u64) -> Result<(), Error> {
        let width = u64::from(WIDTH);
        self.read.tiles.clear();
        self.read_tiles(0, first / width, end.div_ceil(width))?;
        for level in 1..=HIGHEST {
            let leaves = 8 * (level + 1);
            self.read_tiles(level as u8, first >> leaves, end >> leaves)?;
        }
        while self
            .read
            .checkpoints
            .back()
            .is_none_or(|last| last.size <= end)
        {
            if !self.read_checkpoints()? {
                break;
            }
        }
        Ok(())
    }

    fn read_tiles(&mut self, level: u8, first: u64, end: u64) -> Result<(), Error> {
        if first >= end {
            return Ok(());
        }
        let rows = self
            .transaction
            .query(
                &format!(
                    "SELECT index, hashes, root FROM {}.extension_log_tile \
                     WHERE level = $1 AND index >= $2 AND index < $3",
                    self.schema.quoted()
                ),
                &[&i16::from(level), &signed(first), &signed(end)],
            )
            .doing(READING)?;
        for row in &rows {
            let index: i64 = get(row, 0)?;
            let (hashes, root) = (bytes(row, 1)?.to_vec(), bytes(row, 2)?.to_vec());
            let tile = StoredTile { hashes, root };
            self.read.tiles.insert((level, unsigned(index)), tile);
        }
        Ok(())
    }

    /// Some more of them; false where there are no more.
    fn read_checkpoints(&mut self) -> Result<bool, Error> {
        let found = checkpoints::stored_after(self.transaction, self.schema, self.read.after)?;
        let Some(last) = found.last() else {
            return Ok(false);
        };
        self.read.after = signed(last.size);
        self.read.checkpoints.extend(found);
        Ok(true)
    }
}

impl Stored for Read {
    type Error = Error;

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<StoredTile>, Error> {
        Ok(self.tiles.remove(&(level, index)))
    }

    fn next_checkpoint(&mut self) -> Result<Option<StoredCheckpoint>, Error> {
        Ok(self.checkpoints.pop_front())
    }
}

/// While no leaves are read: what has not been read yet is asked for.
impl Stored for StoredTiles<'_, '_> {
    type Error = Error;

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<StoredTile>, Error> {
        if !self.read.tiles.contains_key(&(level, index)) {
            self.read.tiles.clear();
            let further = if level == 0 { AT_ONCE } else { 1 };
            self.read_tiles(level, index, index.saturating_add(further))?;
        }
        self.read.tile(level, index)
    }

    fn next_checkpoint(&mut self) -> Result<Option<StoredCheckpoint>, Error> {
        if self.read.checkpoints.is_empty() {
            self.read_checkpoints()?;
        }
        self.read.next_checkpoint()
    }
}

impl TileReader for StoredTiles<'_, '_> {
    type Error = Error;

    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, Error> {
        let schema = self.schema.quoted();
        let first = signed(tile.index.saturating_mul(u64::from(WIDTH)));
        let end = first.saturating_add(i64::from(tile.width));
        let found = match (tile.width, tile.level) {
            (WIDTH, level) => self.transaction.query_opt(
                &format!(
                    "SELECT hashes FROM {schema}.extension_log_tile WHERE level = $1 AND index = $2"
                ),
                &[&i16::from(level), &signed(tile.index)],
            ),
            (_, 0) => self.transaction.query_opt(
                &format!(
                    "SELECT pg_catalog.string_agg(leaf_hash, '' ORDER BY leaf_index) \
                     FROM {schema}.extension_log_leaf WHERE leaf_index >= $1 AND leaf_index < $2"
                ),
                &[&first, &end],
            ),
            (_, level) => self.transaction.query_opt(
                &format!(
                    "SELECT pg_catalog.string_agg(root, '' ORDER BY index) \
                     FROM {schema}.extension_log_tile WHERE level = $3 AND index >= $1 AND index < $2"
                ),
                &[&first, &end, &i16::from(level - 1)],
            ),
        };
        let found = found.doing(READING)?;
        let hashes = found.as_ref().map(|row| raw(row, 0)).transpose()?;
        Ok(Hash::sequence(hashes.flatten().unwrap_or_default())?)
    }
}
