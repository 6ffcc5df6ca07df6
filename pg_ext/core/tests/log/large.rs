//! Trees that nobody could hold: every leaf is the same, so every tile can be made up.

use std::sync::LazyLock;

use ext_registry_core::Error;
use ext_registry_core::log::{
    Hash, Tile, TileReader, Tree, consistency_proof, inclusion_proof, root, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;

use crate::tiles::hash;

/// The one root that the whole subtrees of each level have.
static SUBTREES: LazyLock<[Hash; 8]> = LazyLock::new(|| {
    let mut subtree = hash(3);
    [(); 8].map(|()| {
        let above = Hash::root(&[subtree; 256]);
        std::mem::replace(&mut subtree, above)
    })
});

/// Counts what is read.
#[derive(Default)]
struct Uniform {
    read: Vec<Tile>,
}

impl TileReader for Uniform {
    type Error = Error;

    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, Error> {
        assert!(!self.read.contains(&tile), "{tile:?} was read twice");
        self.read.push(tile);
        Ok(vec![
            SUBTREES[usize::from(tile.level)];
            usize::from(tile.width)
        ])
    }
}

#[test]
fn a_tree_goes_on_at_any_size() {
    for size in [
        0,
        1,
        65_535,
        65_536,
        16_777_215,
        16_777_216,
        (1 << 40) - 1,
        1 << 62,
    ] {
        let mut tree = Tree::resume(size, &mut Uniform::default()).unwrap();
        let mut filled = 0;
        for size in size..size + 258 {
            assert_eq!(tree.size(), size);
            assert_eq!(Ok(tree.root()), root(size, &mut Uniform::default()));
            tree.push(hash(3), |tile, hashes| {
                filled += 1;
                assert_eq!(Some(tile), Tile::of_tree(tile.level, tile.index, size + 1));
                assert_eq!(hashes, Uniform::default().read(tile).unwrap());
            });
        }
        assert!(filled > 0);
    }
}

proptest! {
    /// Few tiles, however large the tree: what a proof costs grows with the logarithm.
    #[test]
    fn proofs_read_two_tiles_per_level(
        (new, old, index) in (1..1_u64 << 62).prop_flat_map(|new| (Just(new), 1..=new, 0..new)),
        shift in 0..62_u32,
    ) {
        let new = (new >> shift).max(1);
        let (old, index) = ((old >> shift).clamp(1, new), (index >> shift).min(new - 1));
        let levels = (0..8).filter(|level| Tile::of_tree(*level, 0, new).is_some()).count();
        let new_root = root(new, &mut Uniform::default()).unwrap();
        let old_root = root(old, &mut Uniform::default()).unwrap();

        let mut reader = Uniform::default();
        let proof = inclusion_proof(index, new, &mut reader).unwrap();
        prop_assert_eq!(verify_inclusion(hash(3), index, new, &proof, new_root), Ok(()));
        prop_assert!(reader.read.len() <= 2 * levels, "{:?}", reader.read);

        let mut reader = Uniform::default();
        let proof = consistency_proof(old, new, &mut reader).unwrap();
        prop_assert_eq!(verify_consistency(old, old_root, new, new_root, &proof), Ok(()));
        prop_assert!(reader.read.len() <= 2 * levels, "{:?}", reader.read);
    }
}
