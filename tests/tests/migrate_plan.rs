//! `ext-migrate plan` shows what `up` would do, to people, to programs and to psql, and writes nothing.

use std::io::Write;
use std::process::Stdio;

use ext_registry_tests::old_schema::{Rows, TABLES, old_rows, old_schema};
use ext_registry_tests::{Database, Folder, Outcome, Server};
use serde_json::Value;

fn plan(db: &Database, further: &[&str], code: i32) -> Value {
    let arguments = [&["plan", "--format", "json"], further].concat();
    db.ext_migrate(&arguments).exited(code).json()
}

/// Runs a script as this role.
fn psql(db: &Database, role: &str, script: &str) {
    let mut psql = db
        .program("psql")
        .args(["-XqAt", "-f", "-"])
        .env("PGUSER", role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    psql.stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let _ = Outcome::from(psql.wait_with_output().unwrap()).succeeded();
}

fn tables(db: &Database) -> i64 {
    let query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    db.client().query_one(query, &[]).unwrap().get(0)
}

#[test]
fn an_empty_database_gets_everything() {
    let db = Server::shared().empty_database();
    let report = plan(&db, &["--exit-code"], 3);
    assert_eq!(report["schema"], "public");
    assert_eq!(report["state"], "fresh");
    assert_eq!(report["owner"], Value::Null);
    assert_eq!(report["refusals"], Value::Array(vec![]));
    assert_eq!(report["extension"]["action"], "create");
    assert_eq!(report["old_rows"]["not_counted"], "there are no tables");
    assert!(report.get("sql").is_none());
    let pending = report["pending"].as_array().unwrap();
    assert_eq!(pending[0]["file"], "V1__tables.sql");
    assert_eq!(pending[0]["transactional"], true);
    assert_eq!(pending[0]["statements"][0]["classes"][0], "create table");
    let concurrent: Vec<_> = pending
        .iter()
        .filter(|migration| migration["transactional"] == false)
        .collect();
    assert_eq!(concurrent.len(), 3);
    for migration in concurrent {
        assert_eq!(migration["statements"][0]["lock"], "SHARE UPDATE EXCLUSIVE");
    }
    let text = db.ext_migrate(&["plan"]).succeeded().stdout;
    for words in [
        "none of the tables is there",
        "V7__bundle_guards.sql (one transaction)",
        "ACCESS EXCLUSIVE",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(tables(&db), 0, "plan has written nothing");
}

#[test]
fn a_current_database_has_nothing_pending() {
    let db = Server::shared().migrated_database();
    let report = plan(&db, &["--exit-code"], 0);
    assert_eq!(report["state"], "current");
    assert_eq!(report["pending"], Value::Array(vec![]));
    assert_eq!(report["extension"]["action"], "none");
    assert_eq!(report["drift"], Value::Array(vec![]));
    db.client()
        .batch_execute("DROP TRIGGER extension_bundle_immutable ON extension_bundle")
        .unwrap();
    let drifted = plan(&db, &["--exit-code"], 0);
    assert_eq!(drifted["drift"][0]["code"], "GUARD_MISSING");
    assert_eq!(drifted["drift"][0]["mended_by_up"], true);
}

#[test]
fn half_way_the_rest_is_pending() {
    let db = Server::shared().empty_database();
    Folder::first(2).up(&db.url()).succeeded();
    let report = plan(&db, &["--exit-code"], 3);
    assert_eq!(report["state"], "in_progress");
    assert_eq!(report["pending"][0]["version"], 3);
}

/// Who runs the script by hand ends where `up` ends, with what had drifted.
#[test]
fn the_sql_mends_too() {
    let db = Server::shared().migrated_database();
    db.client()
        .batch_execute(
            "DROP INDEX extension_version_list_idx;
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'extension_version_release_idx'::regclass;
             DROP FUNCTION extension_bundle_immutable CASCADE;
             ALTER TABLE extension_version DISABLE TRIGGER extension_version_immutable,
                DROP CONSTRAINT extension_version_registry_id_version_unique;
             CREATE UNIQUE INDEX mine ON extension_version (registry_id, version);
             ALTER TABLE extension_log_leaf ALTER leaf_hash DROP NOT NULL,
                DROP CONSTRAINT extension_log_leaf_leaf_hash_check;
             ALTER FUNCTION ext_finalize_version SECURITY DEFINER;
             TRUNCATE ext_registry_schema_history",
        )
        .unwrap();
    let _ = db.ext_migrate(&["check"]).exited(8);
    let script = db.ext_migrate(&["plan", "--sql"]).succeeded().stdout;
    psql(&db, "postgres", &script);
    let check = db.ext_migrate(&["check", "--format", "json"]).succeeded();
    assert_eq!(check.json()["findings"], Value::Array(vec![]));
    let up = db
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&up["mended"], &up["applied"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
}

/// An extension that is missing or older is work for `up` as well.
#[test]
fn exit_code_3_for_the_extension() {
    let db = Server::shared().migrated_database();
    for damage in [
        "UPDATE pg_extension SET extversion = '1.1.0' WHERE extname = 'ext_registry'",
        "DROP EXTENSION ext_registry",
    ] {
        db.client().batch_execute(damage).unwrap();
        for command in ["plan", "status"] {
            let _ = db.ext_migrate(&[command, "--exit-code"]).exited(3);
            let _ = db
                .ext_migrate(&[command, "--exit-code", "--without-extension"])
                .exited(0);
        }
    }
}

/// The script does what `up` does, so that afterwards `up` has nothing to do and `check` nothing to find.
#[test]
fn psql_can_run_the_sql() {
    let db = Server::shared().empty_database();
    let script = db.ext_migrate(&["plan", "--sql"]).succeeded().stdout;
    psql(&db, "postgres", &script);
    let _ = db.ext_migrate(&["check"]).succeeded();
    let up = db
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(up["applied"], Value::Array(vec![]));
}

#[test]
fn psql_can_adopt_tables_of_somebody_else() {
    let db = Server::shared().empty_database();
    let owner = db.create_role("owner");
    let mut client = db.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client.batch_execute(old_rows()).unwrap();
    client
        .batch_execute(&format!("GRANT CREATE ON SCHEMA public TO {owner}"))
        .unwrap();
    for table in TABLES {
        client
            .batch_execute(&format!("ALTER TABLE {table} OWNER TO {owner}"))
            .unwrap();
    }
    let before = Rows::remember(&mut client, "public");
    let report = plan(&db, &["--sql"], 0);
    assert_eq!(report["owner"], owner.as_str());
    psql(&db, "postgres", report["sql"].as_str().unwrap());
    before.assert_untouched(&mut client);
    let check = db
        .ext_migrate(&["check", "--format", "json"])
        .succeeded()
        .json();
    // The superuser has installed the extension, and the owner may call it all the same.
    assert_eq!(check["findings"], Value::Array(vec![]));
}

#[test]
fn a_read_only_role_can_plan() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client.batch_execute(old_rows()).unwrap();
    let reader = db.create_role_with("reader", "IN ROLE pg_read_all_data");
    client
        .batch_execute(&format!(
            "ALTER ROLE {reader} SET default_transaction_read_only = on"
        ))
        .unwrap();
    let plan_as = |role: &str| -> Value {
        let url = db.url_as(role);
        let output = ext_registry_tests::ext_migrate()
            .args(["plan", "--format", "json", "--database-url", &url])
            .output();
        Outcome::from(output.unwrap()).succeeded().json()
    };
    client.batch_execute("ANALYZE").unwrap();
    // Catalogs are for everybody.
    for role in [reader, db.create_role("stranger")] {
        let report = plan_as(&role);
        assert_eq!(report["state"], "adoptable");
        assert_eq!(report["old_rows"]["about"]["bundles"], 300);
    }
}

#[test]
fn rows_hidden_by_a_policy_are_not_counted_as_missing() {
    let db = Server::shared().migrated_database();
    let reader = db.create_role("reader");
    db.client()
        .batch_execute(&format!(
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};
             ALTER TABLE extension_version ENABLE ROW LEVEL SECURITY"
        ))
        .unwrap();
    let url = db.url_as(&reader);
    let output = ext_registry_tests::ext_migrate()
        .args([
            "check",
            "--rows",
            "--format",
            "json",
            "--database-url",
            &url,
        ])
        .output();
    let report = Outcome::from(output.unwrap()).succeeded().json();
    let reason = report["old_rows"]["not_counted"].as_str().unwrap();
    assert!(reason.contains("row-level security"), "{reason}");
    assert_eq!(report["findings"][0]["code"], "ROW_SECURITY");
}

#[test]
fn what_up_would_refuse_for_other_reasons_is_planned_as_refused() {
    let db = Server::shared().migrated_database();
    let report = plan(&db, &["--schema", "elsewhere"], 1);
    assert_eq!(report["state"], "refused");
    assert_eq!(report["refusals"][0]["code"], "SECOND_SCHEMA");
}
