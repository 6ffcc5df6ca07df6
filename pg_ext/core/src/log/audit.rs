//! Compares rows, leaves, tiles and checkpoints with each other and with what an auditor has kept.
//!
//! It is the same for the server and for an auditor outside: both bring what is stored, leaf by leaf. Memory does not
//! grow with the log, only with what is found between two checkpoints, and that only to a limit.

mod candidates;
mod checkpoints;
mod disputes;
mod finding;
mod stored;

use self::candidates::{Belief, Candidates, Said};
use self::disputes::{Dispute, Found};
pub use self::finding::{Finding, Kind};
pub use self::stored::{Leaf, Row, RowId, Stored, StoredCheckpoint, StoredTile};
use super::checkpoint::Checkpoint;
use super::hash::Hash;
use super::tile::{Tile, WIDTH};

/// How much later than it says a row may be sealed, in microseconds: a day, for long transactions and wrong clocks. A
/// log cannot take back what once raised an alarm.
pub const TOLERANCE: i64 = 86_400_000_000;

/// Disagreements that are kept in mind until a checkpoint settles them; beyond, the majority does.
const MOST_DISPUTES: usize = 1 << 16;

/// An audit under way: every leaf in order, then [`Audit::end`], then the rows that are in no leaf.
pub struct Audit {
    kept: Option<Checkpoint>,
    ahead: Option<StoredCheckpoint>,
    started: bool,
    /// Leaves so far.
    size: u64,
    /// `None` after leaves that nobody can name: no root is known from there on.
    trees: Option<Candidates>,
    /// The tile over the leaves that come now.
    tile: Option<Vec<Hash>>,
    disputes: Vec<Dispute>,
    kept_origin: Option<String>,
    /// That of the first stored checkpoint.
    origin: Option<String>,
    /// Size and time of the last stored checkpoint so far.
    latest: Option<(u64, i64)>,
    /// The last undisputed row of the seal that is being read.
    last_key: Option<OrderKey>,
    pending: u64,
    findings: Vec<Finding>,
}

/// The order in which a seal appends: unknown times first, a version before its bundles.
type OrderKey = (Option<i64>, bool, String, Option<String>);

impl Audit {
    /// Begins one, with the checkpoint that the auditor has kept.
    pub fn new(kept: Option<Checkpoint>) -> Self {
        Self {
            kept_origin: kept.as_ref().map(|kept| kept.origin.clone()),
            kept,
            ahead: None,
            started: false,
            size: 0,
            trees: Some(Candidates::new()),
            tile: None,
            disputes: Vec::new(),
            origin: None,
            latest: None,
            last_key: None,
            pending: 0,
            findings: Vec::new(),
        }
    }

    /// Takes the next leaf.
    ///
    /// # Errors
    /// Those of `stored`.
    pub fn leaf<S: Stored>(&mut self, leaf: &Leaf<'_>, stored: &mut S) -> Result<(), S::Error> {
        if leaf.index < self.size {
            let message = format!("{} has the place of another leaf", leaf.id.name());
            self.about(Kind::Reordered, Some(leaf.index), &leaf.id, message);
            return Ok(());
        }
        self.fill_gap(leaf.index, stored)?;
        self.checkpoints(stored)?;
        let said = Said {
            row: leaf.row.map(|row| row.hash),
            leaf: Hash::try_from(leaf.recorded).ok(),
            tile: self.tiled(stored)?,
        };
        if said.leaf.is_none() || said.disagree() {
            if self.disputes.len() == MOST_DISPUTES {
                self.resolve(Belief::Majority);
            }
            self.disputes.push(Dispute::new(leaf, said));
        } else if let Some(row) = leaf.row {
            self.in_order(leaf, &row);
            self.in_time(leaf, &row);
        } else {
            let message = format!("{} was sealed and is gone", leaf.id.name());
            self.about(Kind::Removed, Some(leaf.index), &leaf.id, message);
        }
        self.push(&said, stored)
    }

    /// Says that there are no more leaves.
    ///
    /// # Errors
    /// Those of `stored`.
    pub fn end<S: Stored>(&mut self, stored: &mut S) -> Result<(), S::Error> {
        self.checkpoints(stored)?;
        self.resolve(Belief::Majority);
        let size = self.size;
        if let Some(kept) = self.kept.take() {
            self.found(
                Kind::HistoryRewritten,
                format!(
                    "the log has become shorter: it has {size} leaves, and had {} at the checkpoint that was kept",
                    kept.size
                ),
            );
        }
        while let Some(checkpoint) = self.ahead.take() {
            self.found(
                Kind::CheckpointChanged,
                format!(
                    "a checkpoint says that the log has {} leaves, and it has {size}",
                    checkpoint.size
                ),
            );
            self.latest = Some((checkpoint.size, checkpoint.sealed_at));
            self.ahead = stored.next_checkpoint()?;
        }
        let index = size.div_ceil(u64::from(WIDTH));
        let index = match self.tile {
            Some(_) if !size.is_multiple_of(u64::from(WIDTH)) => Some(index - 1),
            _ => stored.tile(0, index)?.map(|_| index),
        };
        if let Some(index) = index {
            self.tile_changed(0, index, "is beyond the leaves");
        }
        let sealed = self.latest.map_or(0, |(size, _)| size);
        if sealed < size {
            self.found(
                Kind::CheckpointChanged,
                format!(
                    "the latest checkpoint says that the log has {sealed} leaves, and it has {size}"
                ),
            );
        }
        Ok(())
    }

    /// Takes a row that is in no leaf.
    pub fn unlogged(&mut self, id: &RowId<'_>, created_at: Option<i64>) {
        match self.latest {
            Some((_, sealed_at)) if created_at.is_none_or(|time| long_before(time, sealed_at)) => {
                let message = format!(
                    "{} is in no leaf, and by its own time the latest seal should have found it",
                    id.name()
                );
                self.about(Kind::NotInLog, None, id, message);
            }
            _ => self.pending += 1,
        }
    }

    /// What has been found since this was last called.
    pub fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over the leaves so far, where it can be known.
    pub fn root(&self) -> Option<Hash> {
        self.trees.as_ref().map(Candidates::root)
    }

    /// Rows that wait for the next seal, as far as they have been passed on.
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// Leaves that are missing: a tile may still know their hashes.
    fn fill_gap<S: Stored>(&mut self, until: u64, stored: &mut S) -> Result<(), S::Error> {
        let first = self.size;
        while self.size < until {
            self.checkpoints(stored)?;
            let tile = match self.trees {
                Some(_) => self.tiled(stored)?,
                None => None,
            };
            let Some(hash) = tile else {
                self.resolve(Belief::Majority);
                self.trees = None;
                self.size = until;
                self.tile = None;
                if !until.is_multiple_of(u64::from(WIDTH)) {
                    self.tile = self.read_leaf_tile(until / u64::from(WIDTH), stored)?;
                }
                break;
            };
            let said = Said {
                row: None,
                leaf: None,
                tile: Some(hash),
            };
            self.push(&said, stored)?;
        }
        if first < until {
            let message = match until - first {
                1 => format!("leaf {first} is missing"),
                _ => format!("leaves {first} to {} are missing", until - 1),
            };
            self.found(Kind::LeafChanged, message);
        }
        Ok(())
    }

    /// What the full tile says about the leaf that comes now.
    fn tiled<S: Stored>(&mut self, stored: &mut S) -> Result<Option<Hash>, S::Error> {
        let width = u64::from(WIDTH);
        if self.size.is_multiple_of(width) {
            self.tile = self.read_leaf_tile(self.size / width, stored)?;
        }
        Ok(self
            .tile
            .as_ref()
            .and_then(|hashes| hashes.get((self.size % width) as usize).copied()))
    }

    fn read_leaf_tile<S: Stored>(
        &mut self,
        index: u64,
        stored: &mut S,
    ) -> Result<Option<Vec<Hash>>, S::Error> {
        let Some(tile) = stored.tile(0, index)? else {
            return Ok(None);
        };
        let hashes = tile.hashes();
        if hashes
            .as_ref()
            .is_none_or(|hashes| tile.root != Hash::root(hashes).as_bytes())
        {
            self.tile_changed(0, index, "is not the one that was stored under its hash");
        }
        Ok(hashes)
    }

    fn push<S: Stored>(&mut self, said: &Said, stored: &mut S) -> Result<(), S::Error> {
        let mut filled: Vec<(Tile, Vec<Hash>)> = Vec::new();
        if said.believed(Belief::Tile).is_none() {
            self.trees = None;
        }
        if let Some(trees) = &mut self.trees {
            trees.push(said, |tile, hashes| filled.push((tile, hashes.to_vec())));
        }
        self.size += 1;
        let width = u64::from(WIDTH);
        if self.size.is_multiple_of(width) && self.tile.is_none() {
            self.tile_changed(0, self.size / width - 1, "is missing or has not 256 hashes");
        }
        while let Some((tile, _)) = filled.first() {
            let tile = *tile;
            let stored_tile = stored.tile(tile.level, tile.index)?;
            let agrees = stored_tile.is_some_and(|stored| {
                filled
                    .iter()
                    .any(|(t, hashes)| *t == tile && stored.is_of(hashes))
            });
            if !agrees {
                self.tile_changed(tile.level, tile.index, "is not that of the leaves");
            }
            filled.retain(|(t, _)| *t != tile);
        }
        Ok(())
    }

    /// Says what has happened where row, leaf and tile disagreed, now that one of them is believed.
    fn resolve(&mut self, belief: Belief) {
        for found in disputes::resolve(std::mem::take(&mut self.disputes), belief) {
            match found {
                Found::Leaf(finding) => self.findings.push(finding),
                Found::Tile(index) => self.tile_changed(0, index, "is not that of the leaves"),
            }
        }
    }

    fn in_order(&mut self, leaf: &Leaf<'_>, row: &Row) {
        let key: OrderKey = (
            row.created_at,
            leaf.id.bundle_id.is_some(),
            leaf.id.version_id.to_owned(),
            leaf.id.bundle_id.map(str::to_owned),
        );
        if self.last_key.as_ref().is_some_and(|last| *last > key) {
            let message = format!(
                "{} does not come in the order in which a seal appends",
                leaf.id.name()
            );
            self.about(Kind::Reordered, Some(leaf.index), &leaf.id, message);
        }
        self.last_key = Some(key);
    }

    fn in_time(&mut self, leaf: &Leaf<'_>, row: &Row) {
        if let (Some(time), Some((_, sealed_at))) = (row.created_at, self.latest)
            && long_before(time, sealed_at)
        {
            let message = format!(
                "{} was sealed later than its own time allows: an earlier seal should have found it",
                leaf.id.name()
            );
            self.about(Kind::Backdated, Some(leaf.index), &leaf.id, message);
        }
    }

    fn tile_changed(&mut self, level: u8, index: u64, what: &str) {
        let width = WIDTH;
        let path = Tile {
            level,
            index,
            width,
        }
        .path();
        self.found(Kind::TileChanged, format!("the stored {path} {what}"));
    }

    fn about(&mut self, kind: Kind, leaf_index: Option<u64>, id: &RowId<'_>, message: String) {
        self.findings.push(Finding {
            kind,
            leaf_index,
            version_id: Some(id.version_id.to_owned()),
            bundle_id: id.bundle_id.map(str::to_owned),
            message,
        });
    }

    fn found(&mut self, kind: Kind, message: String) {
        self.findings.push(Finding {
            kind,
            leaf_index: None,
            version_id: None,
            bundle_id: None,
            message,
        });
    }
}

fn long_before(time: i64, sealed_at: i64) -> bool {
    time < sealed_at.saturating_sub(TOLERANCE)
}
