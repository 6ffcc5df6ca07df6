//! Tiles and checkpoints as the tables have them, for the audit and for proofs.

use std::collections::{BTreeMap, VecDeque};

use ext_registry_core::log::audit::{Stored, StoredCheckpoint, StoredTile};
use ext_registry_core::log::{Hash, Tile, TileReader, WIDTH};
use postgres::Transaction;

use super::{READING, bytes, checkpoints, get, signed, unsigned};
use crate::error::{Doing, Error};
use crate::schema::Schema;

/// Tiles that are read at once, when they are asked for one after the other.
const AT_ONCE: u64 = 32;

/// What is stored beside the leaves, as a transaction sees it.
pub struct StoredTiles<'a, 'b> {
    pub transaction: &'a mut Transaction<'b>,
    schema: &'a Schema,
    ahead: BTreeMap<u64, StoredTile>,
    /// Tiles of level 0 before this one have been read.
    read_to: u64,
    checkpoints: VecDeque<StoredCheckpoint>,
    after: i64,
}

impl<'a, 'b> StoredTiles<'a, 'b> {
    pub fn new(transaction: &'a mut Transaction<'b>, schema: &'a Schema) -> Self {
        Self {
            transaction,
            schema,
            ahead: BTreeMap::new(),
            read_to: 0,
            checkpoints: VecDeque::new(),
            after: -1,
        }
    }

    /// The full tiles of a range that are stored.
    fn range(&mut self, level: u8, first: u64, end: u64) -> Result<Vec<(u64, StoredTile)>, Error> {
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
        rows.iter()
            .map(|row| {
                let (hashes, root) = (bytes(row, 1)?.to_vec(), bytes(row, 2)?.to_vec());
                Ok((unsigned(get(row, 0)?), StoredTile { hashes, root }))
            })
            .collect()
    }

    fn full(&mut self, level: u8, index: u64) -> Result<Option<StoredTile>, Error> {
        let found = self.range(level, index, index.saturating_add(1))?;
        Ok(found.into_iter().next().map(|(_, tile)| tile))
    }
}

impl Stored for StoredTiles<'_, '_> {
    type Error = Error;

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<StoredTile>, Error> {
        if level > 0 {
            return self.full(level, index);
        }
        if index >= self.read_to || index.saturating_add(AT_ONCE) < self.read_to {
            self.read_to = index.saturating_add(AT_ONCE);
            self.ahead = self.range(0, index, self.read_to)?.into_iter().collect();
        }
        Ok(self.ahead.remove(&index))
    }

    fn next_checkpoint(&mut self) -> Result<Option<StoredCheckpoint>, Error> {
        if self.checkpoints.is_empty() {
            let found = checkpoints::stored_after(self.transaction, self.schema, self.after)?;
            self.checkpoints = found.into();
        }
        let next = self.checkpoints.pop_front();
        if let Some(next) = &next {
            self.after = signed(next.size);
        }
        Ok(next)
    }
}

impl TileReader for StoredTiles<'_, '_> {
    type Error = Error;

    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, Error> {
        let schema = self.schema.quoted();
        let first = signed(tile.index.saturating_mul(u64::from(WIDTH)));
        let end = first.saturating_add(i64::from(tile.width));
        let found = match (tile.width, tile.level) {
            (WIDTH, level) => {
                let found = self.full(level, tile.index)?;
                return Ok(Hash::sequence(&found.map_or(Vec::new(), |tile| tile.hashes))?);
            }
            (_, 0) => self.transaction.query_one(
                &format!(
                    "SELECT pg_catalog.string_agg(leaf_hash, '' ORDER BY leaf_index) \
                     FROM {schema}.extension_log_leaf WHERE leaf_index >= $1 AND leaf_index < $2"
                ),
                &[&first, &end],
            ),
            (_, level) => self.transaction.query_one(
                &format!(
                    "SELECT pg_catalog.string_agg(root, '' ORDER BY index) \
                     FROM {schema}.extension_log_tile WHERE level = $3 AND index >= $1 AND index < $2"
                ),
                &[&first, &end, &i16::from(level - 1)],
            ),
        };
        let found = found.doing(READING)?;
        Ok(Hash::sequence(bytes(&found, 0)?)?)
    }
}
