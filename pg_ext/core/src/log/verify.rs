use super::hash::{Hash, split};
use crate::Error;

/// Verifies that `leaf` is leaf `index` of the tree with `size` leaves and this root.
///
/// # Errors
/// [`Error::WrongProof`] when that is not proven.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), Error> {
    let mut proof = Upwards(proof);
    let proven =
        index < size && included(leaf, index, size, &mut proof) == Some(root) && proof.0.is_empty();
    proven.then_some(()).ok_or(Error::WrongProof)
}

/// Verifies that the tree with `old_size` leaves and this root is the beginning of the other.
///
/// # Errors
/// [`Error::WrongProof`] when that is not proven.
pub fn verify_consistency(
    old_size: u64,
    old_root: Hash,
    new_size: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), Error> {
    let proven = match old_size {
        0 => {
            let (empty, same) = (Hash::root(&[]), old_root == new_root);
            old_root == empty && (same || new_size > 0) && proof.is_empty()
        }
        _ if old_size > new_size => false,
        _ => {
            let mut proof = Upwards(proof);
            let roots = continued(old_size, new_size, old_root, true, &mut proof);
            roots == Some((old_root, new_root)) && proof.0.is_empty()
        }
    };
    proven.then_some(()).ok_or(Error::WrongProof)
}

/// What is left of a proof, from the leaves upwards.
struct Upwards<'a>(&'a [Hash]);

impl Upwards<'_> {
    fn next(&mut self) -> Option<Hash> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

/// The root that the proof leads to from the leaf.
fn included(leaf: Hash, index: u64, size: u64, proof: &mut Upwards<'_>) -> Option<Hash> {
    if size == 1 {
        return Some(leaf);
    }
    let middle = split(size);
    if index < middle {
        let left = included(leaf, index, middle, proof)?;
        Some(Hash::node(&left, &proof.next()?))
    } else {
        let right = included(leaf, index - middle, size - middle, proof)?;
        Some(Hash::node(&proof.next()?, &right))
    }
}

/// The old and the new root that the proof leads to, within a subtree that begins with the tree. `whole`: it has held
/// the whole old tree so far, whose root the verifier knows.
fn continued(
    old_size: u64,
    new_size: u64,
    old_root: Hash,
    whole: bool,
    proof: &mut Upwards<'_>,
) -> Option<(Hash, Hash)> {
    if old_size == new_size {
        let same = if whole { old_root } else { proof.next()? };
        return Some((same, same));
    }
    let middle = split(new_size);
    if old_size <= middle {
        let (old, new) = continued(old_size, middle, old_root, whole, proof)?;
        Some((old, Hash::node(&new, &proof.next()?)))
    } else {
        let sizes = (old_size - middle, new_size - middle);
        let (old, new) = continued(sizes.0, sizes.1, old_root, false, proof)?;
        let left = proof.next()?;
        Some((Hash::node(&left, &old), Hash::node(&left, &new)))
    }
}
