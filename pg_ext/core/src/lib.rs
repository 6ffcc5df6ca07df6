//! Manifest, version, content hash and transparency log: the pure logic of `ext_registry`, without PostgreSQL.
//!
//! All take text as the server hands it over, and none of them panics, whatever the text holds.

mod characters;
mod content_hash;
mod error;
pub mod log;
mod manifest;
mod publish_times;
mod quote;
mod version;

pub use characters::INVISIBLE;
pub use content_hash::{ContentHash, Hasher};
pub use error::Error;
pub use manifest::{
    Encoding, Issue, Issues, MAX_ISSUES, MAX_MANIFEST_BYTES, MAX_NESTING, MAX_TEXT_CHARS, Manifest,
};
pub use publish_times::PublishTimes;
pub use version::{MAX_NEXT_PATCH, Requested, Series};
