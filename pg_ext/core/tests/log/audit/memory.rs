//! A log in memory as the database would have it, and what an attacker does to it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use ext_registry_core::log::audit::{
    Audit, Finding, Kind, Leaf, Row, RowId, Stored, StoredCheckpoint, StoredTile, TOLERANCE,
};
use ext_registry_core::log::{Checkpoint, Hash, Tree};

pub(super) const SECOND: i64 = 1_000_000;

/// A version and its leaf, as the database would have them.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) index: u64,
    pub(super) id: String,
    /// As the row has it.
    pub(super) row_id: String,
    pub(super) leaf: Vec<u8>,
    pub(super) row: Option<Hash>,
    pub(super) created_at: Option<i64>,
}

#[derive(Clone, Default)]
pub(super) struct Log {
    pub(super) records: Vec<Record>,
    pub(super) tiles: BTreeMap<(u8, u64), StoredTile>,
    pub(super) checkpoints: Vec<StoredCheckpoint>,
    pub(super) unlogged: Vec<Option<i64>>,
    pub(super) tree: Tree,
    pub(super) read: usize,
}

impl Log {
    /// Sealed at these sizes, a leaf published each second, the seals two days apart.
    pub(super) fn sealed(sizes: &[u64]) -> Self {
        let mut log = Self::default();
        for size in sizes {
            log.grow(*size);
        }
        log
    }

    pub(super) fn grow(&mut self, size: u64) {
        let since = self.time();
        for index in self.tree.size()..size {
            let data = Hash::leaf(&index.to_be_bytes());
            self.records.push(Record {
                index,
                id: format!("{index:08}"),
                row_id: format!("{index:08}"),
                leaf: data.as_bytes().to_vec(),
                row: Some(data),
                created_at: Some(since + SECOND * index as i64),
            });
            self.append(data);
        }
        self.checkpoints.push(StoredCheckpoint {
            origin: "example.com/log".to_owned(),
            size,
            root: self.tree.root().as_bytes().to_vec(),
            sealed_at: since + 2 * TOLERANCE,
        });
    }

    pub(super) fn time(&self) -> i64 {
        self.checkpoints.last().map_or(0, |last| last.sealed_at)
    }

    pub(super) fn append(&mut self, leaf: Hash) {
        let tiles = &mut self.tiles;
        self.tree.push(leaf, |tile, hashes| {
            let stored = StoredTile {
                hashes: hashes.iter().flat_map(|h| *h.as_bytes()).collect(),
                root: Hash::root(hashes).as_bytes().to_vec(),
            };
            tiles.insert((tile.level, tile.index), stored);
        });
    }

    /// Tiles and checkpoints as they would be had the leaves always been what they are now.
    pub(super) fn rebuild(&mut self) {
        (self.tree, self.tiles) = (Tree::new(), BTreeMap::new());
        let mut checkpoints = std::mem::take(&mut self.checkpoints);
        let mut leaves = self.records.clone().into_iter();
        for checkpoint in &mut checkpoints {
            while self.tree.size() < checkpoint.size {
                let leaf = leaves.next().expect("as many leaves as sealed");
                self.append(Hash::try_from(&leaf.leaf[..]).unwrap());
            }
            checkpoint.root = self.tree.root().as_bytes().to_vec();
        }
        self.checkpoints = checkpoints;
    }

    pub(super) fn rebuild_sorted(&mut self) {
        self.records.sort_by_key(|record| record.index);
        self.rebuild();
    }

    pub(super) fn kept(&self, position: usize) -> Checkpoint {
        let StoredCheckpoint {
            origin, size, root, ..
        } = self.checkpoints[position].clone();
        Checkpoint {
            origin,
            size,
            root: Hash::try_from(&root[..]).unwrap(),
        }
    }

    pub(super) fn change(&mut self, index: usize) -> &mut Record {
        let record = &mut self.records[index];
        record.row = Some(Hash::leaf(b"tampered"));
        record
    }

    pub(super) fn audited(&self, kept: Option<Checkpoint>) -> (Vec<Finding>, Audit) {
        self.audited_by(Audit::new(kept, i64::MAX))
    }

    pub(super) fn audited_at(&self, now: i64) -> (Vec<Finding>, Audit) {
        self.audited_by(Audit::new(None, now))
    }

    fn audited_by(&self, mut audit: Audit) -> (Vec<Finding>, Audit) {
        let mut log = self.clone();
        log.records.sort_by_key(|record| record.index);
        let records = log.records.clone();
        for record in &records {
            let leaf = Leaf {
                index: record.index,
                id: id(&record.id),
                recorded: &record.leaf,
                row: record.row.map(|hash| Row {
                    version_id: &record.row_id,
                    hash,
                    created_at: record.created_at,
                }),
            };
            audit.leaf(&leaf, &mut log).unwrap();
        }
        audit.end(&mut log).unwrap();
        for created_at in &self.unlogged {
            audit.unlogged(&id("unlogged"), *created_at);
        }
        (audit.findings(), audit)
    }

    /// Kinds and leaves of what is found.
    pub(super) fn found(&self) -> Vec<(Kind, Option<u64>)> {
        kinds(&self.audited(None).0)
    }

    pub(super) fn found_with(&self, kept: Checkpoint) -> Vec<(Kind, Option<u64>)> {
        kinds(&self.audited(Some(kept)).0)
    }
}

pub(super) fn kinds(findings: &[Finding]) -> Vec<(Kind, Option<u64>)> {
    findings.iter().map(|f| (f.kind, f.leaf_index)).collect()
}

pub(super) fn id(version_id: &str) -> RowId<'_> {
    RowId {
        version_id,
        bundle_id: None,
        label: None,
    }
}

impl Stored for Log {
    type Error = Infallible;

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<StoredTile>, Infallible> {
        Ok(self.tiles.get(&(level, index)).cloned())
    }

    fn next_checkpoint(&mut self) -> Result<Option<StoredCheckpoint>, Infallible> {
        self.read += 1;
        Ok(self.checkpoints.get(self.read - 1).cloned())
    }
}
