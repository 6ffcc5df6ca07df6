use crate::log::Tile;
use crate::quote::Quoted;

/// What is wrong, in words for a person. What is said about a version is about the field `version`, see
/// [`crate::Issue::version`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither a SemVer version nor `MAJOR.MINOR.*`.
    #[error("must be a SemVer 2.0.0 version such as 1.2.3, or 1.2.* for the next patch number, not {}{advice}", Quoted(.given))]
    InvalidVersion {
        /// The version as given, without the white space around it.
        given: String,
        /// A colon and what was meant, as far as that can be told.
        advice: String,
    },

    /// `MAJOR.MINOR.*` was asked for, and the last number that it gives is taken.
    #[error(
        "has no patch number left for {major}.{minor}.*: they end at {}; higher ones can be published as they are",
        crate::MAX_NEXT_PATCH
    )]
    NoPatchLeft {
        /// First number of the series.
        major: u64,
        /// Second number of the series.
        minor: u64,
    },

    /// Not 64 hex digits, with or without `sha256:`.
    #[error("64 hex digits are expected, with or without sha256: before them{advice}")]
    InvalidContentHash {
        /// A semicolon and what was given instead, as far as that can be told.
        advice: String,
    },

    /// Bytes that are to be hashes and are not.
    #[error("hashes have 32 bytes each; there are {0} bytes")]
    NotHashes(usize),

    /// A leaf, or an older tree, that a tree does not have.
    #[error("a tree with {size} leaves has nothing at {index}")]
    NotInTree {
        /// The leaf, or the size of the older tree.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },

    /// A stored tile that does not have the hashes that it should.
    #[error("the stored {} does not have its hashes", .0.path())]
    WrongTile(Tile),

    /// A proof that does not prove what it should.
    #[error("the proof does not lead to the root")]
    WrongProof,

    /// An entry that no entry bundle can hold.
    #[error("an entry of {0} bytes is too long for an entry bundle")]
    EntryTooLong(usize),

    /// Not the text of a checkpoint.
    #[error("this is no checkpoint: {reason}")]
    InvalidCheckpoint {
        /// What is wrong with it.
        reason: &'static str,
    },

    /// Neither a signed note nor a key of one.
    #[error("this is no valid {what}: {reason}")]
    InvalidNote {
        /// What was expected.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}
