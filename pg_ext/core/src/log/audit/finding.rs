use std::fmt;

/// Something that an unchanged log cannot show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    /// Which leaf, where it is about one.
    pub leaf_index: Option<u64>,
    /// Which version, or the version of which bundle.
    pub version_id: Option<String>,
    /// Which bundle.
    pub bundle_id: Option<String>,
    /// The same for a person.
    pub message: String,
}

/// What has been found. The names are part of the public interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A row is not what was sealed.
    Changed,
    /// A row that was sealed is gone.
    Removed,
    /// Leaves are not in the order in which they were sealed.
    Reordered,
    /// A recorded leaf hash is not the one that was sealed, or is missing.
    LeafChanged,
    /// A stored tile is not that of the leaves, or is missing.
    TileChanged,
    /// A row that should have been sealed is in no leaf.
    NotInLog,
    /// A version, or the bundle of a version, is there or was sealed more than once.
    SealedTwice,
    /// A row was sealed long after the time at which it says it was published.
    Backdated,
    /// A stored checkpoint is not that of the leaves.
    CheckpointChanged,
    /// The log does not begin with the one whose checkpoint the auditor has kept.
    HistoryRewritten,
    /// A signature is missing or wrong.
    Signature,
}

impl Kind {
    /// The name that programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "CHANGED",
            Self::Removed => "REMOVED",
            Self::Reordered => "REORDERED",
            Self::LeafChanged => "LEAF_CHANGED",
            Self::TileChanged => "TILE_CHANGED",
            Self::NotInLog => "NOT_IN_LOG",
            Self::SealedTwice => "SEALED_TWICE",
            Self::Backdated => "BACKDATED",
            Self::CheckpointChanged => "CHECKPOINT_CHANGED",
            Self::HistoryRewritten => "HISTORY_REWRITTEN",
            Self::Signature => "SIGNATURE",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
