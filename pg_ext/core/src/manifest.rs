//! Reads a manifest and says everything that is wrong with it.

mod issue;
mod json;
mod reader;
mod rules;
mod typed;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;

pub use issue::{Issue, Issues};

use crate::quote::Quoted;
use crate::version::Requested;

/// Longest manifest, in bytes of its JSON text.
pub const MAX_MANIFEST_BYTES: usize = 1024 * 1024;

/// Deepest nesting of objects and arrays, the manifest itself included.
pub const MAX_NESTING: usize = 64;

/// Longest `publisher`, `name`, `version`, `runtime` and `ui.entry`, and longest text of an issue, in characters.
pub const MAX_TEXT_CHARS: usize = 255;

/// Most issues that are written out; the others are counted.
pub const MAX_ISSUES: usize = 100;

/// What the database makes of the manifest's texts, by its encoding.
#[derive(Debug, Clone, Copy, Default)]
pub enum Encoding {
    /// `UTF8`, where characters are Unicode's. With the form NFC of a text that is in another, as the server says, and
    /// None for a text that is in it: servers differ in what they know of Unicode.
    Utf8(fn(&str) -> Option<String>),
    /// `SQL_ASCII`, where nobody knows what a character is: it counts bytes.
    SqlAscii,
    /// Any other: it counts characters and knows nothing of NFC.
    #[default]
    Other,
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
    /// Who publishes. Like name and runtime without the white space that may have been around it.
    pub publisher: Cow<'a, str>,
    /// What is published.
    pub name: Cow<'a, str>,
    /// The version asked for.
    pub version: Requested,
    /// What runs it.
    pub runtime: Cow<'a, str>,
    /// `ui.entry`, or `main` without one.
    pub main_entry: Cow<'a, str>,
    /// Which of `publisher`, `name` and `runtime` had white space around them: they are not stored as given.
    pub trimmed: Vec<&'static str>,
    /// JSON text of `api` with its methods in upper case; None when nothing has to change.
    pub normalised_api: Option<String>,
}

impl<'a> Manifest<'a> {
    /// Takes the JSON text of a manifest, as `jsonb` prints it.
    ///
    /// Gives the issues when there are any. Where the text is too long or not UTF-8, that is the only one.
    /// Of a field given twice the last counts, as in `jsonb`.
    pub fn parse(text: &'a [u8]) -> Result<Self, Issues> {
        Self::parse_for(text, Encoding::default())
    }

    /// The same for a database of this encoding. The text is UTF-8 all the same.
    pub fn parse_for(text: &'a [u8], encoding: Encoding) -> Result<Self, Issues> {
        reader::read(text, encoding)
    }

    /// The names as they are stored, as JSON text to put over the manifest; None where they are stored as given.
    pub fn names(&self) -> Option<String> {
        let names = [
            ("publisher", &self.publisher),
            ("name", &self.name),
            ("runtime", &self.runtime),
        ];
        let changed = names
            .into_iter()
            .filter(|(name, _)| self.trimmed.contains(name));
        let changed: BTreeMap<_, _> = changed.collect();
        (!changed.is_empty()).then(|| json!(changed).to_string())
    }

    /// The issues where an entry has exactly the spelling that was given. It is from before white space was ignored;
    /// beside it the one without white space would be a second extension by the same call. Empty where the spelling is
    /// the one that is stored.
    pub fn old_entry(&self) -> Issues {
        let names = [("publisher", &self.publisher), ("name", &self.name)];
        let changed = names
            .into_iter()
            .filter(|(field, _)| self.trimmed.contains(field));
        let issue = |(field, name): (&str, &Cow<'_, str>)| {
            Issue::field(
                field,
                format_args!(
                    "must be given without the white space around it: an old entry is spelled exactly as given and \
                     takes no more versions; {} is an extension of its own",
                    Quoted(name)
                ),
            )
        };
        changed.map(issue).collect()
    }
}
