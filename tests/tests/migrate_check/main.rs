//! `ext-migrate check` names whatever is missing, switched off or changed, and `up` mends what can be mended by adding.

mod catalog;
mod codes;
mod document;
mod mend;

use ext_registry_tests::{Database, Folder, Options, Server, wait_until};
use serde_json::Value;

fn checked(db: &Database, code: i32) -> Value {
    db.ext_migrate(&["check", "--without-extension", "--format", "json"])
        .exited(code)
        .json()
}

/// Code and object of each finding.
fn found(report: &Value) -> Vec<(String, String)> {
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (text(finding, "code"), text(finding, "object")))
        .collect()
}

#[track_caller]
fn assert_names(report: &Value, code: &str, object: &str) {
    let found = found(report);
    assert!(
        found.contains(&(code.to_owned(), object.to_owned())),
        "{code} {object} is not among {found:?}"
    );
}

/// A migrated database of this schema.
fn migrated(schema: &str) -> Database<'static> {
    let db = Server::shared().empty_database();
    let up = ["up", "--without-extension", "--schema", schema];
    let _ = db.ext_migrate(&up).succeeded();
    db
}

/// A database where `up` has come as far as this migration.
fn migrated_to(version: usize) -> Database<'static> {
    let db = Server::shared().empty_database();
    let _ = Folder::first(version).up(&db.url()).succeeded();
    db
}

/// Also the proof that the definitions kept beside the code are those this server prints.
#[test]
fn a_migrated_database_has_no_findings() {
    let db = Server::shared().migrated_database();
    let report = checked(&db, 0);
    assert_eq!(report["state"], "current");
    assert_eq!(report["ok"], true);
    assert_eq!(found(&report), []);
    let text = db
        .ext_migrate(&["check", "--without-extension"])
        .succeeded();
    assert!(text.stdout.contains("everything is in place"), "{text:?}");
}

#[test]
fn nor_has_one_in_a_schema_that_needs_quotes() {
    let schema = "Odd schéma";
    let db = migrated(schema);
    let check = ["check", "--without-extension", "--schema", schema];
    let _ = db.ext_migrate(&check).succeeded();
    db.client()
        .batch_execute(
            r#"DROP TRIGGER extension_version_immutable ON "Odd schéma".extension_version"#,
        )
        .unwrap();
    let _ = db.ext_migrate(&check).exited(8);
    let _ = db
        .ext_migrate(&["up", "--without-extension", "--schema", schema])
        .succeeded();
    let _ = db.ext_migrate(&check).succeeded();
}

#[test]
fn the_extension_is_missed_only_where_it_is_wanted() {
    let db = migrated("public");
    let report = db
        .ext_migrate(&["check", "--format", "json"])
        .exited(8)
        .json();
    assert_eq!(
        found(&report),
        [("EXTENSION_MISSING".to_owned(), "ext_registry".to_owned())]
    );
    let _ = checked(&db, 0);
}

#[test]
fn a_database_that_was_never_migrated() {
    let db = Server::shared().empty_database();
    assert_names(&checked(&db, 8), "NOT_MIGRATED", "public");
}

#[test]
fn a_guard_function_of_somebody_else_is_reported() {
    let db = Server::shared().migrated_database();
    let other = db.create_role("other");
    db.client()
        .batch_execute(&format!(
            "ALTER FUNCTION extension_bundle_immutable() OWNER TO {other}"
        ))
        .unwrap();
    let report = checked(&db, 8);
    assert_names(
        &report,
        "GUARD_FUNCTION_OWNER",
        "extension_bundle_immutable()",
    );
    let mend = report["findings"][0]["mend"].as_str().unwrap();
    db.client().batch_execute(mend).unwrap();
    let _ = checked(&db, 0);
}

/// What `up` would refuse, `check` reports as well.
#[test]
fn tables_that_are_gone_or_no_longer_plain() {
    let db = Server::shared().migrated_database();
    let other = db.create_role("other");
    let damages = [
        (
            "DROP TABLE tenant_extension_install".to_owned(),
            "TABLE_MISSING",
            "tenant_extension_install",
        ),
        (
            "CREATE TABLE heir () INHERITS (extension_bundle)".to_owned(),
            "INHERITED",
            "extension_bundle",
        ),
        (
            format!("ALTER TABLE extension_bundle OWNER TO {other}"),
            "OWNERS_DIFFER",
            "public",
        ),
    ];
    for (damage, code, object) in damages {
        let db = Server::shared().migrated_database();
        db.client().batch_execute(&damage).unwrap();
        assert_names(&checked(&db, 8), code, object);
        let refused = db.ext_migrate(&["up", "--without-extension"]).exited(1);
        assert!(refused.stderr.contains(object), "{refused:?}");
    }
}

#[test]
fn a_read_only_role_can_check() {
    let db = Server::shared().migrated_database();
    let reader = db.create_role_with("reader", "IN ROLE pg_read_all_data");
    let mut client = db.client();
    client
        .batch_execute(&format!(
            "ALTER ROLE {reader} SET default_transaction_read_only = on"
        ))
        .unwrap();
    let url = db.url_as(&reader);
    let check = [
        "check",
        "--rows",
        "--without-extension",
        "--format",
        "json",
        "--database-url",
        &url,
    ];
    let report = run(&check).exited(0).json();
    assert_eq!(report["old_rows"]["bundles"]["rows"], 0);
}

#[test]
fn without_the_right_to_read_the_tables_the_old_rows_are_not_counted() {
    let db = Server::shared().migrated_database();
    let auditor = db.create_role("auditor");
    db.client()
        .batch_execute(&format!(
            "GRANT SELECT ON ext_registry_schema_history TO {auditor}"
        ))
        .unwrap();
    let url = db.url_as(&auditor);
    let check = [
        "check",
        "--rows",
        "--without-extension",
        "--format",
        "json",
        "--database-url",
        &url,
    ];
    let report = run(&check).exited(0).json();
    let reason = report["old_rows"]["not_counted"].as_str().unwrap();
    assert!(
        reason.contains("no right to read extension_version"),
        "{reason}"
    );
}

/// A server that replays its own log is a standby as good as any.
#[test]
fn a_standby_can_be_asked() {
    let server = Server::start(&Options::default());
    let db = server.migrated_database();
    std::fs::write(server.data().join("standby.signal"), "").unwrap();
    server.restart();
    wait_until("the standby takes connections", || {
        db.config().connect(postgres::NoTls).is_ok()
    });
    let recovering = db.client().query_one("SELECT pg_is_in_recovery()", &[]);
    assert!(recovering.unwrap().get::<_, bool>(0));
    for command in ["check", "plan", "status"] {
        let _ = db.ext_migrate(&[command]).succeeded();
    }
}

#[test]
fn a_history_that_disagrees_ends_with_4_and_all_findings() {
    let db = Server::shared().migrated_database();
    db.client()
        .batch_execute(
            "UPDATE ext_registry_schema_history SET checksum = '1' WHERE version = 1;
             DROP TRIGGER extension_bundle_immutable ON extension_bundle",
        )
        .unwrap();
    let report = checked(&db, 4);
    assert_names(&report, "HISTORY_DISAGREES", "ext_registry_schema_history");
    assert_names(
        &report,
        "GUARD_MISSING",
        "extension_bundle_immutable on extension_bundle",
    );
}

#[test]
fn pending_migrations_are_findings() {
    let db = Server::shared().migrated_database();
    let row = db.client().query_one(
        "DELETE FROM ext_registry_schema_history
         WHERE version = (SELECT max(version) FROM ext_registry_schema_history)
         RETURNING 'V' || version || '__' || name || '.sql'",
        &[],
    );
    let newest: String = row.unwrap().get(0);
    assert_names(&checked(&db, 8), "MIGRATION_PENDING", &newest);
}

#[test]
fn foreign_triggers_are_notes() {
    let db = Server::shared().migrated_database();
    db.client()
        .batch_execute(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER touch BEFORE INSERT ON extension_bundle FOR EACH ROW EXECUTE FUNCTION touch();
             ALTER TABLE tenant_extension_install ENABLE ROW LEVEL SECURITY;
             ALTER TABLE extension_registry ADD COLUMN team text NOT NULL",
        )
        .unwrap();
    let report = checked(&db, 0);
    assert_names(&report, "FOREIGN_TRIGGER", "touch on extension_bundle");
    assert_names(&report, "COLUMN_REQUIRED", "extension_registry.team");
    assert_eq!(found(&report).len(), 2);
}

fn run(arguments: &[&str]) -> ext_registry_tests::Outcome {
    let output = ext_registry_tests::ext_migrate().args(arguments).output();
    output.unwrap().into()
}
