//! Proofs over the stored tree. None is handed out that does not lead to the root of its checkpoint.

use ext_registry_core::log::{
    Hash, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};

use super::{Log, StoredTiles, checkpoint, tiles};
use crate::error::Error;

/// Proves that a leaf is in the tree of a checkpoint, of the latest one without a size.
pub fn inclusion(log: &Log, index: i64, size: Option<i64>) -> Result<Vec<Hash>, Error> {
    let tree = checkpoint::of_size(log, size, "tree_size")?.checkpoint;
    let index = u64::try_from(index).ok().filter(|index| *index < tree.size);
    let index = index.ok_or(Error::InvalidArgument {
        argument: "leaf_index",
        reason: "the tree has no such leaf",
    })?;
    let mut reader = StoredTiles(log);
    let proof = inclusion_proof(index, tree.size, &mut reader)?;
    let leaf = tiles::leaf(&mut reader, index, tree.size)?;
    verify_inclusion(leaf, index, tree.size, &proof, tree.root)?;
    Ok(proof)
}

/// Proves that the tree of one checkpoint is the beginning of that of a later one, of the latest without a size.
pub fn consistency(log: &Log, old: i64, new: Option<i64>) -> Result<Vec<Hash>, Error> {
    let new = checkpoint::of_size(log, new, "new_size")?.checkpoint;
    let old = checkpoint::of_size(log, Some(old), "old_size")?.checkpoint;
    if old.size > new.size {
        return Err(Error::InvalidArgument {
            argument: "old_size",
            reason: "it is greater than the new one",
        });
    }
    let proof = consistency_proof(old.size, new.size, &mut StoredTiles(log))?;
    verify_consistency(old.size, old.root, new.size, new.root, &proof)?;
    Ok(proof)
}
