//! `ext-migrate up`: fresh, half done, current, and what it refuses.

#[path = "migrate_up/comments.rs"]
mod comments;
#[path = "migrate_up/rights.rs"]
mod rights;

use std::fs;
use std::path::PathBuf;

use ext_registry_tests::{
    Database, Folder, Server, assert_nothing_is_there, ext_migrate, program, shipped,
};

/// Everything that `up` makes, as text: tables, constraints, indexes, triggers, functions.
fn catalog(db: &Database) -> Vec<String> {
    let rows = db.client().query(
        "SELECT 'column ' || a.attrelid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                || ' ' || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
         FROM pg_attribute a
         JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped
         UNION ALL
         SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace
         UNION ALL
         SELECT pg_get_indexdef(indexrelid) || indisvalid
         FROM pg_index JOIN pg_class c ON c.oid = indrelid AND c.relnamespace = 'public'::regnamespace
         UNION ALL
         SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
         UNION ALL
         SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
         UNION ALL
         SELECT pg_describe_object(classoid, objoid, objsubid) || ': ' || description
         FROM pg_description WHERE objoid >= 16384 AND classoid <> 'pg_extension'::regclass
         ORDER BY 1",
        &[],
    );
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn an_empty_database_becomes_current_and_stays_so() {
    let db = Server::shared().empty_database();
    let first = db
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(first["schema"], "public");
    assert_eq!(first["extension"]["action"], "create");
    let applied: Vec<_> = first["applied"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["file"].as_str().unwrap())
        .collect();
    let files = shipped();
    assert_eq!(
        applied,
        files
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
    );
    let made = catalog(&db);

    let second = db
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(second["applied"], serde_json::json!([]));
    assert_eq!(second["extension"]["action"], "none");
    assert_eq!(second["mended"], serde_json::json!([]));
    assert_eq!(catalog(&db), made);
}

#[test]
fn every_earlier_state_ends_where_a_fresh_database_does() {
    let fresh = Server::shared().migrated_database();
    let expected = catalog(&fresh);
    let files = shipped();
    for number in 1..files.len() {
        let db = Server::shared().empty_database();
        Folder::first(number).up(&db.url()).succeeded();
        db.ext_migrate(&["status", "--exit-code"]).exited(3);
        let rest = db
            .ext_migrate(&["up", "--format", "json"])
            .succeeded()
            .json();
        assert_eq!(
            rest["applied"].as_array().unwrap().len(),
            files.len() - number
        );
        assert_eq!(catalog(&db), expected, "from V{number}");
    }
}

#[test]
fn a_failing_migration_leaves_nothing_of_itself() {
    let db = Server::shared().empty_database();
    let mut files = shipped();
    files.push((
        "V900__fails.sql".to_owned(),
        "CREATE TABLE @schema@.half_done (); ALTER TABLE @schema@.nowhere ADD COLUMN x int;"
            .to_owned(),
    ));
    let failed = Folder::of(&files).up(&db.url()).exited(1);
    assert!(
        failed.stderr.contains("V900__fails.sql") && failed.stderr.contains("42P01"),
        "{failed:?}"
    );
    let row = db
        .client()
        .query_one("SELECT to_regclass('half_done') IS NULL, max(version) < 900 FROM ext_registry_schema_history", &[])
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, true));
    db.ext_migrate(&["up", "--without-extension"]).succeeded();
}

#[test]
fn nothing_of_a_destructive_migration_is_kept() {
    let db = Server::shared().empty_database();
    let mut files = shipped();
    files.push((
        "V900__destroys.sql".to_owned(),
        "DROP TABLE @schema@.extension_log_signature;".to_owned(),
    ));
    let refused = Folder::of(&files).up(&db.url()).exited(6);
    assert!(
        refused
            .stderr
            .contains("V900__destroys.sql: table public.extension_log_signature: is gone"),
        "{refused:?}"
    );
    // What ran before it stays, and this binary's own migrations find it.
    db.ext_migrate(&["up", "--format", "json"]).succeeded();
    db.ext_migrate(&["check"]).succeeded();
}

#[test]
fn an_invalid_index_left_behind_is_rebuilt() {
    let db = Server::shared().empty_database();
    Folder::first(3).up(&db.url()).succeeded();
    db.client()
        .batch_execute(
            "CREATE INDEX extension_version_list_idx ON extension_version (registry_id);
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'extension_version_list_idx'::regclass",
        )
        .unwrap();
    let up = db.ext_migrate(&["up", "--without-extension"]).succeeded();
    assert!(
        up.stderr
            .contains("dropping the invalid index extension_version_list_idx"),
        "{up:?}"
    );
    let row = db
        .client()
        .query_one("SELECT indisvalid, indnkeyatts::int FROM pg_index WHERE indexrelid = 'extension_version_list_idx'::regclass", &[])
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, 3));
}

#[test]
fn another_schema_is_created_and_holds_everything() {
    let db = Server::shared().empty_database();
    let up = db
        .ext_migrate(&["up", "--schema", "Über Registry"])
        .succeeded();
    assert!(up.stdout.contains("Über Registry"), "{up:?}");
    let row = db
        .client()
        .query_one(
            "SELECT (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
                     WHERE extname = 'ext_registry'),
                    to_regclass('\"Über Registry\".extension_version') IS NOT NULL,
                    to_regclass('public.extension_version') IS NULL",
            &[],
        )
        .unwrap();
    assert_eq!(
        (row.get::<_, &str>(0), row.get(1), row.get(2)),
        ("Über Registry", true, true)
    );
    db.ext_migrate(&["status", "--exit-code", "--schema", "Über Registry"])
        .succeeded();
}

#[test]
fn a_second_schema_is_refused() {
    let db = Server::shared().migrated_database();
    let refused = db.ext_migrate(&["up", "--schema", "other"]).exited(1);
    assert!(refused.stderr.contains("--schema public"), "{refused:?}");
    let row = db
        .client()
        .query_one("SELECT to_regnamespace('other') IS NULL", &[])
        .unwrap();
    assert!(row.get::<_, bool>(0));
}

#[test]
fn tables_in_another_schema_are_not_left_behind_by_mistake() {
    let db = Server::shared().empty_database();
    db.client().batch_execute("CREATE SCHEMA app").unwrap();
    Folder::first(1)
        .ext_migrate(&db.url(), &["up", "--without-extension", "--schema", "app"])
        .succeeded();
    db.client()
        .batch_execute("DROP TABLE app.ext_registry_schema_history")
        .unwrap();
    let refused = db.ext_migrate(&["up", "--without-extension"]).exited(1);
    assert!(refused.stderr.contains("--schema app"), "{refused:?}");
}

#[test]
fn names_that_an_extension_script_cannot_carry_are_refused_before_anything_happens() {
    for name in ["a\"b", "a$b", "a'b", "a\\b"] {
        // Nobody listens there: it is refused before it connects.
        let refused = ext_migrate()
            .args([
                "up",
                "--schema",
                name,
                "--database-url",
                "postgres://127.0.0.1:1/x",
            ])
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(2), "{name}: {refused:?}");
    }
    let db = Server::shared().empty_database();
    let role = format!("{}$owner", db.name());
    db.client()
        .batch_execute(&format!("CREATE ROLE \"{role}\" LOGIN SUPERUSER"))
        .unwrap();
    let url = db.url_as(&role.replace('$', "%24"));
    let refused = ext_migrate()
        .args(["up", "--database-url", &url])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert_nothing_is_there(&mut db.client());
}

#[test]
fn an_owner_who_is_no_superuser_can_do_it_all() {
    let db = Server::shared().empty_database();
    let owner = db.create_role("owner");
    db.client()
        .batch_execute(&format!(
            "GRANT CREATE ON DATABASE {} TO {owner}; ALTER ROLE {owner} SET default_transaction_read_only = on;
             ALTER ROLE {owner} SET statement_timeout = '100ms'; ALTER ROLE {owner} SET search_path = nowhere",
            db.name()
        ))
        .unwrap();
    let up = ext_migrate()
        .args([
            "up",
            "--schema",
            "registry",
            "--database-url",
            &db.url_as(&owner),
        ])
        .output()
        .unwrap();
    assert!(up.status.success(), "{up:?}");
    let row = db
        .client()
        .query_one(
            "SELECT bool_and(tableowner = $1) FROM pg_tables WHERE schemaname = 'registry'",
            &[&owner],
        )
        .unwrap();
    assert!(row.get::<_, bool>(0));
}

#[test]
fn a_dropped_extension_comes_back_and_tables_survive() {
    let db = Server::shared().migrated_database();
    db.client()
        .batch_execute("DROP EXTENSION ext_registry")
        .unwrap();
    let left = db
        .ext_migrate(&["up", "--without-extension", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(left["extension"]["action"], "skip");
    let back = db
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(back["extension"]["action"], "create");
}

#[test]
fn an_older_extension_is_updated() {
    let db = Server::shared().migrated_database();
    let status = || {
        let status = db.ext_migrate(&["status", "--format", "json"]);
        status.succeeded().json()["extension"].clone()
    };
    let now = status()["available"].as_str().unwrap().to_owned();
    // A version that nobody else has, and the way from it to the current one.
    let old = format!("0.0.0.{}", std::process::id());
    let directory = program("pg_config").arg("--sharedir").output().unwrap();
    let directory = String::from_utf8(directory.stdout).unwrap();
    let script = PathBuf::from(directory.trim())
        .join("extension")
        .join(format!("ext_registry--{old}--{now}.sql"));
    fs::write(&script, "-- Nothing to do.\n").unwrap();
    db.client()
        .execute(
            "UPDATE pg_extension SET extversion = $1 WHERE extname = 'ext_registry'",
            &[&old],
        )
        .unwrap();
    let before = status();
    let up = db.ext_migrate(&["up", "--format", "json"]);
    fs::remove_file(&script).unwrap();
    assert_eq!(before["updatable"], true);
    let action = up.succeeded().json()["extension"].clone();
    assert_eq!(
        action,
        serde_json::json!({"action": "update", "from": old, "version": now})
    );
    assert_eq!(status()["installed"], now.as_str());
}
