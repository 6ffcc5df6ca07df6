use std::fmt;

use sha2::{Digest, Sha256};

use super::leaf::{Value, write_leaf};
use crate::Error;

/// SHA-256 as RFC 6962 uses it: a prefix keeps leaves and nodes apart, so that no leaf can pass for a subtree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; Hash::BYTES]);

impl Hash {
    /// Length of a hash.
    pub const BYTES: usize = 32;

    /// The hash of a leaf with this data.
    pub fn leaf(data: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(data);
        Self(hasher.finalize().into())
    }

    /// The hash of the leaf with [`leaf_data`](super::leaf_data) of these fields, which it does not hold as a whole.
    pub fn leaf_of(fields: &[(&str, Value<'_>)]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        write_leaf(fields, &mut |part| hasher.update(part));
        Self(hasher.finalize().into())
    }

    /// The hash of a node over two subtrees.
    pub fn node(left: &Self, right: &Self) -> Self {
        let mut input = [1; 1 + 2 * Self::BYTES];
        input[1..=Self::BYTES].copy_from_slice(&left.0);
        input[1 + Self::BYTES..].copy_from_slice(&right.0);
        Self(Sha256::digest(input).into())
    }

    /// The root over subtrees of one size, from left to right; the last may be smaller. Of none: the root of the
    /// empty tree.
    pub fn root(subtrees: &[Self]) -> Self {
        match subtrees {
            [] => Self(Sha256::digest([]).into()),
            [only] => *only,
            _ => {
                let (left, right) = subtrees.split_at(split(subtrees.len() as u64) as usize);
                Self::node(&Self::root(left), &Self::root(right))
            }
        }
    }

    /// The hashes of a tile or a proof, which are stored one after the other.
    ///
    /// # Errors
    /// [`Error::NotHashes`] when the length is no multiple of 32.
    pub fn sequence(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let (hashes, rest) = bytes.as_chunks();
        match rest {
            [] => Ok(hashes.iter().copied().map(Self).collect()),
            _ => Err(Error::NotHashes(bytes.len())),
        }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl From<[u8; Hash::BYTES]> for Hash {
    fn from(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        let hash = bytes
            .try_into()
            .map_err(|_| Error::NotHashes(bytes.len()))?;
        Ok(Self(hash))
    }
}

/// Lower-case hex.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where RFC 6962 divides `size` > 1 leaves: the left subtree has the largest power of two below `size`.
pub fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
