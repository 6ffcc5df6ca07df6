//! Tiles in memory, as the tests store them.

use std::collections::BTreeMap;

use ext_registry_core::Error;
use ext_registry_core::log::{Hash, Tile, TileReader, Tree};

/// The full tiles of a log, and behind them the leaves, from which partial tiles are read.
#[derive(Default)]
pub struct Store {
    pub tree: Tree,
    full: BTreeMap<(u8, u64), Vec<Hash>>,
    leaves: Vec<Hash>,
}

impl Store {
    pub fn of(size: u64) -> Self {
        let mut store = Self::default();
        (0..size).for_each(|index| store.push(&data(index)));
        store
    }

    pub fn push(&mut self, data: &[u8]) {
        let leaf = Hash::leaf(data);
        self.leaves.push(leaf);
        self.tree.push(leaf, |tile, hashes| {
            let before = self.full.insert((tile.level, tile.index), hashes.to_vec());
            assert!(before.is_none(), "{tile:?} was filled twice");
        });
    }

    /// What an attacker writes.
    pub fn rewrite(&mut self, level: u8, index: u64, hashes: Vec<Hash>) {
        self.full.insert((level, index), hashes);
    }

    pub fn full_tiles(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        self.full.iter().map(|((level, index), hashes)| {
            let (level, index, width) = (*level, *index, 256);
            (
                Tile {
                    level,
                    index,
                    width,
                },
                &hashes[..],
            )
        })
    }
}

/// The data of a leaf.
pub fn data(index: u64) -> Vec<u8> {
    format!("leaf {index}").into_bytes()
}

impl TileReader for Store {
    type Error = Error;

    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, Error> {
        let width = usize::from(tile.width);
        if let Some(hashes) = self.full.get(&(tile.level, tile.index)) {
            return Ok(hashes.iter().copied().take(width).collect());
        }
        let first = tile.index * 256;
        let range = first..first + u64::from(tile.width);
        Ok(match tile.level {
            0 => range
                .filter_map(|index| self.leaves.get(index as usize).copied())
                .collect(),
            above => range
                .filter_map(|index| self.full.get(&(above - 1, index)))
                .map(|below| Hash::root(below))
                .collect(),
        })
    }
}
