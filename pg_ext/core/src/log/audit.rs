//! Compares rows, leaves, tiles and checkpoints with each other and with what an auditor has kept.
//!
//! It is the same for the server and for an auditor outside: both bring what is stored, leaf by leaf. Memory does not
//! grow with the log, only with what is found between two checkpoints, and that only to a limit.

mod candidates;
mod checkpoints;
mod disputes;
mod finding;
mod once;
mod queries;
mod stored;
mod times;

use self::candidates::{Belief, Candidates, Said};
use self::disputes::{Dispute, Found};
pub use self::finding::{Finding, Kind};
pub use self::once::{Outside, Twice};
pub use self::queries::{OUTSIDE, TWICE, UNLOGGED};
pub use self::stored::{Leaf, Row, RowId, Stored, StoredCheckpoint, StoredTile};
pub use self::times::TOLERANCE;
use super::checkpoint::Checkpoint;
use super::hash::Hash;
use super::tile::{Tile, WIDTH};

/// Disagreements that are kept in mind until a checkpoint settles them; beyond, the majority does.
const MOST_DISPUTES: usize = 1 << 16;

/// An audit under way: what is outside of the log, every leaf in it in order, [`Audit::end`], what is there twice and
/// the rows that are in no leaf.
pub struct Audit {
    /// The auditor's clock.
    now: i64,
    kept: Option<Checkpoint>,
    ahead: Option<StoredCheckpoint>,
    started: bool,
    /// Leaves so far.
    size: u64,
    /// Where the log ends: tiles beyond are none of its.
    end: u64,
    /// The first of the leaves before this one that are missing.
    missing: Option<u64>,
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
    /// Time and leaf of the newest row of the seal that is being read.
    newest: Option<(i64, u64)>,
    pending: u64,
    findings: Vec<Finding>,
}

/// The order in which a seal appends: unknown times first, a version before its bundles.
type OrderKey = (Option<i64>, bool, String, Option<String>);

impl Audit {
    /// Begins one, with the checkpoint that the auditor has kept, and its clock in microseconds since 2000.
    pub fn new(kept: Option<Checkpoint>, now: i64) -> Self {
        Self {
            now,
            kept_origin: kept.as_ref().map(|kept| kept.origin.clone()),
            kept,
            ahead: None,
            started: false,
            size: 0,
            end: u64::MAX,
            missing: None,
            trees: Some(Candidates::new()),
            tile: None,
            disputes: Vec::new(),
            origin: None,
            latest: None,
            last_key: None,
            newest: None,
            pending: 0,
            findings: Vec::new(),
        }
    }

    /// Says how many leaves the log has.
    pub fn ends_at(&mut self, leaves: u64) {
        self.end = leaves;
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
        self.missing_until(leaf.index, stored)?;
        self.say_missing();
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
            self.of_its_version(leaf, &row);
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
        self.say_missing();
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

    /// Says that the leaves from the next one to this, which is not included, are missing: a tile may still know their
    /// hashes.
    ///
    /// # Errors
    /// Those of `stored`.
    pub fn missing_until<S: Stored>(&mut self, until: u64, stored: &mut S) -> Result<(), S::Error> {
        if self.size < until {
            self.missing.get_or_insert(self.size);
        }
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
        Ok(())
    }

    fn say_missing(&mut self) {
        if let Some(first) = self.missing.take() {
            let message = match self.size - first {
                1 => format!("leaf {first} is missing"),
                _ => format!("leaves {first} to {} are missing", self.size - 1),
            };
            self.found(Kind::LeafChanged, message);
        }
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
        let full = (index + 1) * u64::from(WIDTH) <= self.end;
        let Some(tile) = full.then(|| stored.tile(0, index)).transpose()?.flatten() else {
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

    fn in_order(&mut self, leaf: &Leaf<'_>, row: &Row<'_>) {
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

    /// A bundle's leaf names its version, which its hash does not hold.
    fn of_its_version(&mut self, leaf: &Leaf<'_>, row: &Row<'_>) {
        if row.version_id != leaf.id.version_id {
            let message = format!(
                "the recorded leaf of {} names another version than its row",
                leaf.id.name()
            );
            self.about(Kind::LeafChanged, Some(leaf.index), &leaf.id, message);
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
