//! The transparency log: an RFC 6962 Merkle tree over the published rows, in the public formats of C2SP.
//!
//! Nothing here knows where hashes are stored: the server and an auditor bring their own [`TileReader`].

pub mod audit;
mod checkpoint;
mod entries;
mod hash;
mod key;
mod leaf;
mod note;
mod proof;
mod tile;
mod tree;
mod verify;

pub use checkpoint::Checkpoint;
pub use entries::{MAX_ENTRY_BYTES, entry_bundle};
pub use hash::Hash;
pub use key::VerifierKey;
pub use leaf::{BUNDLE, Fields, VERSION, Value, leaf_data, row_data, row_hash, unix_microseconds};
pub use note::{Note, SIGNATURE_MARK, Signature};
pub use proof::{TileReader, consistency_proof, inclusion_proof, root};
pub use tile::{Tile, WIDTH};
pub use tree::Tree;
pub use verify::{verify_consistency, verify_inclusion};
