//! What makes each code appear; those of Citus appear in its own tests. A code without a case here fails the last test.

use std::collections::BTreeSet;

use ext_migrate::wanted::Level;
use ext_migrate::wanted::code::ROWS;
use ext_registry_tests::old_schema::old_schema;
use ext_registry_tests::{Database, Server, built_with_icu};
use serde_json::Value;

use crate::{assert_names, found, migrated_to};

/// What there is before the damage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Empty,
    Old,
    HalfWay,
    Migrated,
}

use Start::{Empty, HalfWay, Migrated, Old};

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mend {
    /// `up` puts it right.
    Up,
    /// `up` leaves it, or refuses.
    People,
    /// The mend that is printed puts it right.
    Printed,
}

use Mend::{People, Printed, Up};

const CASES: &[(Start, &str, &str, &str, Mend)] = &[
    (Empty, "", "NOT_MIGRATED", "public", Up),
    (
        HalfWay,
        "",
        "MIGRATION_PENDING",
        "V12__log.sql",
        Up,
    ),
    (
        Migrated,
        "UPDATE ext_registry_schema_history SET checksum = '1' WHERE version = 1",
        "HISTORY_DISAGREES",
        "ext_registry_schema_history",
        People,
    ),
    (
        Migrated,
        "TRUNCATE ext_registry_schema_history",
        "HISTORY_LOST",
        "ext_registry_schema_history",
        Up,
    ),
    (
        Migrated,
        "DROP TRIGGER extension_version_immutable ON extension_version",
        "GUARD_MISSING",
        "extension_version_immutable on extension_version",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_version DISABLE TRIGGER extension_version_immutable",
        "GUARD_NOT_ALWAYS",
        "extension_version_immutable on extension_version",
        Up,
    ),
    // An operator of somebody's is printed like PostgreSQL's own.
    (
        Migrated,
        "CREATE SCHEMA other;
         CREATE FUNCTION other.no(boolean, boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
         CREATE OPERATOR other.= (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = other.no);
         ALTER TABLE extension_log_leaf ADD CONSTRAINT odd CHECK ((bundle_id IS NULL) OPERATOR(other.=) true)",
        "NOT_OURS",
        "odd on extension_log_leaf",
        Printed,
    ),
    (
        Migrated,
        "DROP TRIGGER extension_bundle_immutable_insert ON extension_bundle;
         CREATE SCHEMA other;
         CREATE FUNCTION other.no(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
         CREATE OPERATOR other.= (LEFTARG = text, RIGHTARG = text, FUNCTION = other.no);
         SET search_path = other, public, pg_catalog;
         CREATE TRIGGER extension_bundle_immutable_insert BEFORE INSERT ON extension_bundle
         FOR EACH ROW WHEN ((current_setting('ext_registry.finalizing', true) = 'on') IS NOT TRUE)
         EXECUTE FUNCTION extension_bundle_immutable();
         ALTER TABLE extension_bundle ENABLE ALWAYS TRIGGER extension_bundle_immutable_insert",
        "GUARD_CHANGED",
        "extension_bundle_immutable_insert on extension_bundle",
        People,
    ),
    (
        Migrated,
        "DROP FUNCTION extension_log_immutable CASCADE",
        "GUARD_FUNCTION_MISSING",
        "extension_log_immutable()",
        Up,
    ),
    (
        Migrated,
        "ALTER FUNCTION extension_log_immutable() SECURITY DEFINER",
        "GUARD_FUNCTION_CHANGED",
        "extension_log_immutable()",
        Up,
    ),
    (
        Migrated,
        "ALTER FUNCTION extension_log_immutable() OWNER TO pg_monitor",
        "GUARD_FUNCTION_OWNER",
        "extension_log_immutable()",
        Printed,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_checkpoint ALTER sealed_at DROP DEFAULT",
        "DEFAULT_CHANGED",
        "extension_log_checkpoint.sealed_at",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_checkpoint ALTER sealed_at SET DEFAULT '2020-01-01'",
        "DEFAULT_CHANGED",
        "extension_log_checkpoint.sealed_at",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_version ALTER created_at SET DEFAULT '2020-01-01'",
        "DEFAULT_CHANGED",
        "extension_version.created_at",
        Printed,
    ),
    (
        Migrated,
        "DROP INDEX extension_version_list_idx",
        "INDEX_MISSING",
        "extension_version_list_idx",
        Up,
    ),
    (
        Migrated,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'extension_version_list_idx'::regclass",
        "INDEX_INVALID",
        "extension_version_list_idx",
        Up,
    ),
    (
        Migrated,
        "DROP INDEX extension_version_list_idx; CREATE INDEX extension_version_list_idx ON extension_version (version)",
        "INDEX_CHANGED",
        "extension_version_list_idx",
        People,
    ),
    (
        Migrated,
        "CREATE UNIQUE INDEX mine ON extension_version (registry_id, version)",
        "INDEX_TWICE",
        "mine",
        Printed,
    ),
    (
        Migrated,
        "CREATE INDEX extension_version_list_idx_ccnew ON extension_version (id);
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'extension_version_list_idx_ccnew'::regclass",
        "INDEX_LEFT_OVER",
        "extension_version_list_idx_ccnew",
        Printed,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_leaf_hash_check",
        "CONSTRAINT_MISSING",
        "extension_log_leaf_leaf_hash_check on extension_log_leaf",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_leaf_hash_check;
         ALTER TABLE extension_log_leaf ADD CONSTRAINT extension_log_leaf_leaf_hash_check
            CHECK (octet_length(leaf_hash) = 32) NOT VALID",
        "CONSTRAINT_NOT_VALID",
        "extension_log_leaf_leaf_hash_check on extension_log_leaf",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_leaf_hash_check;
         ALTER TABLE extension_log_leaf ADD CONSTRAINT extension_log_leaf_leaf_hash_check CHECK (true)",
        "CONSTRAINT_CHANGED",
        "extension_log_leaf_leaf_hash_check on extension_log_leaf",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_bundle ADD CONSTRAINT mine CHECK (adopted OR size_bytes >= 0)",
        "CONSTRAINT_TWICE",
        "mine on extension_bundle",
        Printed,
    ),
    (
        Migrated,
        "ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique",
        "KEY_MISSING",
        "extension_version",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_version_id_bundle_id_unique",
        "KEY_MISSING",
        "extension_log_leaf_version_id_bundle_id_unique on extension_log_leaf",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_version_id_bundle_id_unique;
         ALTER TABLE extension_log_leaf ADD CONSTRAINT extension_log_leaf_version_id_bundle_id_unique
            UNIQUE (version_id, bundle_id)",
        "CONSTRAINT_CHANGED",
        "extension_log_leaf_version_id_bundle_id_unique on extension_log_leaf",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique;
         CREATE UNIQUE INDEX mine ON extension_version (registry_id, version)",
        "KEY_WITHOUT_CONSTRAINT",
        "mine on extension_version",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey",
        "FOREIGN_KEY_MISSING",
        "extension_bundle",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_signature DROP CONSTRAINT extension_log_signature_tree_size_fkey",
        "FOREIGN_KEY_MISSING",
        "extension_log_signature_tree_size_fkey on extension_log_signature",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_bundle DISABLE TRIGGER ALL",
        "FOREIGN_KEY_DISABLED",
        "extension_bundle_version_id_fkey on extension_bundle",
        People,
    ),
    (
        Migrated,
        "SET session_replication_role = replica;
         INSERT INTO extension_bundle (id, version_id, content_hash)
         VALUES (gen_random_uuid(), gen_random_uuid(), 'sha256:' || repeat('0', 64))",
        "ROWS_ORPHANED",
        "extension_bundle.version_id",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf DROP COLUMN label",
        "COLUMN_MISSING",
        "extension_log_leaf",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf ALTER label TYPE varchar(10)",
        "COLUMN_TYPE",
        "extension_log_leaf.label",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_log_leaf ALTER leaf_hash DROP NOT NULL",
        "COLUMN_NULLABLE",
        "extension_log_leaf.leaf_hash",
        Up,
    ),
    (
        Migrated,
        "ALTER TABLE extension_version ALTER registry_id DROP NOT NULL",
        "COLUMN_NULLABLE",
        "extension_version.registry_id",
        Printed,
    ),
    (
        Migrated,
        "ALTER TABLE extension_version DROP COLUMN main_entry;
         ALTER TABLE extension_version ADD COLUMN main_entry varchar(255) GENERATED ALWAYS AS (runtime) STORED",
        "COLUMN_GENERATED",
        "extension_version.main_entry",
        People,
    ),
    (
        Old,
        "CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         ALTER TABLE extension_version ALTER version TYPE varchar(255) COLLATE anycase",
        "COLUMN_COLLATION",
        "extension_version.version",
        Printed,
    ),
    (
        Migrated,
        "ALTER TABLE extension_version ADD COLUMN team text NOT NULL;
         ALTER TABLE extension_version ADD COLUMN number bigint GENERATED BY DEFAULT AS IDENTITY",
        "COLUMN_REQUIRED",
        "extension_version.team",
        People,
    ),
    (
        Migrated,
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER touch BEFORE INSERT ON extension_log_leaf FOR EACH ROW EXECUTE FUNCTION touch()",
        "NOT_OURS",
        "touch on extension_log_leaf",
        Printed,
    ),
    (
        Migrated,
        "DROP TABLE extension_log_tile",
        "TABLE_MISSING",
        "extension_log_tile",
        People,
    ),
    (
        Old,
        "ALTER TABLE tenant_extension_install RENAME is_enabled TO enabled",
        "OLDER_SCHEMA",
        "tenant_extension_install",
        People,
    ),
    (
        Old,
        "ALTER TABLE extension_bundle RENAME TO bundles; CREATE VIEW extension_bundle AS SELECT * FROM bundles",
        "NOT_A_TABLE",
        "extension_bundle",
        People,
    ),
    (
        Empty,
        "CREATE TYPE entry AS (id uuid); CREATE TABLE extension_registry OF entry",
        "TYPED_TABLE",
        "extension_registry",
        People,
    ),
    (
        Old,
        "ALTER TABLE tenant_extension_install SET UNLOGGED",
        "NOT_LOGGED",
        "tenant_extension_install",
        Printed,
    ),
    (
        Migrated,
        "CREATE TABLE heir () INHERITS (extension_bundle)",
        "INHERITED",
        "extension_bundle",
        Printed,
    ),
    (
        Migrated,
        "CREATE TABLE parent (LIKE extension_bundle); ALTER TABLE extension_bundle INHERIT parent",
        "INHERITS",
        "extension_bundle",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_bundle OWNER TO pg_monitor",
        "OWNERS_DIFFER",
        "public",
        People,
    ),
    (
        Old,
        "CREATE FUNCTION extension_log_immutable() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "NAME_TAKEN",
        "extension_log_immutable()",
        People,
    ),
    (
        Empty,
        "CREATE SCHEMA other; CREATE TABLE other.ext_registry_schema_history (version int)",
        "SECOND_SCHEMA",
        "other",
        People,
    ),
    (
        Empty,
        "CREATE SCHEMA other; CREATE EXTENSION ext_registry SCHEMA other",
        "EXTENSION_ELSEWHERE",
        "ext_registry",
        Printed,
    ),
    (
        Migrated,
        "ALTER TABLE extension_bundle FORCE ROW LEVEL SECURITY",
        "FORCE_ROW_SECURITY",
        "extension_bundle",
        Printed,
    ),
    (
        Migrated,
        "ALTER TABLE extension_bundle ENABLE ROW LEVEL SECURITY",
        "ROW_SECURITY",
        "extension_bundle",
        People,
    ),
    (
        Migrated,
        "ALTER TABLE extension_bundle ALTER CONSTRAINT extension_bundle_version_id_fkey DEFERRABLE INITIALLY DEFERRED",
        "DEFERRED_CHECK",
        "extension_bundle_version_id_fkey on extension_bundle",
        Printed,
    ),
    (
        Migrated,
        "CREATE RULE quiet AS ON DELETE TO extension_log_leaf DO INSTEAD NOTHING",
        "RULE",
        "quiet on extension_log_leaf",
        Printed,
    ),
    (
        Migrated,
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER touch BEFORE INSERT ON extension_bundle FOR EACH ROW EXECUTE FUNCTION touch()",
        "FOREIGN_TRIGGER",
        "touch on extension_bundle",
        People,
    ),
    (
        Migrated,
        "GRANT TRIGGER ON extension_bundle TO pg_monitor",
        "TRIGGER_RIGHT",
        "\"pg_monitor\" on extension_bundle",
        Printed,
    ),
    (
        Migrated,
        "GRANT SELECT ON extension_log_leaf TO PUBLIC",
        "PUBLIC_RIGHT",
        "extension_log_leaf",
        Printed,
    ),
    (
        Migrated,
        "GRANT EXECUTE ON FUNCTION ext_seal_log TO PUBLIC",
        "PUBLIC_RIGHT",
        "ext_seal_log(text)",
        Up,
    ),
    (
        Migrated,
        "DROP EXTENSION ext_registry",
        "EXTENSION_MISSING",
        "ext_registry",
        Up,
    ),
    (
        Migrated,
        "ALTER EXTENSION ext_registry DROP FUNCTION ext_seal_log(text); DROP FUNCTION ext_seal_log(text)",
        "EXTENSION_FUNCTION_MISSING",
        "ext_seal_log(text)",
        Up,
    ),
    (
        Migrated,
        "ALTER EXTENSION ext_registry DROP FUNCTION ext_seal_log(text)",
        "EXTENSION_FUNCTION_CHANGED",
        "ext_seal_log(text)",
        Printed,
    ),
    (
        Migrated,
        "ALTER FUNCTION ext_finalize_version SECURITY DEFINER",
        "EXTENSION_FUNCTION_CHANGED",
        "ext_finalize_version(jsonb, text, text, text, bigint)",
        Up,
    ),
    (
        Migrated,
        "ALTER FUNCTION ext_list_versions SET search_path = public",
        "EXTENSION_FUNCTION_CHANGED",
        "ext_list_versions(uuid, text)",
        Up,
    ),
    (
        Migrated,
        "CREATE OR REPLACE FUNCTION ext_extension_id(publisher text, name text) RETURNS uuid
         LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT NULL::uuid'",
        "EXTENSION_FUNCTION_CHANGED",
        "ext_extension_id(text, text)",
        Up,
    ),
    // Files of other releases than the database has.
    (
        Migrated,
        "UPDATE pg_extension SET extversion = '1.1.0' WHERE extname = 'ext_registry'",
        "EXTENSION_OUTDATED",
        "ext_registry",
        People,
    ),
    (
        Migrated,
        "UPDATE pg_extension SET extversion = '99.0.0' WHERE extname = 'ext_registry'",
        "EXTENSION_AHEAD",
        "ext_registry",
        People,
    ),
];

/// Cases that need more than one statement of a superuser, and where they are.
const ELSEWHERE: &[(&str, &str)] = &[
    ("OWNER_NAME", "migrate_adopt"),
    ("NO_RIGHT", "migrate_adopt"),
    ("DDL_GUARD_BROKEN", "below"),
    ("OWNER_RIGHT", "backup, below"),
    ("EXTENSION_UNAVAILABLE", "extension_unavailable"),
];

fn database(start: Start) -> Database<'static> {
    match start {
        Empty => Server::shared().empty_database(),
        HalfWay => migrated_to(11),
        Migrated => Server::shared().migrated_database(),
        Old => {
            let db = Server::shared().empty_database();
            db.client().batch_execute(&old_schema(&[])).unwrap();
            db
        }
    }
}

fn check(db: &Database) -> Value {
    db.ext_migrate(&["check", "--rows", "--format", "json"])
        .json()
}

fn has(report: &Value, code: &str, object: &str) -> bool {
    found(report).contains(&(code.to_owned(), object.to_owned()))
}

#[test]
fn each_code_appears_and_is_mended_as_it_says() {
    let mut failed = 0;
    for case in CASES {
        eprintln!("{}: {}", case.2, case.1);
        // The next one tells something too.
        failed += usize::from(std::panic::catch_unwind(|| run(case)).is_err());
    }
    assert_eq!(failed, 0);
}

fn run((start, damage, code, object, mend): &(Start, &str, &str, &str, Mend)) {
    if damage.contains("provider = icu") && !built_with_icu() {
        return;
    }
    let db = database(*start);
    db.client().batch_execute(damage).unwrap();
    let before = check(&db);
    assert_names(&before, code, object);
    let mut findings = before["findings"].as_array().unwrap().iter();
    let finding = findings.find(|finding| finding["code"] == *code).unwrap();
    let row = ROWS.iter().find(|row| row.name == *code).unwrap();
    let level = match row.level {
        Level::Error => "error",
        Level::Note => "note",
    };
    assert_eq!(finding["level"], level);
    match mend {
        People => {}
        Up => {
            assert_eq!(finding["mended_by_up"], true, "{finding}");
            let _ = db.ext_migrate(&["up"]).succeeded();
            assert_eq!(found(&check(&db)), [], "{damage}");
        }
        Printed => {
            let mend = finding["mend"].as_str().unwrap();
            // One at a time: some will not run in a transaction.
            for statement in mend.replace(", then ext-migrate up", "").split("; ") {
                db.client().batch_execute(statement).unwrap();
            }
            let after = check(&db);
            assert!(!has(&after, code, object), "{mend}: {after}");
        }
    }
}

#[test]
fn every_code_has_a_case() {
    let shown = CASES
        .iter()
        .map(|case| case.2)
        .chain(ELSEWHERE.iter().map(|case| case.0));
    let shown: BTreeSet<_> = shown.collect();
    let all = ROWS.iter().filter(|row| !row.citus).map(|row| row.name);
    assert_eq!(all.collect::<BTreeSet<_>>(), shown);
}

/// Whoever may replace a function of the DDL guard, or takes an event trigger away, is seen.
#[test]
fn a_ddl_guard_that_is_not_whole() {
    for damage in [
        "CREATE OR REPLACE FUNCTION ext_registry_ddl_guard.refuse() RETURNS event_trigger LANGUAGE plpgsql
         SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN; END'",
        "ALTER FUNCTION ext_registry_ddl_guard.refuse() SECURITY DEFINER",
        "ALTER FUNCTION ext_registry_ddl_guard.refuse() RESET search_path",
        "DROP EVENT TRIGGER ext_registry_ddl_guard_drop",
        "ALTER EVENT TRIGGER ext_registry_ddl_guard_end ENABLE REPLICA",
    ] {
        let db = Server::shared().migrated_database();
        let _ = db.ext_migrate(&["up", "--ddl-guard"]).succeeded();
        assert_eq!(found(&check(&db)), [], "before {damage}");
        db.client().batch_execute(damage).unwrap();
        assert!(has(&check(&db), "DDL_GUARD_BROKEN", "ext_registry_ddl_guard"), "{damage}");
        let _ = db.ext_migrate(&["up"]).succeeded();
        assert_eq!(found(&check(&db)), [], "{damage}");
    }
}

/// A superuser who runs `up` over the tables of another role leaves that role what it needs.
#[test]
fn the_owner_may_call_and_grant_what_a_superuser_has_installed() {
    let db = Server::shared().empty_database();
    let owner = db.create_role("owner");
    db.client()
        .batch_execute(&format!("GRANT CREATE ON SCHEMA public TO {owner}"))
        .unwrap();
    db.client_as(&owner)
        .batch_execute(&old_schema(&[]))
        .unwrap();
    let _ = db.ext_migrate(&["up"]).succeeded();
    assert_eq!(found(&check(&db)), []);
    let reader = db.create_role("reader");
    let mut client = db.client_as(&owner);
    client
        .batch_execute(&format!(
            "SELECT ext_extension_id('a', 'b'); GRANT EXECUTE ON FUNCTION ext_extension_id TO {reader}"
        ))
        .unwrap();
    // Lost in a restore, it is given again.
    db.client()
        .batch_execute(&format!(
            "REVOKE EXECUTE ON FUNCTION ext_extension_id FROM {owner} CASCADE"
        ))
        .unwrap();
    assert!(has(&check(&db), "OWNER_RIGHT", "ext_registry"));
    let _ = db.ext_migrate(&["up"]).succeeded();
    assert_eq!(found(&check(&db)), []);
}

/// Whatever a role or a database sets, the comparison finds the same.
#[test]
fn settings_change_nothing() {
    let db = Server::shared().migrated_database();
    for setting in [
        "quote_all_identifiers = on",
        "search_path = public",
        "standard_conforming_strings = off",
        "bytea_output = escape",
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = iso_8601",
        "TimeZone = 'Asia/Tokyo'",
        "default_transaction_isolation = serializable",
        "extra_float_digits = -15",
        "row_security = off",
    ] {
        let sql = format!("ALTER DATABASE {} SET {setting}", db.name());
        db.client().batch_execute(&sql).unwrap();
    }
    assert_eq!(found(&check(&db)), []);
}
