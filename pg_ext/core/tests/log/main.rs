//! The transparency log: hashes, tiles, proofs and checkpoints against published vectors and another implementation.

mod audit;
mod checkpoint;
mod hashes;
mod large;
mod leaves;
mod notes;
mod proofs;
mod store;
mod tiles;
