//! What somebody with every right can do to rows and log once the guards are off, and what the verification says then.

use std::collections::BTreeMap;

use ext_registry_tests::{Database, Server, publish};
use postgres::{Client, Transaction};

use crate::world::{publish_many, seal};

/// 300 versions and their bundles, sealed in two steps: two full tiles, a partial one, two checkpoints.
fn sealed() -> Database<'static> {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 200);
    seal(&mut client);
    publish_many(&mut client, 200, 100);
    seal(&mut client);
    db
}

/// Switches everything off for the rest of the transaction: guards, foreign keys, row by row.
const GUARDS_OFF: &str = "
    SET LOCAL session_replication_role = replica;
    ALTER TABLE extension_registry DISABLE TRIGGER ALL;
    ALTER TABLE extension_version DISABLE TRIGGER ALL;
    ALTER TABLE extension_bundle DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_leaf DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_tile DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_checkpoint DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_signature DISABLE TRIGGER ALL;
    CREATE TEMPORARY VIEW seven AS SELECT id FROM public.extension_version WHERE version = '7.0.0';";

/// How often each kind is found, and all messages.
fn findings(transaction: &mut Transaction<'_>) -> (BTreeMap<String, usize>, Vec<String>) {
    let rows = transaction
        .query("SELECT finding, message FROM ext_verify_log()", &[])
        .unwrap();
    let mut kinds = BTreeMap::new();
    for row in &rows {
        *kinds.entry(row.get(0)).or_default() += 1;
    }
    (kinds, rows.iter().map(|row| row.get(1)).collect())
}

/// Attacks in a transaction that is rolled back.
#[track_caller]
fn attack(client: &mut Client, statements: &str, expected: &[(&str, usize)]) -> Vec<String> {
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(GUARDS_OFF).unwrap();
    transaction.batch_execute(statements).unwrap();
    let (kinds, messages) = findings(&mut transaction);
    let expected: BTreeMap<String, usize> = expected
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count))
        .collect();
    assert_eq!(kinds, expected, "{statements}: {messages:#?}");
    transaction.rollback().unwrap();
    messages
}

#[test]
fn each_column_of_a_version_and_of_a_bundle() {
    let db = sealed();
    let mut client = db.client();
    for change in [
        "api = '{\"endpoints\": [1]}'",
        "api_endpoints = '[1]'",
        "ui = '{}'",
        "ui = 'null'",
        "capabilities = '[1]'",
        "assets = '[]'",
        "runtime = 'node@21'",
        "main_entry = 'other'",
        "version = '7.0.0 '",
        "created_at = created_at + interval '1 microsecond'",
        "created_at = NULL, adopted = true",
    ] {
        let attack_on_version =
            format!("UPDATE extension_version SET {change} WHERE version = '7.0.0'");
        let messages = attack(&mut client, &attack_on_version, &[("CHANGED", 1)]);
        assert!(
            messages[0].starts_with("acme/widget 7.0.0 "),
            "{messages:?}"
        );
    }
    // It, and its bundle, whose publisher and name are then unknown.
    attack(
        &mut client,
        "UPDATE extension_version SET registry_id = gen_random_uuid() WHERE version = '7.0.0'",
        &[("CHANGED", 2)],
    );
    attack(
        &mut client,
        "UPDATE extension_version SET id = gen_random_uuid() WHERE version = '7.0.0'",
        &[("CHANGED", 1), ("REMOVED", 1)],
    );
    for change in [
        "content_hash = 'sha256:' || repeat('f', 64)",
        "signature = NULL",
        "signature = signature || ' '",
        "precompiled = '{}'",
        "storage_url = NULL",
        "size_bytes = size_bytes + 1",
        "size_bytes = NULL",
        "created_at = created_at - interval '1 microsecond'",
    ] {
        let attack_on_bundle = format!(
            "UPDATE extension_bundle SET {change} WHERE version_id = (SELECT id FROM seven)"
        );
        let messages = attack(&mut client, &attack_on_bundle, &[("CHANGED", 1)]);
        assert!(
            messages[0].contains("of acme/widget 7.0.0 "),
            "{messages:?}"
        );
    }
    // The other version then has two, one of which is not marked as old.
    attack(
        &mut client,
        "UPDATE extension_bundle SET adopted = true, version_id = (SELECT id FROM extension_version WHERE version = '8.0.0')
         WHERE version_id = (SELECT id FROM seven)",
        &[("CHANGED", 1), ("SEALED_TWICE", 1)],
    );
    attack(
        &mut client,
        "UPDATE extension_bundle SET id = gen_random_uuid() WHERE version_id = (SELECT id FROM seven)",
        &[("REMOVED", 1)],
    );
    for column in ["publisher", "name"] {
        attack(
            &mut client,
            &format!("UPDATE extension_registry SET {column} = 'other'"),
            &[("CHANGED", 600)],
        );
    }
    attack(
        &mut client,
        "UPDATE extension_registry SET display_name = 'not part of a version'",
        &[],
    );
}

#[test]
fn removed_exchanged_and_back_dated_versions() {
    let db = sealed();
    let mut client = db.client();
    let messages = attack(
        &mut client,
        "DELETE FROM extension_bundle WHERE version_id = (SELECT id FROM seven);
         DELETE FROM extension_version WHERE version = '7.0.0'",
        &[("REMOVED", 2)],
    );
    assert!(messages[0].contains("acme/widget 7.0.0 "), "{messages:?}");
    attack(
        &mut client,
        "DELETE FROM extension_bundle WHERE size_bytes >= 290;
         DELETE FROM extension_version WHERE version >= '290.0.0' AND version < '3' AND length(version) = 7",
        &[("REMOVED", 20)],
    );
    attack(
        &mut client,
        "DELETE FROM extension_bundle; DELETE FROM extension_version; DELETE FROM extension_registry",
        &[("REMOVED", 600)],
    );
    attack(
        &mut client,
        "UPDATE extension_version SET version = 'x' WHERE version = '7.0.0';
         UPDATE extension_version SET version = '7.0.0' WHERE version = '8.0.0';
         UPDATE extension_version SET version = '8.0.0' WHERE version = 'x'",
        &[("CHANGED", 2)],
    );
    let back_dated = "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at)
         SELECT gen_random_uuid(), id, '0.0.1', 'node@20', 'main', now() - interval '2 days' FROM extension_registry;";
    attack(&mut client, back_dated, &[("NOT_IN_LOG", 1)]);
    attack(
        &mut client,
        &format!("{back_dated} SELECT ext_seal_log()"),
        &[("BACKDATED", 1)],
    );
}

#[test]
fn the_log_itself() {
    let db = sealed();
    let mut client = db.client();
    let exchange = "UPDATE extension_log_leaf SET leaf_index = 100000 WHERE leaf_index = 20;
         UPDATE extension_log_leaf SET leaf_index = 20 WHERE leaf_index = 30;
         UPDATE extension_log_leaf SET leaf_index = 30 WHERE leaf_index = 100000";
    attack(&mut client, exchange, &[("REORDERED", 2)]);
    // Beyond the full tiles only the checkpoint knows.
    attack(
        &mut client,
        &exchange.replace("= 20", "= 520").replace("= 30", "= 530"),
        &[("CHECKPOINT_CHANGED", 1), ("REORDERED", 2)],
    );
    for index in [7, 599] {
        attack(
            &mut client,
            &format!(
                "UPDATE extension_log_leaf SET leaf_hash = sha256('') WHERE leaf_index = {index}"
            ),
            &[("LEAF_CHANGED", 1)],
        );
    }
    attack(
        &mut client,
        "DELETE FROM extension_log_leaf WHERE leaf_index = 7",
        &[("LEAF_CHANGED", 1)],
    );
    // A changed hash is noticed in the tile itself and by the leaves.
    for (tile, count) in [
        (
            "UPDATE extension_log_tile SET hashes = set_byte(hashes, 100, get_byte(hashes, 100) # 1) WHERE index = 1",
            2,
        ),
        (
            "UPDATE extension_log_tile SET root = sha256('') WHERE index = 1",
            1,
        ),
        ("DELETE FROM extension_log_tile WHERE index = 1", 1),
    ] {
        attack(&mut client, tile, &[("TILE_CHANGED", count)]);
    }
    for checkpoint in [
        "UPDATE extension_log_checkpoint SET root = sha256('') WHERE tree_size = 600",
        "UPDATE extension_log_checkpoint SET root = sha256('') WHERE tree_size = 400",
        "UPDATE extension_log_checkpoint SET origin = 'other' WHERE tree_size = 600",
        "UPDATE extension_log_checkpoint SET tree_size = 399 WHERE tree_size = 400",
    ] {
        attack(&mut client, checkpoint, &[("CHECKPOINT_CHANGED", 1)]);
    }
}

/// Row, leaf and tiles are changed together: then the checkpoint says so.
#[test]
fn everything_but_the_checkpoints() {
    let db = sealed();
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(GUARDS_OFF).unwrap();
    transaction
        .batch_execute(
            "UPDATE extension_version SET runtime = 'evil' WHERE version = '7.0.0';
             CREATE TEMPORARY TABLE forged AS
                 SELECT l.leaf_index, f.leaf_hash FROM extension_log_leaf l, ext_version_leaf(l.version_id) f
                 WHERE l.version_id = (SELECT id FROM seven) AND l.bundle_id IS NULL AND f.bundle_id IS NULL;
             UPDATE extension_log_leaf l SET leaf_hash = f.leaf_hash FROM forged f WHERE f.leaf_index = l.leaf_index;
             UPDATE extension_log_tile t SET hashes = overlay(t.hashes PLACING f.leaf_hash FROM (32 * f.leaf_index + 1)::int)
             FROM forged f WHERE t.level = 0 AND t.index = 0",
        )
        .unwrap();
    let (kinds, messages) = findings(&mut transaction);
    assert!(kinds.contains_key("CHECKPOINT_CHANGED"), "{messages:?}");
    transaction.rollback().unwrap();
}

/// The whole log is made anew over forged rows. The server has nothing left to compare with; the checkpoint that an
/// auditor has kept is another one.
#[test]
fn everything_with_all_checkpoints() {
    let db = sealed();
    let mut client = db.client();
    let kept = seal(&mut client);
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(GUARDS_OFF).unwrap();
    transaction
        .batch_execute(
            "UPDATE extension_version SET runtime = 'evil' WHERE version = '7.0.0';
             TRUNCATE extension_log_leaf, extension_log_tile, extension_log_checkpoint, extension_log_signature",
        )
        .unwrap();
    let forged = transaction
        .query_one(
            "SELECT tree_size, root FROM ext_seal_log($1)",
            &[&kept.origin],
        )
        .unwrap();
    assert_eq!(forged.get::<_, i64>(0), kept.size);
    assert_ne!(forged.get::<_, Vec<u8>>(1), kept.root);
    assert_eq!(findings(&mut transaction).0, BTreeMap::new());
    transaction.rollback().unwrap();
    assert_eq!(seal(&mut client).root, kept.root);
}

/// What honest people do raises no alarm.
#[test]
fn a_clean_log_stays_clean() {
    let db = sealed();
    let mut client = db.client();
    attack(&mut client, "", &[]);
    // Not sealed yet.
    publish(&mut client, "1000.0.0");
    attack(&mut client, "", &[]);
    // A dump and its restore.
    let dump = db
        .program("pg_dump")
        .args(["--format=plain", "--no-owner"])
        .output()
        .unwrap();
    assert!(dump.status.success());
    let copy = Server::shared().empty_database();
    copy.client()
        .batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .unwrap();
    let mut restored = copy
        .program("psql")
        .args(["-q", "-v", "ON_ERROR_STOP=1"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut restored.stdin.take().unwrap(), &dump.stdout).unwrap();
    assert!(restored.wait().unwrap().success());
    let mut copied = copy.client();
    attack(&mut copied, "", &[]);
    let (here, there) = (seal(&mut client), seal(&mut copied));
    assert_eq!((here.root, here.size), (there.root, there.size));
    attack(&mut copied, "", &[]);
}

/// With the guards on, no statement changes the log, whoever sends it and in whichever session.
#[test]
fn the_guards_of_the_log() {
    use ext_registry_tests::Refusal;
    let db = sealed();
    let mut client = db.client();
    client
        .batch_execute("SELECT ext_sign_checkpoint(600, 'key AAAAAAAA')")
        .unwrap();
    for role in ["origin", "replica"] {
        client
            .batch_execute(&format!("SET session_replication_role = {role}"))
            .unwrap();
        for (table, column) in [
            ("extension_log_leaf", "leaf_index"),
            ("extension_log_tile", "level"),
            ("extension_log_checkpoint", "tree_size"),
            ("extension_log_signature", "line"),
        ] {
            for (operation, statement) in [
                ("UPDATE", format!("UPDATE {table} SET {column} = {column}")),
                ("DELETE", format!("DELETE FROM {table}")),
                ("TRUNCATE", format!("TRUNCATE {table} CASCADE")),
            ] {
                client
                    .execute(&statement, &[])
                    .refused()
                    .with_sqlstate("23001")
                    .with_code("VERSION_IMMUTABLE")
                    .with_detail("operation", operation);
            }
            client
                .execute(&format!("DELETE FROM {table}"), &[])
                .refused()
                .with_table("public", table)
                .with_constraint(&format!("{table}_immutable"));
        }
    }
}
