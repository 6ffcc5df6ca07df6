//! Which tiles a tree has, what is in them, and where a static server has them.

use ext_registry_core::Error;
use ext_registry_core::log::{
    Hash, MAX_ENTRY_BYTES, Tile, TileReader, Tree, entry_bundle, inclusion_proof, root,
};

use crate::store::{Store, data};

/// Some hash.
pub fn hash(number: u8) -> Hash {
    Hash::from([number; 32])
}

#[test]
fn paths_are_those_of_the_specification() {
    let path = |level, index, width| {
        Tile {
            level,
            index,
            width,
        }
        .path()
    };
    assert_eq!(path(0, 0, 256), "tile/0/000");
    assert_eq!(path(0, 1, 5), "tile/0/001.p/5");
    assert_eq!(path(1, 999, 255), "tile/1/999.p/255");
    assert_eq!(path(3, 1_000, 256), "tile/3/x001/000");
    assert_eq!(path(5, 1_234_067, 256), "tile/5/x001/x234/067");
    assert_eq!(path(5, 123_456_078, 2), "tile/5/x123/x456/078.p/2");
    let tile = Tile {
        level: 0,
        index: 1_234_067,
        width: 3,
    };
    assert_eq!(tile.entries_path(), "tile/entries/x001/x234/067.p/3");
}

#[test]
fn a_tree_has_the_tiles_that_the_specification_counts() {
    let tiles: Vec<Tile> = Tile::all_of_tree(70_000).collect();
    let of = |level| tiles.iter().filter(move |tile| tile.level == level);
    assert_eq!(of(0).filter(|tile| tile.width == 256).count(), 273);
    assert_eq!(of(0).next_back().map(|tile| tile.width), Some(112));
    assert_eq!(of(1).map(|tile| tile.width).collect::<Vec<_>>(), [256, 17]);
    assert_eq!(of(2).map(|tile| tile.width).collect::<Vec<_>>(), [1]);
    assert_eq!(tiles.len(), 277);

    let paths = |size| {
        Tile::all_of_tree(size)
            .map(|tile| tile.path())
            .collect::<Vec<_>>()
    };
    assert!(paths(0).is_empty());
    assert_eq!(paths(1), ["tile/0/000.p/1"]);
    assert_eq!(paths(256), ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(Tile::all_of_tree(u64::MAX).take(1_000).count(), 1_000);
    assert_eq!(Tile::of_tree(7, 0, u64::MAX).unwrap().width, 255);
    assert_eq!(Tile::of_tree(8, 0, u64::MAX), None);
    assert_eq!(Tile::of_tree(0, u64::MAX, u64::MAX), None);
}

/// What is stored at any time is a beginning of what is stored later: tiles are appended to and never rewritten.
#[test]
fn tiles_grow_and_a_tree_goes_on_from_them() {
    let mut store = Store::of(0);
    let mut before: Vec<(Tile, Vec<Hash>)> = Vec::new();
    for size in 1..=1_000 {
        store.push(&data(size - 1));
        for (tile, hashes) in before {
            let now = Tile::of_tree(tile.level, tile.index, size).unwrap();
            assert!(now.width >= tile.width);
            assert!(store.read(now).unwrap().starts_with(&hashes));
        }
        before = Tile::all_of_tree(size)
            .map(|tile| (tile, store.read(tile).unwrap()))
            .collect();

        let expected = store.tree.root();
        assert_eq!(root(size, &mut store), Ok(expected));
        let mut resumed = Tree::resume(size, &mut store).unwrap();
        assert_eq!((resumed.size(), resumed.root()), (size, expected));
        let mut plain = store.tree.clone();
        for next in [&mut resumed, &mut plain] {
            (0..3).for_each(|_| next.push(hash(7), |_, _| {}));
        }
        assert_eq!(resumed.root(), plain.root());
    }
}

#[test]
fn a_full_tile_has_the_roots_of_those_below() {
    let mut store = Store::of(70_000);
    let tiles: Vec<_> = store
        .full_tiles()
        .map(|(tile, hashes)| (tile, hashes.to_vec()))
        .collect();
    let expected: Vec<_> = Tile::all_of_tree(70_000)
        .filter(|tile| tile.width == 256)
        .collect();
    assert_eq!(
        tiles.iter().map(|(tile, _)| *tile).collect::<Vec<_>>(),
        expected
    );
    for (tile, hashes) in tiles.iter().filter(|(tile, _)| tile.level > 0) {
        for (index, hash) in (tile.index * 256..).zip(hashes) {
            let level = tile.level - 1;
            let below = Tile {
                level,
                index,
                width: 256,
            };
            assert_eq!(Hash::root(&store.read(below).unwrap()), *hash);
        }
    }
    for size in [0, 255, 256, 257, 65_535, 65_536, 65_537, 69_999] {
        let leaves: Vec<Hash> = (0..size).map(|index| Hash::leaf(&data(index))).collect();
        assert_eq!(root(size, &mut store), Ok(Hash::root(&leaves)), "{size}");
    }
}

#[test]
fn a_tile_that_is_missing_or_short_is_found() {
    let mut store = Store::of(600);
    store.rewrite(0, 1, vec![hash(1); 255]);
    let tile = Tile {
        level: 0,
        index: 1,
        width: 256,
    };
    let proof = inclusion_proof(300, 600, &mut store);
    assert_eq!(proof, Err(Error::WrongTile(tile)));
    let message = Error::WrongTile(tile).to_string();
    assert_eq!(message, "the stored tile/0/001 does not have its hashes");
    assert!(root(601, &mut Store::of(600)).is_err());
    assert!(Tree::resume(601, &mut Store::of(600)).is_err());
}

#[test]
fn entries_stand_behind_their_lengths() {
    assert_eq!(entry_bundle([]), Ok(vec![]));
    let long = vec![b'x'; MAX_ENTRY_BYTES];
    let bundle = entry_bundle([&b"ab"[..], b"", &long]).unwrap();
    assert_eq!(bundle[..8], *b"\0\x02ab\0\0\xff\xff");
    assert_eq!(bundle.len(), 2 + 2 + 2 + 2 + MAX_ENTRY_BYTES);
    let too_long = vec![b'x'; MAX_ENTRY_BYTES + 1];
    assert_eq!(
        entry_bundle([&too_long[..]]),
        Err(Error::EntryTooLong(MAX_ENTRY_BYTES + 1))
    );
}
