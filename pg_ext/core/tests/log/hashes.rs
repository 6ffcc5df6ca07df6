//! Hashes and roots that other implementations of RFC 6962 publish.

use ext_registry_core::Error;
use ext_registry_core::log::{Hash, Tree};

use crate::tiles::hash;

#[test]
fn leaves_and_nodes_have_their_prefixes() {
    let hex = |hash: Hash| hash.to_string();
    assert_eq!(
        hex(Hash::root(&[])),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        hex(Hash::leaf(b"")),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    assert_eq!(
        hex(Hash::leaf(b"L123456")),
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    );
    let left = Hash::from([0x11; 32]);
    let right = Hash::from([0x22; 32]);
    assert_ne!(Hash::node(&left, &right), Hash::node(&right, &left));
    assert_ne!(
        Hash::node(&left, &right),
        Hash::leaf(&[[0x11; 32], [0x22; 32]].concat())
    );
}

/// The leaves and roots with which Certificate Transparency's implementations test themselves.
#[test]
fn roots_of_the_first_eight_trees() {
    let leaves: [&[u8]; 8] = [
        &[],
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Tree::new();
    assert_eq!(tree.root().to_string(), roots[0]);
    let mut hashes = Vec::new();
    for (leaf, root) in leaves.into_iter().zip(&roots[1..]) {
        hashes.push(Hash::leaf(leaf));
        tree.push(Hash::leaf(leaf), |_, _| panic!("no tile is full"));
        assert_eq!(tree.root().to_string(), *root);
        assert_eq!(Hash::root(&hashes).to_string(), *root);
    }
}

#[test]
fn bytes_are_hashes_in_pieces_of_32() {
    let two = [hash(1), hash(2)];
    let bytes: Vec<u8> = two.iter().flat_map(|hash| *hash.as_bytes()).collect();
    assert_eq!(Hash::sequence(&bytes), Ok(two.to_vec()));
    assert_eq!(Hash::sequence(&[]), Ok(vec![]));
    assert_eq!(Hash::sequence(&bytes[1..]), Err(Error::NotHashes(63)));
    assert_eq!(Hash::try_from(&bytes[..32]), Ok(hash(1)));
    assert_eq!(Hash::try_from(&bytes[..31]), Err(Error::NotHashes(31)));
    assert_eq!(Hash::try_from(&bytes[..]), Err(Error::NotHashes(64)));
}
