//! `export-tiles`: what a static server would serve, verified with none of our code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{InclusionProof, RootHash};
use openssl::base64::decode_block;
use openssl::sha::sha256;
use sha2::Sha256;

use crate::world::{World, read};

/// Entries in their order, read as C2SP tlog-tiles has them.
fn entries(directory: &str, size: u64) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    for index in 0..size.div_ceil(256) {
        let width = (size - index * 256).min(256);
        let bundle = read(format!("{directory}/tile/entries/{}", name(index, width)));
        let mut rest = &bundle[..];
        while let [high, low, after @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            entries.push(after[..length].to_vec());
            rest = &after[length..];
        }
    }
    entries
}

fn name(index: u64, width: u64) -> String {
    match width {
        256 => format!("{index:03}"),
        _ => format!("{index:03}.p/{width}"),
    }
}

/// Size and root of the exported checkpoint.
fn checkpoint(directory: &str) -> (u64, Vec<u8>) {
    let note = fs::read_to_string(format!("{directory}/checkpoint")).unwrap();
    let lines: Vec<&str> = note.lines().collect();
    (lines[1].parse().unwrap(), decode_block(lines[2]).unwrap())
}

#[test]
fn another_implementation_builds_the_same_tree_from_the_exported_entries() {
    let world = World::sealed();
    let directory = world.exported();
    let (size, root) = checkpoint(&directory);
    assert_eq!(size, 600);
    let entries = entries(&directory, size);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    entries.iter().for_each(|entry| tree.push(entry.clone()));
    assert_eq!(tree.root().as_bytes()[..], root[..]);
    // And each tile holds the hashes of its entries.
    for index in 0..3 {
        let width = (600 - index * 256).min(256);
        let tile = read(format!("{directory}/tile/0/{}", name(index, width)));
        let hashes: Vec<u8> = entries[(index * 256) as usize..][..width as usize]
            .iter()
            .flat_map(|entry| sha256(&[&[0], &entry[..]].concat()))
            .collect();
        assert_eq!(tile, hashes);
    }
    assert_eq!(read(format!("{directory}/tile/1/000.p/2")).len(), 64);
}

/// What a publisher would do with the answer of the database, given nothing but the exported checkpoint.
#[test]
fn a_proof_from_the_database_verifies_in_another_implementation() {
    let world = World::sealed();
    let directory = world.exported();
    let (size, root) = checkpoint(&directory);
    let root: [u8; 32] = root.try_into().unwrap();
    let root = RootHash::<Sha256>::new(root.into(), size);
    let entries = entries(&directory, size);
    let mut client = world.db.client();
    for index in [0_i64, 255, 256, 511, 512, 599] {
        let proof: Vec<Vec<u8>> = client
            .query_one("SELECT ext_inclusion_proof($1)", &[&index])
            .unwrap()
            .get(0);
        let proof = InclusionProof::<Sha256>::from_bytes(proof.concat());
        let entry = &entries[index as usize];
        root.verify_inclusion(entry, index as u64, &proof).unwrap();
        let other = &entries[(index as usize + 1) % 600];
        assert!(root.verify_inclusion(other, index as u64, &proof).is_err());
    }
}

#[test]
fn a_second_export_writes_what_is_new_and_changes_nothing_else() {
    let world = World::sealed();
    let directory = world.exported();
    let before = files(Path::new(&directory));
    let again = world
        .db
        .ext_migrate(&["export-tiles", &directory, "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&again["tiles_written"], &again["entry_bundles_written"]),
        (&0.into(), &0.into())
    );
    assert_eq!(files(Path::new(&directory)), before);
    world.publish(301, 100);
    let _ = world.seal(&[]);
    world
        .db
        .ext_migrate(&["export-tiles", &directory])
        .succeeded();
    let after = files(Path::new(&directory));
    for (path, content) in before {
        assert!(path == "checkpoint" || after[&path] == content, "{path}");
    }
    assert!(after.contains_key("tile/0/002"));
    assert!(after.contains_key("tile/entries/003.p/32"));
    assert!(!after.keys().any(|path| path.ends_with(".new")));
}

#[test]
fn what_was_changed_is_not_exported() {
    let world = World::sealed();
    let directory = world.folder.path("tiles");
    world.attack("UPDATE extension_version SET runtime = 'x@1' WHERE version = '7.0.0'");
    let error = world
        .db
        .ext_migrate(&["export-tiles", &directory])
        .exited(9);
    assert!(
        error.stderr.contains("acme/widget 7.0.0 has changed"),
        "{error:?}"
    );
    assert!(!Path::new(&directory).join("checkpoint").exists());
}

#[test]
fn an_export_continues_the_one_before() {
    let world = World::sealed();
    let directory = world.exported();
    let other = World::sealed();
    other
        .db
        .ext_migrate(&["export-tiles", &directory])
        .exited(9);
    assert_eq!(checkpoint(&directory).0, 600);
}

#[test]
fn long_entries_are_left_out_and_counted() {
    let world = World::empty();
    world
        .db
        .client()
        .execute(
            "SELECT ext_finalize_version(
                 jsonb_build_object('publisher', 'acme', 'name', 'widget', 'version', '1.0.0', 'runtime', 'node@20',
                     'assets', (SELECT jsonb_agg(repeat('a', 100)) FROM generate_series(1, 700))),
                 repeat('a', 64))",
            &[],
        )
        .unwrap();
    let _ = world.seal(&[]);
    let directory = world.folder.path("tiles");
    let report = world
        .db
        .ext_migrate(&["export-tiles", &directory, "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(report["entry_bundles_left_out"], 1);
    world.audit(&[]).succeeded();
}

#[test]
fn nothing_sealed_is_nothing_to_export() {
    let world = World::empty();
    let directory = world.folder.path("tiles");
    let error = world
        .db
        .ext_migrate(&["export-tiles", &directory])
        .exited(1);
    assert!(error.stderr.contains("ext-migrate seal"), "{error:?}");
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), read(&path));
            }
        }
    }
    found
}
