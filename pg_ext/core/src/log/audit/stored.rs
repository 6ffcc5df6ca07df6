use crate::log::hash::Hash;
use crate::log::tile::WIDTH;

/// What is stored beside the leaves.
pub trait Stored {
    type Error;

    /// The full tile as it is stored, `None` where it is not.
    fn tile(&mut self, level: u8, index: u64) -> Result<Option<StoredTile>, Self::Error>;

    /// The checkpoints in the order of their sizes.
    fn next_checkpoint(&mut self) -> Result<Option<StoredCheckpoint>, Self::Error>;
}

/// A full tile and the hash over it, as bytes that may have been tampered with.
#[derive(Debug, Clone)]
pub struct StoredTile {
    pub hashes: Vec<u8>,
    pub root: Vec<u8>,
}

/// A checkpoint.
#[derive(Debug, Clone)]
pub struct StoredCheckpoint {
    pub origin: String,
    pub size: u64,
    pub root: Vec<u8>,
    /// Microseconds since 2000, as PostgreSQL has them.
    pub sealed_at: i64,
}

/// A leaf and the row that it is of.
#[derive(Debug, Clone, Copy)]
pub struct Leaf<'a> {
    pub index: u64,
    pub id: RowId<'a>,
    /// The recorded hash.
    pub recorded: &'a [u8],
    /// The row; `None` where it is gone.
    pub row: Option<Row<'a>>,
}

/// Which row.
#[derive(Debug, Clone, Copy)]
pub struct RowId<'a> {
    pub version_id: &'a str,
    pub bundle_id: Option<&'a str>,
    /// Publisher, name and version, for people.
    pub label: Option<&'a str>,
}

/// A row as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Its id, or that of its version.
    pub version_id: &'a str,
    /// Hash of its leaf, recomputed.
    pub hash: Hash,
    /// Microseconds since 2000, as PostgreSQL has them.
    pub created_at: Option<i64>,
}

impl StoredTile {
    /// Its hashes, where there are 256.
    pub(super) fn hashes(&self) -> Option<Vec<Hash>> {
        let hashes = Hash::sequence(&self.hashes).ok()?;
        (hashes.len() == usize::from(WIDTH)).then_some(hashes)
    }

    /// Whether it is the tile of these hashes.
    pub(super) fn is_of(&self, hashes: &[Hash]) -> bool {
        self.hashes().as_deref() == Some(hashes) && self.root == Hash::root(hashes).as_bytes()
    }
}

impl RowId<'_> {
    /// For people.
    pub fn name(&self) -> String {
        let version = match self.label {
            Some(label) => label.to_owned(),
            None => format!("version {}", self.version_id),
        };
        match self.bundle_id {
            Some(bundle) => format!("bundle {bundle} of {version}"),
            None => version,
        }
    }
}
