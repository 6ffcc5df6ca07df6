//! Rows of the log that no seal has written: each is a finding, and what is in the way of the next seal is named by it.

use ext_registry_tests::Refusal;

use crate::evidence::{CHECKS_OFF, GUARDS_OFF, Said, attack, found, sealed};
use crate::world::{seal, try_seal};

fn leaf(index: &str) -> String {
    format!(
        "INSERT INTO extension_log_leaf (leaf_index, version_id, label, leaf_hash)
         SELECT {index}, v.id, 'acme/widget 900.0.0', f.leaf_hash
         FROM extension_version v, ext_version_leaf(v.id) f WHERE v.version = '900.0.0' AND f.bundle_id IS NULL;"
    )
}

/// Such a leaf takes its row out of the log: no seal would append it.
#[test]
fn a_leaf_outside_of_the_log() {
    let db = sealed();
    let mut client = db.client();
    for index in ["601", "1000000", "9223372036854775806"] {
        let Said { messages, sealed } = attack(&mut client, &leaf(index), &[("LEAF_CHANGED", 1)]);
        for said in [messages, sealed.unwrap_err()] {
            assert!(said.contains("acme/widget 900.0.0 has a leaf at"), "{said}");
            assert!(said.contains(index), "{said}");
        }
    }
    for index in ["9223372036854775807", "-1", "-9223372036854775808"] {
        let attacked = format!("{CHECKS_OFF} {}", leaf(&format!("'{index}'::bigint")));
        let Said { messages, sealed } = attack(&mut client, &attacked, &[("LEAF_CHANGED", 1)]);
        for said in [messages, sealed.unwrap_err()] {
            assert!(said.contains("acme/widget 900.0.0 has a leaf at"), "{said}");
            assert!(said.contains(index), "{said}");
        }
    }
    // Where the next seal would put one, it may be the checkpoint that is missing.
    let Said { sealed, .. } = attack(&mut client, &leaf("600"), &[("CHECKPOINT_CHANGED", 1)]);
    assert!(sealed.unwrap_err().contains("900.0.0 has a leaf at 600"));
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(GUARDS_OFF).unwrap();
    transaction
        .batch_execute(
            "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_pkey;
             UPDATE extension_log_leaf SET leaf_index = 41 WHERE leaf_index = 40",
        )
        .unwrap();
    let messages = found(&mut transaction).1.join("\n");
    assert!(messages.contains("leaf 40 is missing"), "{messages}");
    assert!(
        messages.contains("has the place of another leaf"),
        "{messages}"
    );
}

/// A tile that is in the way ended sealing much later, when the leaves had come so far.
#[test]
fn a_tile_outside_of_the_log() {
    let db = sealed();
    let mut client = db.client();
    let tile = |level: &str, index: &str| {
        format!(
            "INSERT INTO extension_log_tile (level, index, hashes, root)
             SELECT {level}, {index}, hashes, root FROM extension_log_tile WHERE index = 1;"
        )
    };
    for (level, index) in [("0", "2"), ("0", "1000"), ("1", "0"), ("6", "0")] {
        let Said { messages, sealed } =
            attack(&mut client, &tile(level, index), &[("TILE_CHANGED", 1)]);
        for said in [messages, sealed.unwrap_err()] {
            let named = format!("tile {index} of level {level} is outside of the log");
            assert!(said.contains(&named), "{said}");
        }
    }
    for (level, index) in [
        ("7", "0"),
        ("32767", "9223372036854775807"),
        ("-1", "0"),
        ("0", "-1"),
    ] {
        let attacked = format!("{CHECKS_OFF} {}", tile(level, index));
        let Said { messages, .. } = attack(&mut client, &attacked, &[("TILE_CHANGED", 1)]);
        assert!(messages.contains("is outside of the log"), "{messages}");
    }
    let Said { messages, .. } = attack(
        &mut client,
        &format!(
            "ALTER TABLE extension_log_tile DROP CONSTRAINT extension_log_tile_pkey; {}",
            tile("0", "1")
        ),
        &[("TILE_CHANGED", 1)],
    );
    assert!(messages.contains("more than once"), "{messages}");
}

#[test]
fn a_checkpoint_outside_of_the_log() {
    let db = sealed();
    let mut client = db.client();
    let checkpoint = |size: &str| {
        format!(
            "INSERT INTO extension_log_checkpoint (tree_size, root, origin)
             SELECT {size}, sha256(''), origin FROM extension_log_checkpoint WHERE tree_size = 600;"
        )
    };
    for size in ["601", "1000000000", "9223372036854775807"] {
        let Said { messages, sealed } =
            attack(&mut client, &checkpoint(size), &[("CHECKPOINT_CHANGED", 1)]);
        for said in [messages, sealed.unwrap_err()] {
            assert!(
                said.contains(&format!("a checkpoint says that the log has {size} leaves")),
                "{said}"
            );
        }
    }
    // With a leaf at its end, and nothing between.
    attack(
        &mut client,
        &format!(
            "{} {}",
            checkpoint("9000000000000000001"),
            leaf("9000000000000000000")
        ),
        &[("CHECKPOINT_CHANGED", 1), ("LEAF_CHANGED", 1)],
    );
    let attacked = format!("{CHECKS_OFF} {}", checkpoint("-1"));
    let Said { messages, sealed } = attack(&mut client, &attacked, &[("CHECKPOINT_CHANGED", 1)]);
    assert!(messages.contains("-1 leaves"), "{messages}");
    assert_eq!(sealed, Ok(2));
    let attacked = format!(
        "ALTER TABLE extension_log_signature DROP CONSTRAINT extension_log_signature_tree_size_fkey;
         ALTER TABLE extension_log_checkpoint DROP CONSTRAINT extension_log_checkpoint_pkey; {}",
        checkpoint("400")
    );
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(GUARDS_OFF).unwrap();
    transaction.batch_execute(&attacked).unwrap();
    let (kinds, messages) = found(&mut transaction);
    assert!(kinds.contains_key("CHECKPOINT_CHANGED"), "{messages:?}");
    assert!(
        messages
            .join("\n")
            .contains("more than one checkpoint of 400"),
        "{messages:?}"
    );
}

/// What the documentation says the owner does then.
#[test]
fn sealing_goes_on_once_the_owner_has_removed_it() {
    let db = sealed();
    let mut client = db.client();
    client.batch_execute(&leaf("1000000")).unwrap();
    try_seal(&mut client).refused().with_sqlstate("XX001");
    client
        .batch_execute(
            "BEGIN;
             ALTER TABLE extension_log_leaf DISABLE TRIGGER USER;
             DELETE FROM extension_log_leaf WHERE leaf_index = 1000000;
             COMMIT",
        )
        .unwrap();
    db.ext_migrate(&["up"]).succeeded();
    db.ext_migrate(&["check"]).succeeded();
    assert_eq!(seal(&mut client).appended, 2);
}

/// Whoever may sign may store any number of lines: a note has a hundred, and nothing else becomes slow or large.
#[test]
fn any_number_of_signatures() {
    let db = sealed();
    let mut client = db.client();
    client
        .batch_execute(
            "INSERT INTO extension_log_signature (tree_size, line)
             SELECT 600, 'key ' || rpad(n || 'A', 4000, 'A') FROM generate_series(10000, 11000) n",
        )
        .unwrap();
    let note: String = client
        .query_one("SELECT note FROM ext_log_checkpoint()", &[])
        .unwrap()
        .get(0);
    assert_eq!(note.matches('\u{2014}').count(), 100);
    assert!(note.len() < 1_000_000);
    client
        .query_one("SELECT ext_consistency_proof(400)", &[])
        .unwrap();
    assert_eq!(seal(&mut client).appended, 2);
}
