use crate::quote::Quoted;

/// What is wrong with a version or a content hash, in words for a person. What is said about a version is about
/// the field `version`, see [`crate::Issue::version`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither a SemVer version nor `MAJOR.MINOR.*`.
    #[error("must be a SemVer 2.0.0 version such as 1.2.3, or 1.2.* for the next patch number; {} is neither: {reason}", Quoted(.given))]
    InvalidVersion {
        /// The version as given, without the white space around it.
        given: String,
        /// What the SemVer grammar says about it.
        reason: String,
    },

    /// `MAJOR.MINOR.*` was asked for, and the highest patch number is the highest there can be.
    #[error(
        "has no patch number left for {major}.{minor}.*: they end at {}",
        u64::MAX
    )]
    NoPatchLeft {
        /// First number of the series.
        major: u64,
        /// Second number of the series.
        minor: u64,
    },

    /// Not 64 hex digits, with or without `sha256:`.
    #[error("a content hash has 64 hex digits, with or without sha256: before them; got {}", Quoted(.given))]
    InvalidContentHash {
        /// The hash as given.
        given: String,
    },
}
