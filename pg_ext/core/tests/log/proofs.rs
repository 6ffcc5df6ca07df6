//! Proofs for every tree up to a thousand leaves, made by us and by another implementation, and verified by both.

use std::collections::BTreeSet;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ext_registry_core::Error;
use ext_registry_core::log::{
    Hash, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use sha2::Sha256;

use crate::store::{Store, data};
use crate::tiles::hash;

const SIZES: u64 = 1_000;

/// The other implementation, and its roots of all sizes.
struct Other {
    tree: MemoryBackedTree<Sha256, Vec<u8>>,
    roots: Vec<RootHash<Sha256>>,
}

impl Other {
    fn of(size: u64) -> Self {
        let mut tree = MemoryBackedTree::new();
        let mut roots = vec![tree.root()];
        for index in 0..size {
            tree.push(data(index));
            roots.push(tree.root());
        }
        Self { tree, roots }
    }

    fn root(&self, size: u64) -> Hash {
        Hash::try_from(&self.roots[size as usize].as_bytes()[..]).unwrap()
    }
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// All indices of small trees; of large ones both ends, both sides of the root, the last tile edge and one in between.
fn chosen(size: u64) -> BTreeSet<u64> {
    let half = size.next_power_of_two() / 2;
    match size {
        ..=16 => (0..size).collect(),
        _ => [
            0,
            half - 1,
            half,
            (size - 1) / 256 * 256,
            size * 389 % 997 % size,
            size - 1,
        ]
        .into(),
    }
}

#[test]
fn inclusion_in_all_trees_up_to_a_thousand_leaves() {
    let mut store = Store::of(0);
    let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=SIZES {
        store.push(&data(size - 1));
        other.push(data(size - 1));
        let root = store.tree.root();
        assert_eq!(root.as_bytes()[..], other.root().as_bytes()[..]);
        for index in chosen(size) {
            let proof = inclusion_proof(index, size, &mut store).unwrap();
            assert_eq!(
                bytes(&proof),
                other.prove_inclusion(index as usize).as_bytes()
            );
            let leaf = Hash::leaf(&data(index));
            assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));
            other
                .root()
                .verify_inclusion(
                    &data(index),
                    index,
                    &InclusionProof::from_bytes(bytes(&proof)),
                )
                .unwrap();
        }
    }
}

#[test]
fn consistency_of_all_trees_up_to_a_thousand_leaves() {
    let mut store = Store::of(SIZES);
    let mut growing = Other::of(0);
    let roots = Other::of(SIZES);
    for new in 1..=SIZES {
        growing.tree.push(data(new - 1));
        for old in chosen(new).into_iter().skip(1).chain([new]) {
            let proof = consistency_proof(old, new, &mut store).unwrap();
            let theirs = growing.tree.prove_consistency((new - old) as usize);
            assert_eq!(bytes(&proof), theirs.as_bytes(), "{old} {new}");
            let (old_root, new_root) = (roots.root(old), roots.root(new));
            assert_eq!(
                verify_consistency(old, old_root, new, new_root, &proof),
                Ok(())
            );
            roots.roots[new as usize]
                .verify_consistency(
                    &roots.roots[old as usize],
                    &ConsistencyProof::try_from_bytes(bytes(&proof)).unwrap(),
                )
                .unwrap();
        }
    }
}

#[test]
fn the_empty_tree_is_the_beginning_of_every_other() {
    let mut store = Store::of(5);
    let (empty, root) = (Hash::root(&[]), store.tree.root());
    assert_eq!(consistency_proof(0, 5, &mut store), Ok(vec![]));
    assert_eq!(verify_consistency(0, empty, 5, root, &[]), Ok(()));
    assert_eq!(verify_consistency(0, empty, 0, empty, &[]), Ok(()));
    assert!(verify_consistency(0, empty, 0, root, &[]).is_err());
    assert_eq!(
        verify_consistency(0, root, 5, root, &[]),
        Err(Error::WrongProof)
    );
    assert_eq!(
        verify_consistency(0, empty, 5, root, &[empty]),
        Err(Error::WrongProof)
    );
}

#[test]
fn nothing_is_proven_of_what_is_not_there() {
    let mut store = Store::of(5);
    let message = "a tree with 5 leaves has nothing at 5";
    let error = inclusion_proof(5, 5, &mut store).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert!(inclusion_proof(0, 0, &mut store).is_err());
    assert!(inclusion_proof(u64::MAX, u64::MAX, &mut store).is_err());
    assert!(consistency_proof(6, 5, &mut store).is_err());
    assert!(consistency_proof(1, u64::MAX, &mut store).is_err());
    let root = store.tree.root();
    for (index, size) in [(0, 0), (5, 5), (u64::MAX, u64::MAX), (0, u64::MAX)] {
        assert!(verify_inclusion(hash(0), index, size, &[], root).is_err());
    }
    assert!(verify_consistency(6, root, 5, root, &[]).is_err());
    assert!(verify_consistency(1, root, u64::MAX, root, &[]).is_err());
}

/// A place in a proof and what is done to it there.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip(usize),
    Remove(usize),
    Insert(usize),
    Swap(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = 0..12_usize;
    prop_oneof![
        place.clone().prop_map(Damage::Flip),
        place.clone().prop_map(Damage::Remove),
        place.clone().prop_map(Damage::Insert),
        (place.clone(), place).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

/// The proof with the damage, if it makes a difference.
fn damaged(proof: &[Hash], damage: Damage) -> Option<Vec<Hash>> {
    let mut proof = proof.to_vec();
    let before = proof.clone();
    let place = |place: usize| place % before.len().max(1);
    match damage {
        Damage::Insert(at) => proof.insert(at % (before.len() + 1), hash(9)),
        _ if proof.is_empty() => return None,
        Damage::Flip(at) => {
            let mut bytes = *proof[place(at)].as_bytes();
            bytes[at % 32] ^= 1 << (at % 8);
            proof[place(at)] = bytes.into();
        }
        Damage::Remove(at) => drop(proof.remove(place(at))),
        Damage::Swap(a, b) => proof.swap(place(a), place(b)),
    }
    (proof != before).then_some(proof)
}

proptest! {
    #[test]
    fn damaged_proofs_prove_nothing(
        (new, old, index) in (1..SIZES).prop_flat_map(|new| (Just(new), 1..=new, 0..new)),
        damage in damage(),
        bit in 0..256_usize,
    ) {
        let mut store = Store::of(new);
        let new_root = store.tree.root();
        let old_root = Store::of(old).tree.root();
        let leaf = Hash::leaf(&data(index));
        let flipped = |hash: Hash| {
            let mut bytes = *hash.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            Hash::from(bytes)
        };

        let inclusion = inclusion_proof(index, new, &mut store).unwrap();
        prop_assert!(verify_inclusion(flipped(leaf), index, new, &inclusion, new_root).is_err());
        prop_assert!(verify_inclusion(leaf, index, new, &inclusion, flipped(new_root)).is_err());
        prop_assert!(verify_inclusion(leaf, index ^ 1, new, &inclusion, new_root).is_err() || new == 1);
        if let Some(proof) = damaged(&inclusion, damage) {
            prop_assert!(verify_inclusion(leaf, index, new, &proof, new_root).is_err());
        }

        let consistency = consistency_proof(old, new, &mut store).unwrap();
        let verify = |old_root, new_root, proof: &[Hash]| {
            verify_consistency(old, old_root, new, new_root, proof)
        };
        prop_assert!(verify(flipped(old_root), new_root, &consistency).is_err());
        prop_assert!(verify(old_root, flipped(new_root), &consistency).is_err());
        if let Some(proof) = damaged(&consistency, damage) {
            prop_assert!(verify(old_root, new_root, &proof).is_err());
        }
    }
}
