//! Versions that are there twice, marks, names and times that no leaf holds: each is a finding.

use std::collections::BTreeMap;

use ext_registry_tests::{Database, Refusal, Server, publish};
use postgres::{Client, Transaction};

use crate::world::{publish_many, seal, try_seal};

/// 300 versions and their bundles, sealed in two steps: two full tiles, a partial one, two checkpoints. Version 900.0.0
/// waits for its seal.
pub fn sealed() -> Database<'static> {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 200);
    seal(&mut client);
    publish_many(&mut client, 200, 100);
    seal(&mut client);
    publish(&mut client, "900.0.0");
    db
}

/// What only the owner of the tables can do, for the rest of the transaction.
pub const GUARDS_OFF: &str = "
    SET LOCAL session_replication_role = replica;
    ALTER TABLE extension_registry DISABLE TRIGGER ALL;
    ALTER TABLE extension_version DISABLE TRIGGER ALL;
    ALTER TABLE extension_bundle DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_leaf DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_tile DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_checkpoint DISABLE TRIGGER ALL;
    ALTER TABLE extension_log_signature DISABLE TRIGGER ALL;";

pub const CHECKS_OFF: &str = "
    DO $$
    DECLARE command text;
    BEGIN
        FOR command IN
            SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname)
            FROM pg_constraint k
            WHERE k.contype = 'c' AND k.conrelid::regclass::text LIKE 'extension_log%'
        LOOP
            EXECUTE command;
        END LOOP;
    END $$;";

/// How often each kind is found, and all messages.
pub fn found(transaction: &mut Transaction<'_>) -> (BTreeMap<String, usize>, Vec<String>) {
    let rows = transaction
        .query("SELECT finding, message FROM ext_verify_log()", &[])
        .unwrap();
    let mut kinds = BTreeMap::new();
    for row in &rows {
        *kinds.entry(row.get(0)).or_default() += 1;
    }
    (kinds, rows.iter().map(|row| row.get(1)).collect())
}

/// What is said of an attack.
pub struct Said {
    /// By the verification, one in a line.
    pub messages: String,
    /// By the next seal: how much it has appended, or why it has not.
    pub sealed: Result<i64, String>,
}

/// Attacks in a transaction that is rolled back.
#[track_caller]
pub fn attack(client: &mut Client, statements: &str, expected: &[(&str, usize)]) -> Said {
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(GUARDS_OFF).unwrap();
    transaction
        .batch_execute(statements)
        .unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    let (kinds, messages) = found(&mut transaction);
    let expected: BTreeMap<String, usize> = expected
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count))
        .collect();
    assert_eq!(kinds, expected, "{statements}: {messages:#?}");
    let sealed = match try_seal(&mut transaction) {
        Ok(sealed) => Ok(sealed.appended),
        Err(error) => {
            let refused = Err::<(), _>(error).refused();
            let refused = refused.with_sqlstate("XX001").with_code("LOG_DAMAGED");
            Err(refused.message)
        }
    };
    transaction.rollback().unwrap();
    let messages = messages.join("\n");
    Said { messages, sealed }
}

#[test]
fn a_version_that_is_there_twice() {
    let db = sealed();
    let mut client = db.client();
    let version = "INSERT INTO extension_version
             (id, registry_id, version, runtime, main_entry, api, api_endpoints, capabilities, created_at)
         SELECT gen_random_uuid(), {entry}, version, runtime, main_entry, api, api_endpoints, capabilities, now()
         FROM extension_version WHERE version = '7.0.0';";
    let same_entry = format!(
        "ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique; {}",
        version.replace("{entry}", "registry_id")
    );
    let same_name = format!(
        "ALTER TABLE extension_registry DROP CONSTRAINT extension_registry_publisher_name_unique;
         INSERT INTO extension_registry (id, publisher, name)
         VALUES ('00000000-0000-0000-0000-00000000000e', 'acme', 'widget'); {}",
        version.replace("{entry}", "'00000000-0000-0000-0000-00000000000e'")
    );
    for sealed in ["", "SELECT ext_seal_log()"] {
        for attacked in [&same_entry, &same_name] {
            let Said { messages, .. } = attack(
                &mut client,
                &format!("{attacked} {sealed}"),
                &[("SEALED_TWICE", 2)],
            );
            assert_eq!(
                messages
                    .matches("acme/widget 7.0.0 is there more than once")
                    .count(),
                2
            );
        }
    }
    // One row in two leaves: both hashes are right.
    let Said { messages, .. } = attack(
        &mut client,
        "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_version_id_bundle_id_unique;
         DELETE FROM extension_log_leaf WHERE leaf_index >= 600;
         INSERT INTO extension_log_leaf (leaf_index, version_id, bundle_id, label, leaf_hash)
         SELECT 1000, version_id, bundle_id, label, leaf_hash FROM extension_log_leaf WHERE leaf_index = 14",
        &[("LEAF_CHANGED", 1), ("REORDERED", 1), ("SEALED_TWICE", 1)],
    );
    assert!(
        messages.contains("is in the log more than once"),
        "{messages}"
    );
}

/// The list shows the bundle that is not marked as adopted, else the newest: neither of these changes a leaf.
#[test]
fn a_second_bundle_and_a_mark_that_was_cleared() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let entry = "00000000-0000-0000-0000-00000000000e";
    let old = format!(
        "{GUARDS_OFF}
         INSERT INTO extension_registry (id, publisher, name) VALUES ('{entry}', 'acme', 'widget');
         INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at, adopted)
         VALUES ('00000000-0000-0000-0000-0000000000a0', '{entry}', '0.1.0', 'node@1', 'main', NULL, true);
         INSERT INTO extension_bundle (id, version_id, content_hash, created_at, adopted)
         VALUES ('00000000-0000-0000-0000-0000000000b0', '00000000-0000-0000-0000-0000000000a0', 'sha256:' || repeat('1', 64), '2020-01-01', true),
                ('00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-0000000000a0', 'sha256:' || repeat('2', 64), '2020-01-02', true);"
    );
    client
        .batch_execute(&format!("BEGIN; {old} COMMIT"))
        .unwrap();
    seal(&mut client);
    attack(&mut client, "", &[]);
    let Said { messages, .. } = attack(
        &mut client,
        "UPDATE extension_bundle SET adopted = false WHERE content_hash = 'sha256:' || repeat('1', 64)",
        &[("SEALED_TWICE", 1)],
    );
    assert!(
        messages.contains(
            "bundle 00000000-0000-0000-0000-0000000000b0 of acme/widget 0.1.0 is not the only one"
        ),
        "{messages}"
    );
    let second = |adopted| {
        format!(
            "INSERT INTO extension_bundle (id, version_id, content_hash, created_at, adopted)
             VALUES ('00000000-0000-0000-0000-0000000000b2', '00000000-0000-0000-0000-0000000000a0', 'sha256:' || repeat('3', 64), now(), {adopted});"
        )
    };
    attack(&mut client, &second("false"), &[("SEALED_TWICE", 1)]);
    // One that is marked is found once it is sealed, or as NOT_IN_LOG when it says that it is old.
    attack(&mut client, &second("true"), &[]);
    let Said { messages, .. } = attack(
        &mut client,
        &format!("{} SELECT ext_seal_log()", second("true")),
        &[("SEALED_TWICE", 1)],
    );
    assert!(
        messages.contains("bundle 00000000-0000-0000-0000-0000000000b2 of acme/widget 0.1.0 was sealed after another"),
        "{messages}"
    );
    attack(
        &mut client,
        &format!(
            "{} SELECT ext_seal_log()",
            second("true").replace("now()", "NULL")
        ),
        &[("SEALED_TWICE", 1)],
    );
}

/// The leaf of a bundle names its version, by which receipts find it; the hash is of the bundle's own.
#[test]
fn a_leaf_that_names_another_version() {
    let db = sealed();
    let mut client = db.client();
    attack(
        &mut client,
        "UPDATE extension_log_leaf SET version_id = (SELECT id FROM extension_version WHERE version = '8.0.0')
         WHERE bundle_id = (SELECT b.id FROM extension_bundle b JOIN extension_version v ON v.id = b.version_id
                            WHERE v.version = '7.0.0')",
        // The bundle itself is in no leaf then, and waits; that version seems to have two.
        &[("LEAF_CHANGED", 1)],
    );
}

/// The time of a checkpoint is in no hash. Set back, it would let a row pass that says it is old.
#[test]
fn a_checkpoint_whose_time_was_set_back() {
    let db = sealed();
    let mut client = db.client();
    let back_dated = "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at)
         SELECT gen_random_uuid(), id, '0.0.1', 'node@20', 'main', now() - interval '2 days' FROM extension_registry;";
    for (set_back, count) in [
        (
            "UPDATE extension_log_checkpoint SET sealed_at = sealed_at - interval '3 days'",
            2,
        ),
        (
            "UPDATE extension_log_checkpoint SET sealed_at = '-infinity'",
            2,
        ),
        (
            "UPDATE extension_log_checkpoint SET sealed_at = 'infinity'",
            2,
        ),
        (
            "UPDATE extension_log_checkpoint SET sealed_at = sealed_at - interval '3 days' WHERE tree_size = 600",
            1,
        ),
    ] {
        let mut transaction = client.transaction().unwrap();
        transaction
            .batch_execute(&format!(
                "{GUARDS_OFF} {CHECKS_OFF} {set_back}; {back_dated}"
            ))
            .unwrap();
        let (kinds, messages) = found(&mut transaction);
        assert_eq!(
            kinds.get("CHECKPOINT_CHANGED"),
            Some(&count),
            "{messages:?}"
        );
        transaction.rollback().unwrap();
    }
    // A version without a time says that it was there before the log.
    let Said { messages, .. } = attack(
        &mut client,
        "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at, adopted)
         SELECT gen_random_uuid(), id, '0.0.1', 'node@20', 'main', NULL, true FROM extension_registry;
         SELECT ext_seal_log()",
        &[("BACKDATED", 1)],
    );
    assert!(messages.contains("acme/widget 0.0.1"), "{messages}");
}

/// A reader in an open transaction that has a number, and so sees each query's own snapshot.
#[test]
fn a_reader_keeps_no_sealer_out() {
    let db = sealed();
    let mut admin = db.client();
    let role = db.create_role("auditor");
    admin
        .batch_execute(&format!(
            "GRANT EXECUTE ON FUNCTION ext_verify_log TO {role}"
        ))
        .unwrap();
    let mut reader = db.client_as(&role);
    let mut reading = reader.transaction().unwrap();
    reading
        .batch_execute("SELECT pg_current_xact_id(); SELECT * FROM ext_verify_log()")
        .unwrap();
    admin.batch_execute("SET lock_timeout = '1s'").unwrap();
    assert_eq!(seal(&mut admin).appended, 2);
    publish(&mut admin, "901.0.0");
    assert_eq!(seal(&mut admin).appended, 2);
    let rows = reading
        .query("SELECT * FROM ext_verify_log()", &[])
        .unwrap();
    assert!(rows.is_empty());
}

/// Seals that come between the queries of a verification are no finding.
#[test]
fn sealing_meanwhile_is_no_finding() {
    let rounds = ext_registry_tests::soak_size("VERIFICATIONS", 10, 200);
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 300);
    seal(&mut client);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut sealer = db.client();
            for number in 1000.. {
                publish_many(&mut sealer, number, 1);
                seal(&mut sealer);
                if done.load(std::sync::atomic::Ordering::SeqCst) {
                    break;
                }
            }
        });
        for _ in 0..rounds {
            let mut transaction = client.transaction().unwrap();
            transaction
                .batch_execute("SELECT pg_current_xact_id()")
                .unwrap();
            let (kinds, messages) = found(&mut transaction);
            done.store(!kinds.is_empty(), std::sync::atomic::Ordering::SeqCst);
            assert!(kinds.is_empty(), "{messages:?}");
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}
