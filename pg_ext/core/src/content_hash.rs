mod advice;

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::Error;

const PREFIX: &str = "sha256:";
const DIGITS: usize = 64;

/// SHA-256 of a bundle, as it is stored: `sha256:` and 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentHash(String);

impl ContentHash {
    /// The hash of `bytes`. [`Hasher`] does the same in pieces.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    fn read(text: &str) -> Option<Self> {
        let digits = match text.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
            _ => text,
        };
        if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut stored = String::with_capacity(PREFIX.len() + DIGITS);
        stored.push_str(PREFIX);
        stored.push_str(digits);
        stored.make_ascii_lowercase();
        Some(Self(stored))
    }

    /// The bytes of a SHA-256 as they are stored.
    fn written(bytes: &[u8]) -> Self {
        let mut stored = String::with_capacity(PREFIX.len() + DIGITS);
        stored.push_str(PREFIX);
        for byte in bytes {
            for nibble in [byte >> 4, byte & 0xf] {
                stored.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        Self(stored)
    }

    /// The hash with its prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContentHash {
    type Err = Error;

    /// Takes 64 hex digits with or without the prefix, both in any case: `SHA256:` can mean nothing else, and
    /// tools that print hashes in upper case print the prefix so too. White space is refused.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| Error::InvalidContentHash {
            advice: advice::on(text).map_or_else(String::new, |advice| format!("; {advice}")),
        })
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hashes bytes that come in pieces, so that a server can look for a cancel request in between.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A hasher that has seen no bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all bytes added.
    pub fn finish(self) -> ContentHash {
        ContentHash::written(&self.0.finalize())
    }
}
