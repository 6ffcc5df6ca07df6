//! What does not fit is refused before anything happens, naming all of it.

use ext_registry_tests::old_schema::{TABLES, old_schema};
use ext_registry_tests::{Database, Refusal, Server, finalize, hash, manifest, publish};

use crate::json_of;

/// What does not fit, what `up` must name, and how `plan` classifies it.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "DROP TABLE tenant_extension_install",
        &["TABLE_MISSING", "tenant_extension_install"],
    ),
    (
        "DROP TABLE extension_bundle; ALTER TABLE tenant_extension_install RENAME TO installs",
        &["TABLE_MISSING", "extension_bundle, tenant_extension_install"],
    ),
    (
        "ALTER TABLE tenant_extension_install RENAME is_enabled TO enabled;
         ALTER TABLE tenant_extension_install RENAME created_at TO installed_at;
         ALTER TABLE tenant_extension_install DROP status, DROP updated_at",
        &["OLDER_SCHEMA", "tenant_extension_install", "one step older"],
    ),
    (
        "ALTER TABLE extension_bundle RENAME TO bundles;
         CREATE VIEW extension_bundle AS SELECT * FROM bundles",
        &["NOT_A_TABLE", "extension_bundle", "is a view"],
    ),
    (
        "ALTER TABLE extension_registry RENAME TO entries;
         CREATE TABLE extension_registry (id uuid, publisher text) PARTITION BY HASH (id)",
        &["NOT_A_TABLE", "extension_registry", "is a partitioned table"],
    ),
    (
        "ALTER TABLE extension_bundle ALTER version_id DROP NOT NULL, DROP content_hash",
        &["COLUMN_NULLABLE", "extension_bundle.version_id", "no column content_hash"],
    ),
    (
        "ALTER TABLE extension_bundle ALTER size_bytes TYPE integer",
        &["COLUMN_TYPE", "extension_bundle.size_bytes", "is integer instead of bigint"],
    ),
    (
        "ALTER TABLE extension_version ALTER created_at TYPE timestamp",
        &["COLUMN_TYPE", "extension_version.created_at"],
    ),
    (
        "ALTER TABLE extension_version ADD adopted text",
        &["NAME_TAKEN", "extension_version.adopted"],
    ),
    (
        "ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique",
        &["KEY_MISSING", "extension_version", "(registry_id, version)"],
    ),
    (
        "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_content_hash_unique,
         ADD UNIQUE (version_id, content_hash) DEFERRABLE",
        &["KEY_MISSING", "extension_bundle"],
    ),
    (
        "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey",
        &["FOREIGN_KEY_MISSING", "extension_bundle"],
    ),
    (
        "CREATE TABLE old_bundles () INHERITS (extension_bundle)",
        &["INHERITED", "extension_bundle", "old_bundles"],
    ),
    (
        "ALTER TABLE tenant_extension_install SET UNLOGGED",
        &["NOT_LOGGED", "tenant_extension_install"],
    ),
    (
        "ALTER TABLE extension_bundle FORCE ROW LEVEL SECURITY",
        &["FORCE_ROW_SECURITY", "extension_bundle"],
    ),
    (
        "CREATE RULE keep AS ON DELETE TO extension_version DO INSTEAD NOTHING",
        &["RULE", "keep on extension_version"],
    ),
    (
        "ALTER TABLE extension_version ALTER CONSTRAINT extension_version_registry_id_fkey DEFERRABLE INITIALLY DEFERRED",
        &["DEFERRED_CHECK", "extension_version_registry_id_fkey on extension_version"],
    ),
    (
        "CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE ON extension_registry INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION later()",
        &["DEFERRED_CHECK", "audit on extension_registry"],
    ),
    (
        "CREATE INDEX extension_version_list_idx ON extension_version (created_at)",
        &["NAME_TAKEN", "extension_version_list_idx"],
    ),
    (
        "CREATE FUNCTION extension_bundle_immutable() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        &["NAME_TAKEN", "extension_bundle_immutable()"],
    ),
    (
        "CREATE FUNCTION ext_list_versions(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        &["NAME_TAKEN", "ext_list_versions(integer)"],
    ),
    (
        "ALTER TABLE extension_bundle ADD CONSTRAINT extension_bundle_size_bytes_check CHECK (size_bytes > -2)",
        &["NAME_TAKEN", "extension_bundle_size_bytes_check on extension_bundle"],
    ),
];

#[test]
fn what_does_not_fit_is_refused_before_anything_happens() {
    for (misfit, words) in REFUSED {
        let db = Server::shared().empty_database();
        let mut client = db.client();
        client.batch_execute(&old_schema(&[])).unwrap();
        client.batch_execute(misfit).unwrap();
        let before = dump(&db);
        let refused = db.ext_migrate(&["up"]).exited(1);
        let plan = db.ext_migrate(&["plan"]).exited(1);
        for (number, word) in words.iter().enumerate() {
            // The code stands in plan and JSON alone.
            assert!(
                number == 0 || refused.stderr.contains(word),
                "{word}: {refused:?}"
            );
            assert!(plan.stdout.contains(word), "{word}: {plan:?}");
        }
        assert_eq!(json_of(&db, "plan", &[], 1)["state"], "refused");
        assert_eq!(dump(&db), before, "{misfit}");
    }
}

/// Keys as some object-relational mappers make them. Those of tables that publishing does not write may stay.
#[test]
fn foreign_keys_that_are_checked_at_commit_are_refused_until_they_are_mended() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    let sql = old_schema(&[(
        "REFERENCES extension_version (id) ON DELETE CASCADE",
        "REFERENCES extension_version (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
    )]);
    client.batch_execute(&sql).unwrap();
    client
        .batch_execute(
            "ALTER TABLE tenant_extension_install
             ALTER CONSTRAINT tenant_extension_install_version_id_fkey DEFERRABLE INITIALLY DEFERRED",
        )
        .unwrap();
    for command in ["plan", "check"] {
        let code = if command == "check" { 8 } else { 1 };
        let report = json_of(&db, command, &[], code);
        let list = if command == "check" {
            "findings"
        } else {
            "refusals"
        };
        let findings = report[list].as_array().unwrap();
        let found = findings.iter().find(|f| f["code"] == "DEFERRED_CHECK");
        let mend = found.unwrap()["mend"].as_str().unwrap();
        assert_eq!(
            mend,
            "ALTER TABLE \"public\".\"extension_bundle\" \
             ALTER CONSTRAINT \"extension_bundle_version_id_fkey\" NOT DEFERRABLE"
        );
    }
    let refused = json_of(&db, "plan", &[], 1)["refusals"].clone();
    assert_eq!(refused.as_array().unwrap().len(), 1, "{refused}");
    let _ = db.ext_migrate(&["up"]).exited(1);

    let mend = refused[0]["mend"].as_str().unwrap();
    client.batch_execute(mend).unwrap();
    let _ = db.ext_migrate(&["up"]).succeeded();
    publish(&mut client, "1.0.0");

    // Deferred later on, it is drift that a person has to mend, and for the reason given.
    client
        .batch_execute(
            "ALTER TABLE extension_bundle
             ALTER CONSTRAINT extension_bundle_version_id_fkey DEFERRABLE INITIALLY DEFERRED",
        )
        .unwrap();
    let report = json_of(&db, "check", &[], 8);
    assert_eq!(report["findings"][0]["code"], "DEFERRED_CHECK", "{report}");
    finalize(&mut client, &manifest("2.0.0"), &hash(2))
        .refused()
        .with_sqlstate("42501");
    client.batch_execute(mend).unwrap();
    publish(&mut client, "2.0.0");
}

#[test]
fn all_that_does_not_fit_is_named_at_once() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    let other = db.create_role("other");
    client.batch_execute(&old_schema(&[])).unwrap();
    client
        .batch_execute(&format!(
            "ALTER TABLE extension_registry OWNER TO {other};
             ALTER TABLE extension_bundle SET UNLOGGED, DROP CONSTRAINT extension_bundle_version_id_fkey;
             CREATE RULE keep AS ON DELETE TO extension_version DO INSTEAD NOTHING"
        ))
        .unwrap();
    let report = db.ext_migrate(&["up", "--format", "json"]).exited(1).json();
    let reasons = report["error"]["reasons"].to_string();
    for word in [
        "owned differently",
        &other,
        "is not logged",
        "no foreign key",
        "a rule rewrites",
    ] {
        assert!(reasons.contains(word), "{word}: {reasons}");
    }
}

#[test]
fn an_owner_that_an_extension_script_cannot_carry_ends_with_2() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    let owner = format!("{}_o'wner", db.name());
    client
        .batch_execute(&format!(r#"CREATE ROLE "{owner}""#))
        .unwrap();
    for table in TABLES {
        client
            .batch_execute(&format!(r#"ALTER TABLE {table} OWNER TO "{owner}""#))
            .unwrap();
    }
    let before = dump(&db);
    let refused = db.ext_migrate(&["up", "--without-extension"]).exited(2);
    assert!(refused.stderr.contains("o'wner"), "{refused:?}");
    let _ = db.ext_migrate(&["plan"]).exited(2);
    assert_eq!(dump(&db), before);
}

#[test]
fn an_owner_who_may_not_create_in_the_schema_is_told_so() {
    let db = Server::shared().empty_database();
    let owner = db.create_role("owner");
    let mut client = db.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    for table in TABLES {
        client
            .batch_execute(&format!("ALTER TABLE {table} OWNER TO {owner}"))
            .unwrap();
    }
    let refused = db.ext_migrate(&["up", "--without-extension"]).exited(1);
    assert!(
        refused.stderr.contains("may not create in schema"),
        "{refused:?}"
    );
    client
        .batch_execute(&format!("GRANT CREATE ON SCHEMA public TO {owner}"))
        .unwrap();
    let _ = db.ext_migrate(&["up", "--without-extension"]).succeeded();
}

/// The definitions of everything in the database.
fn dump(db: &Database) -> String {
    let output = db.program("pg_dump").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Newer releases of pg_dump fence their output with a word made up for each run.
    let lines = text.lines().filter(|line| !line.starts_with('\\'));
    lines.collect::<Vec<_>>().join("\n")
}
