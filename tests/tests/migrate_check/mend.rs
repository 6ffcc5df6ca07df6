//! Each damage is named; `up` mends what can be mended by adding, and leaves the rest to people.

use ext_registry_tests::{Database, Server};

use crate::{assert_names, checked, found, migrated_to};

fn up(db: &Database) {
    let _ = db.ext_migrate(&["up", "--without-extension"]).succeeded();
}

#[test]
fn each_guard_removed_or_weakened_is_named_and_mended() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let guards = client
        .query(
            "SELECT tgname::text, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal",
            &[],
        )
        .unwrap();
    assert_eq!(guards.len(), 29);
    for (number, guard) in guards.iter().enumerate() {
        let (name, table): (String, String) = (guard.get(0), guard.get(1));
        let object = format!("{name} on {table}");
        let weaken = ["DISABLE", "ENABLE", "ENABLE REPLICA"][number % 3];
        for (damage, code) in [
            (format!("DROP TRIGGER {name} ON {table}"), "GUARD_MISSING"),
            (
                format!("ALTER TABLE {table} {weaken} TRIGGER {name}"),
                "GUARD_NOT_ALWAYS",
            ),
        ] {
            client.batch_execute(&damage).unwrap();
            let report = checked(&db, 8);
            assert_eq!(
                found(&report),
                [(code.to_owned(), object.clone())],
                "{damage}"
            );
            assert_eq!(report["findings"][0]["mended_by_up"], true);
            up(&db);
            assert_eq!(found(&checked(&db, 0)), []);
        }
    }
}

#[test]
fn what_up_mends() {
    let damages = [
        (
            "DROP FUNCTION extension_bundle_immutable CASCADE",
            "GUARD_FUNCTION_MISSING",
            "extension_bundle_immutable()",
        ),
        (
            "CREATE OR REPLACE FUNCTION extension_version_immutable() RETURNS trigger LANGUAGE plpgsql
             SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NEW; END'",
            "GUARD_FUNCTION_CHANGED",
            "extension_version_immutable()",
        ),
        (
            "DROP FUNCTION extension_log_immutable CASCADE",
            "GUARD_FUNCTION_MISSING",
            "extension_log_immutable()",
        ),
        (
            "CREATE OR REPLACE FUNCTION extension_log_immutable() RETURNS trigger LANGUAGE plpgsql
             SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NEW; END'",
            "GUARD_FUNCTION_CHANGED",
            "extension_log_immutable()",
        ),
        (
            "ALTER FUNCTION extension_bundle_immutable() SECURITY INVOKER",
            "GUARD_FUNCTION_CHANGED",
            "extension_bundle_immutable()",
        ),
        (
            "ALTER FUNCTION extension_bundle_immutable() RESET row_security",
            "GUARD_FUNCTION_CHANGED",
            "extension_bundle_immutable()",
        ),
        (
            "ALTER FUNCTION extension_bundle_immutable() SET search_path = public",
            "GUARD_FUNCTION_CHANGED",
            "extension_bundle_immutable()",
        ),
        (
            "GRANT EXECUTE ON FUNCTION extension_registry_identity_immutable() TO PUBLIC",
            "PUBLIC_RIGHT",
            "extension_registry_identity_immutable()",
        ),
        (
            "DROP INDEX extension_bundle_version_id_unique",
            "INDEX_MISSING",
            "extension_bundle_version_id_unique",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'extension_version_list_idx'::regclass",
            "INDEX_INVALID",
            "extension_version_list_idx",
        ),
        (
            "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_content_hash_check",
            "CONSTRAINT_MISSING",
            "extension_bundle_content_hash_check on extension_bundle",
        ),
        (
            "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_size_bytes_check,
             ADD CONSTRAINT extension_bundle_size_bytes_check CHECK (adopted OR size_bytes >= 0) NOT VALID",
            "CONSTRAINT_NOT_VALID",
            "extension_bundle_size_bytes_check on extension_bundle",
        ),
        (
            "ALTER TABLE extension_version ALTER adopted SET DEFAULT true",
            "DEFAULT_CHANGED",
            "extension_version.adopted",
        ),
        (
            "ALTER TABLE extension_bundle ALTER adopted DROP DEFAULT",
            "DEFAULT_CHANGED",
            "extension_bundle.adopted",
        ),
    ];
    let db = Server::shared().migrated_database();
    for (damage, code, object) in damages {
        db.client().batch_execute(damage).unwrap();
        assert_names(&checked(&db, 8), code, object);
        up(&db);
        assert_eq!(found(&checked(&db, 0)), [], "{damage}");
    }
}

#[test]
fn everything_at_once_is_mended_at_once() {
    let db = Server::shared().migrated_database();
    db.client()
        .batch_execute(
            "DROP INDEX extension_bundle_version_id_unique, extension_version_list_idx, extension_version_release_idx;
             DROP FUNCTION extension_bundle_immutable, extension_version_immutable,
                           extension_registry_identity_immutable CASCADE;
             ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_content_hash_check,
                                          DROP CONSTRAINT extension_bundle_size_bytes_check;
             ALTER TABLE extension_version DROP CONSTRAINT extension_version_created_at_check",
        )
        .unwrap();
    let report = db
        .ext_migrate(&["up", "--without-extension", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(report["mended"].as_array().unwrap().len(), 3 + 3 + 12 + 3);
    assert_eq!(report["left"].as_array().unwrap().len(), 0);
    assert_eq!(found(&checked(&db, 0)), []);
    let comment: Option<String> = db
        .client()
        .query_one(
            "SELECT obj_description('extension_version_immutable'::regproc)",
            &[],
        )
        .unwrap()
        .get(0);
    assert!(comment.is_some(), "the comment of the guard is back too");
}

/// What a person has to decide: `up` leaves it alone and says so.
#[test]
fn what_up_leaves_to_people() {
    let damages = [
        (
            "ALTER TABLE extension_bundle FORCE ROW LEVEL SECURITY",
            "FORCE_ROW_SECURITY",
            "extension_bundle",
        ),
        (
            "CREATE RULE quiet AS ON DELETE TO extension_version DO INSTEAD NOTHING",
            "RULE",
            "quiet on extension_version",
        ),
        (
            "GRANT SELECT ON extension_version TO PUBLIC",
            "PUBLIC_RIGHT",
            "extension_version",
        ),
        (
            "GRANT INSERT ON ext_registry_schema_history TO PUBLIC",
            "PUBLIC_RIGHT",
            "ext_registry_schema_history",
        ),
        (
            "GRANT UPDATE (signature) ON extension_bundle TO PUBLIC",
            "PUBLIC_RIGHT",
            "extension_bundle",
        ),
        (
            "DROP INDEX extension_version_list_idx;
             CREATE INDEX extension_version_list_idx ON extension_version (registry_id)",
            "INDEX_CHANGED",
            "extension_version_list_idx",
        ),
        (
            "ALTER TABLE extension_version DROP CONSTRAINT extension_version_created_at_check,
             ADD CONSTRAINT extension_version_created_at_check CHECK (adopted OR true)",
            "CONSTRAINT_CHANGED",
            "extension_version_created_at_check on extension_version",
        ),
        (
            "ALTER TABLE extension_bundle DISABLE TRIGGER ALL",
            "FOREIGN_KEY_DISABLED",
            "extension_bundle_version_id_fkey on extension_bundle",
        ),
        (
            "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey",
            "FOREIGN_KEY_MISSING",
            "extension_bundle",
        ),
        (
            "ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique",
            "KEY_MISSING",
            "extension_version",
        ),
        (
            "ALTER TABLE extension_version DROP COLUMN assets",
            "COLUMN_MISSING",
            "extension_version",
        ),
        (
            "ALTER TABLE extension_bundle ALTER size_bytes TYPE numeric",
            "COLUMN_TYPE",
            "extension_bundle.size_bytes",
        ),
        (
            "DROP TRIGGER extension_version_immutable ON extension_version;
             CREATE TRIGGER extension_version_immutable BEFORE UPDATE ON extension_version
             FOR EACH ROW EXECUTE FUNCTION extension_version_immutable();
             ALTER TABLE extension_version ENABLE ALWAYS TRIGGER extension_version_immutable",
            "GUARD_CHANGED",
            "extension_version_immutable on extension_version",
        ),
        (
            "DROP TRIGGER extension_registry_identity_immutable ON extension_registry;
             CREATE TRIGGER extension_registry_identity_immutable BEFORE UPDATE ON extension_registry
             FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION extension_registry_identity_immutable();
             ALTER TABLE extension_registry ENABLE ALWAYS TRIGGER extension_registry_identity_immutable",
            "GUARD_CHANGED",
            "extension_registry_identity_immutable on extension_registry",
        ),
        (
            "DROP TRIGGER extension_bundle_immutable_stored ON extension_bundle;
             CREATE TRIGGER extension_bundle_immutable_stored AFTER INSERT ON extension_bundle
             FOR EACH ROW EXECUTE FUNCTION extension_bundle_immutable();
             ALTER TABLE extension_bundle ENABLE ALWAYS TRIGGER extension_bundle_immutable_stored",
            "GUARD_CHANGED",
            "extension_bundle_immutable_stored on extension_bundle",
        ),
    ];
    for (damage, code, object) in damages {
        let db = Server::shared().migrated_database();
        db.client().batch_execute(damage).unwrap();
        assert_names(&checked(&db, 8), code, object);
        let report = db
            .ext_migrate(&["up", "--without-extension", "--format", "json"])
            .succeeded()
            .json();
        assert!(
            report["left"].to_string().contains(code),
            "{damage}: {report}"
        );
        assert_names(&checked(&db, 8), code, object);
    }
}

/// PostgreSQL 18 can keep a foreign key and not look at it any more.
#[test]
fn a_foreign_key_that_is_not_enforced_is_missed() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let version = client.query_one("SELECT current_setting('server_version_num')::integer", &[]);
    if version.unwrap().get::<_, i32>(0) < 180_000 {
        println!("skipped: before PostgreSQL 18 every foreign key is enforced");
        return;
    }
    let alter = |how| {
        format!(
            "ALTER TABLE extension_bundle ALTER CONSTRAINT extension_bundle_version_id_fkey {how}"
        )
    };
    client.batch_execute(&alter("NOT ENFORCED")).unwrap();
    assert_names(&checked(&db, 8), "FOREIGN_KEY_MISSING", "extension_bundle");
    client.batch_execute(&alter("ENFORCED")).unwrap();
    let _ = checked(&db, 0);
}

/// Rows that came in while a constraint was missing keep it from being proven; the guards are mended all the same, and
/// pending migrations run.
#[test]
fn one_repair_that_fails_does_not_keep_the_others_back() {
    let db = migrated_to(11);
    let mut client = db.client();
    client
        .batch_execute(
            "ALTER TABLE extension_version DROP CONSTRAINT extension_version_created_at_check;
             INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'p', 'n');
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at)
             SELECT gen_random_uuid(), id, '1.0.0', 'r@1', 'main', NULL FROM extension_registry;
             DROP TRIGGER extension_bundle_immutable ON extension_bundle;
             ALTER TABLE extension_version DISABLE TRIGGER extension_version_immutable",
        )
        .unwrap();
    // No run can ever mend that: the row is final. So it ends no run either, and says so each time.
    for _ in 0..2 {
        let up = db.ext_migrate(&["up", "--without-extension"]).succeeded();
        assert!(up.stdout.contains("23514"), "{up:?}");
    }
    assert_eq!(
        found(&checked(&db, 8)),
        [(
            "CONSTRAINT_NOT_VALID".to_owned(),
            "extension_version_created_at_check on extension_version".to_owned()
        )]
    );
}
