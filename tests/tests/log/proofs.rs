//! Proofs and tiles out of a real database, verified by an implementation that is not ours.

use ct_merkle::{ConsistencyProof, InclusionProof};
use ext_registry_core::log::{Hash, Tile};
use ext_registry_tests::{Refusal, Server, finalize, hash, manifest};
use postgres::Client;
use sha2::Sha256;

use crate::world::{Seal, leaves, publish_many, seal};

fn proof(client: &mut Client, call: &str, parameters: [i64; 2]) -> Vec<u8> {
    let row = client
        .query_one(
            &format!("SELECT {call}($1, $2)"),
            &[&parameters[0], &parameters[1]],
        )
        .unwrap();
    row.get::<_, Vec<Vec<u8>>>(0).concat()
}

/// The data of the leaf is what a row is made of: here the documented query without its hash.
fn entries(client: &mut Client) -> Vec<Vec<u8>> {
    let query = include_str!("leaves.sql")
        .replace("sha256('\\x00'::bytea || convert_to(", "convert_to(")
        .replace("'UTF8'))", "'UTF8')");
    let rows = client
        .query(
            &format!(
                "SELECT d.leaf_hash FROM extension_log_leaf l JOIN ({query}) d
                     ON d.version_id = l.version_id AND d.bundle_id IS NOT DISTINCT FROM l.bundle_id
                 ORDER BY l.leaf_index"
            ),
            &[],
        )
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// A seal after each of 300 publishes, so two leaves a time, over the edges of two full tiles.
#[test]
fn every_checkpoint_proves_its_leaves_and_its_past() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut seals: Vec<Seal> = vec![seal(&mut client)];
    for number in 0..300 {
        finalize(
            &mut client,
            &manifest(&format!("{number}.0.0")),
            &hash(number),
        )
        .unwrap();
        seals.push(seal(&mut client));
    }
    let entries = entries(&mut client);
    assert_eq!(entries.len(), 600);
    for (number, new) in seals.iter().enumerate().skip(1) {
        let root = new.their_root();
        for index in [0, number as i64 * 389 % new.size, new.size - 1] {
            let proof = proof(&mut client, "ext_inclusion_proof", [index, new.size]);
            let proof = InclusionProof::<Sha256>::from_bytes(proof);
            root.verify_inclusion(&entries[index as usize], index as u64, &proof)
                .unwrap();
            let wrong = &entries[(index as usize + 1) % entries.len()];
            root.verify_inclusion(wrong, index as u64, &proof)
                .unwrap_err();
        }
        for old in [&seals[1], &seals[1 + number * 197 % number], new] {
            let proof = proof(&mut client, "ext_consistency_proof", [old.size, new.size]);
            let proof = ConsistencyProof::<Sha256>::try_from_bytes(proof).unwrap();
            root.verify_consistency(&old.their_root(), &proof).unwrap();
        }
    }
    assert!(proof(&mut client, "ext_consistency_proof", [0, 600]).is_empty());
    assert!(proof(&mut client, "ext_consistency_proof", [600, 600]).is_empty());
    // Without a size it is the latest.
    let row = client
        .query_one(
            "SELECT ext_inclusion_proof(5) = ext_inclusion_proof(5, 600),
                    ext_consistency_proof(20) = ext_consistency_proof(20, 600)",
            &[],
        )
        .unwrap();
    assert!(row.get::<_, bool>(0) && row.get::<_, bool>(1));
}

#[test]
fn tiles_are_those_of_the_leaves() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let tile = |client: &mut Client, level: i32, index: i64, width: Option<i32>| {
        let row = client
            .query_one("SELECT ext_log_tile($1, $2, $3)", &[&level, &index, &width])
            .unwrap();
        row.get::<_, Option<Vec<u8>>>(0)
    };
    publish_many(&mut client, 0, 300);
    seal(&mut client);
    let hashes: Vec<Hash> = leaves(&mut client)
        .iter()
        .map(|(_, _, hash)| Hash::try_from(&hash[..]).unwrap())
        .collect();
    let bytes =
        |hashes: &[Hash]| -> Vec<u8> { hashes.iter().flat_map(|hash| *hash.as_bytes()).collect() };
    let roots = [Hash::root(&hashes[..256]), Hash::root(&hashes[256..512])];
    assert_eq!(tile(&mut client, 0, 0, None), Some(bytes(&hashes[..256])));
    assert_eq!(
        tile(&mut client, 0, 1, Some(256)),
        Some(bytes(&hashes[256..512]))
    );
    assert_eq!(tile(&mut client, 0, 2, None), Some(bytes(&hashes[512..])));
    assert_eq!(
        tile(&mut client, 0, 2, Some(3)),
        Some(bytes(&hashes[512..515]))
    );
    assert_eq!(tile(&mut client, 0, 0, Some(3)), Some(bytes(&hashes[..3])));
    assert_eq!(tile(&mut client, 1, 0, None), Some(bytes(&roots)));
    assert_eq!(tile(&mut client, 1, 0, Some(1)), Some(bytes(&roots[..1])));
    assert_eq!(Tile::all_of_tree(600).count(), 4);
    for (level, index, width) in [
        (0, 3, None),
        (0, 2, Some(89)),
        (0, 0, Some(0)),
        (0, 0, Some(-1)),
        (0, 0, Some(257)),
        (1, 1, None),
        (2, 0, None),
        (-1, 0, None),
        (256, 0, None),
        (0, -1, None),
        (0, i64::MAX, None),
        (i32::MAX, 0, Some(i32::MAX)),
    ] {
        assert_eq!(
            tile(&mut client, level, index, width),
            None,
            "{level} {index} {width:?}"
        );
    }
}

#[test]
fn there_is_no_proof_of_what_was_not_sealed() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 2);
    for call in [
        "ext_inclusion_proof(0)",
        "ext_consistency_proof(0)",
        "ext_log_tile(0, 0)",
    ] {
        client
            .query(&format!("SELECT {call}"), &[])
            .refused()
            .with_sqlstate("55000")
            .with_code("NOT_SEALED");
    }
    seal(&mut client);
    for (call, argument) in [
        ("ext_inclusion_proof(4)", "leaf_index"),
        ("ext_inclusion_proof(-1)", "leaf_index"),
        ("ext_inclusion_proof(0, 3)", "tree_size"),
        ("ext_inclusion_proof(0, -1)", "tree_size"),
        ("ext_consistency_proof(1)", "old_size"),
        ("ext_consistency_proof(4, 5)", "new_size"),
        ("ext_log_checkpoint(2)", "tree_size"),
    ] {
        client
            .query(&format!("SELECT {call}"), &[])
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_ARGUMENT")
            .with_detail("argument", argument);
    }
    publish_many(&mut client, 2, 1);
    seal(&mut client);
    client
        .query("SELECT ext_consistency_proof(6, 4)", &[])
        .refused()
        .with_detail("argument", "old_size");
    for call in [
        "ext_inclusion_proof(NULL)",
        "ext_consistency_proof(NULL)",
        "ext_log_tile(NULL, 0)",
        "ext_log_tile(0, NULL)",
    ] {
        client
            .query(&format!("SELECT {call}"), &[])
            .refused()
            .with_sqlstate("22004")
            .with_code("NULL_ARGUMENT");
    }
}

/// A proof that is handed out leads to the root of its checkpoint.
#[test]
fn a_damaged_tree_proves_nothing() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 3);
    seal(&mut client);
    publish_many(&mut client, 3, 3);
    seal(&mut client);
    client
        .batch_execute(
            "ALTER TABLE extension_log_leaf DISABLE TRIGGER USER;
             UPDATE extension_log_leaf SET leaf_hash = sha256('') WHERE leaf_index = 7",
        )
        .unwrap();
    for call in ["ext_inclusion_proof(0)", "ext_consistency_proof(6)"] {
        client
            .query(&format!("SELECT {call}"), &[])
            .refused()
            .with_sqlstate("XX001")
            .with_code("LOG_DAMAGED");
    }
}
