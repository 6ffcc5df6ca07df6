//! Reads a manifest and says everything that is wrong with it.

mod issue;
mod json;
mod reader;
mod rules;
mod typed;

use std::borrow::Cow;

pub use issue::Issue;

use crate::version::Requested;

/// Longest manifest, in bytes of its JSON text.
pub const MAX_MANIFEST_BYTES: usize = 1024 * 1024;

/// Deepest nesting of objects and arrays, the manifest itself included.
pub const MAX_NESTING: usize = 64;

/// Longest `publisher`, `name`, `version`, `runtime` and `ui.entry`, in characters.
pub const MAX_TEXT_CHARS: usize = 255;

/// What a database takes for a character where it counts up to [`MAX_TEXT_CHARS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// Characters: every encoding that PostgreSQL knows.
    #[default]
    Characters,
    /// Bytes: `SQL_ASCII`, where nobody knows what a character is.
    Bytes,
}

/// What finalize needs from a valid manifest. The other parts are stored as given, straight from the caller's
/// `jsonb`; an optional field that is JSON null counts as absent, so they are to be read like this:
///
/// | column | from manifest `m` |
/// |---|---|
/// | `api` | [`normalised_api`](Self::normalised_api), else `coalesce(nullif(m->'api', 'null'), '{}')` |
/// | `api_endpoints` | `coalesce(nullif(api->'endpoints', 'null'), '[]')`, `api` being the above |
/// | `capabilities` | `coalesce(nullif(m->'capabilities', 'null'), '[]')` |
/// | `ui`, `assets`, `precompiled` | `nullif(m->'ui', 'null')` and so on |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// Who publishes.
    pub publisher: Cow<'a, str>,
    /// What is published.
    pub name: Cow<'a, str>,
    /// The version asked for.
    pub version: Requested,
    /// What runs it.
    pub runtime: Cow<'a, str>,
    /// `ui.entry`, or `main` without one.
    pub main_entry: Cow<'a, str>,
    /// JSON text of `api` with its methods in upper case; None when nothing has to change.
    pub normalised_api: Option<String>,
}

impl<'a> Manifest<'a> {
    /// Takes the JSON text of a manifest, as `jsonb` prints it.
    ///
    /// Gives all issues when there are any. Where the text is too long or not UTF-8, that is the only one.
    /// Of a field given twice the last counts, as in `jsonb`.
    pub fn parse(text: &'a [u8]) -> Result<Self, Vec<Issue>> {
        Self::parse_counting(text, Counting::Characters)
    }

    /// The same for a database that counts otherwise.
    pub fn parse_counting(text: &'a [u8], counting: Counting) -> Result<Self, Vec<Issue>> {
        reader::read(text, counting)
    }
}
