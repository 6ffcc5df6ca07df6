//! `up --ddl-guard` refuses what would weaken a guard, and nothing else.

use ext_registry_tests::{Database, Outcome, Refusal, Refused, comes_with, ext_migrate};
use postgres::Client;
use serde_json::Value;

use crate::switches::{SWITCHES, check};
use crate::world::{self, Who};

fn guarded() -> Database<'static> {
    let db = world::database();
    db.ext_migrate(&["up", "--ddl-guard"]).succeeded();
    db
}

fn refused(client: &mut Client, sql: &str) -> Refused {
    client
        .batch_execute(sql)
        .refused()
        .with_sqlstate("23001")
        .with_code("VERSION_IMMUTABLE")
}

#[test]
fn the_ddl_guard_refuses_every_switch() {
    let db = guarded();
    let mut wrong = Vec::new();
    for switch in SWITCHES {
        let result = db.client_as(switch.who.role()).batch_execute(switch.sql);
        // ENABLE TRIGGER ALL of what is ALWAYS now, and so on: whatever the command, it must not have happened.
        match result {
            Ok(()) => wrong.push(format!("{}: allowed", switch.name)),
            Err(_) => {
                let refused = result.refused();
                if refused.sqlstate != "23001" || refused.detail["code"] != "VERSION_IMMUTABLE" {
                    wrong.push(format!("{}: {refused:?}", switch.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(check(&db, 0), <[String; 0]>::default());
}

#[test]
fn the_refusal_names_table_operation_and_loss() {
    let refused = refused(
        &mut guarded().client_as(Who::Owner.role()),
        "ALTER TABLE extension_bundle DISABLE TRIGGER extension_bundle_immutable",
    )
    .with_table("public", "extension_bundle")
    .with_constraint("extension_bundle_immutable")
    .with_detail("table", "extension_bundle")
    .with_detail("operation", "ALTER TABLE");
    let lost = refused.detail["lost"].as_str().unwrap_or_default();
    assert!(
        lost.starts_with("CREATE TRIGGER extension_bundle_immutable "),
        "{lost}"
    );
    assert!(
        refused
            .hint
            .unwrap_or_default()
            .contains("ext_registry.ddl_guard")
    );
}

#[test]
fn session_replication_role_is_no_way_around_it() {
    refused(
        &mut guarded().client(),
        "SET session_replication_role = replica; DROP TRIGGER extension_version_immutable ON extension_version",
    );
}

#[test]
fn who_may_put_triggers_on_a_table_replaces_no_guard() {
    let db = guarded();
    let mut client = db.client_as(Who::TriggerApp.role());
    let replace = "CREATE OR REPLACE TRIGGER extension_bundle_immutable_truncate BEFORE TRUNCATE ON extension_bundle
        FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()";
    refused(&mut client, replace);
    refused(
        &mut client,
        &format!("SET ext_registry.ddl_guard = off; {replace}"),
    );
    client
        .batch_execute("CREATE TRIGGER mine BEFORE INSERT ON extension_bundle FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")
        .unwrap();
}

#[test]
fn the_switch_is_for_the_owner() {
    let db = guarded();
    let mut client = db.client_as(Who::Owner.role());
    client
        .batch_execute(
            "BEGIN; SET LOCAL ext_registry.ddl_guard = off; DROP TABLE extension_bundle; ROLLBACK",
        )
        .unwrap();
    refused(&mut client, "DROP TABLE extension_bundle");
}

#[test]
fn ordinary_ddl_is_not_hindered() {
    let db = guarded();
    for (who, sql) in [
        (
            Who::Owner,
            "CREATE INDEX mine ON extension_version (runtime)",
        ),
        (
            Who::Owner,
            "CREATE INDEX CONCURRENTLY mine_too ON extension_bundle (size_bytes)",
        ),
        (Who::Owner, "DROP INDEX mine"),
        (
            Who::Owner,
            "ALTER TABLE extension_version ADD COLUMN note text, ADD COLUMN seen timestamptz DEFAULT clock_timestamp()",
        ),
        (Who::Owner, "ALTER TABLE extension_version DROP COLUMN note"),
        (
            Who::Owner,
            "ALTER TABLE extension_version ALTER COLUMN runtime TYPE text",
        ),
        (
            Who::Owner,
            "ALTER TABLE extension_version ADD CONSTRAINT mine CHECK (runtime <> '')",
        ),
        (
            Who::Owner,
            "ALTER TABLE extension_version DROP CONSTRAINT mine",
        ),
        (
            Who::Owner,
            "ALTER TABLE extension_bundle SET (fillfactor = 90)",
        ),
        (
            Who::Owner,
            "GRANT SELECT ON extension_version TO bypass_reader",
        ),
        (Who::Owner, "COMMENT ON TABLE extension_version IS 'x'"),
        (Who::Owner, "DROP TABLE tenant_extension_install"),
        (
            Who::App,
            "CREATE TABLE reviews (version_id uuid REFERENCES extension_version (id))",
        ),
        (
            Who::App,
            "ALTER TABLE reviews ADD COLUMN stars int; ALTER TABLE reviews RENAME TO stars; DROP TABLE stars",
        ),
        (
            Who::App,
            "CREATE VIEW latest AS SELECT * FROM extension_version; DROP VIEW latest",
        ),
        (
            Who::App,
            "CREATE TEMP TABLE extension_version (LIKE public.extension_version); DROP TABLE extension_version",
        ),
        (
            Who::App,
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f()",
        ),
        (
            Who::Superuser,
            "CREATE SCHEMA extra; ALTER SCHEMA extra RENAME TO more; DROP SCHEMA more",
        ),
    ] {
        db.client_as(who.role())
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    if comes_with("pgcrypto") {
        db.client()
            .batch_execute("CREATE EXTENSION pgcrypto; DROP EXTENSION pgcrypto")
            .unwrap();
    }
}

#[test]
fn ddl_elsewhere_goes_on_where_a_guard_is_off_already() {
    let db = guarded();
    db.client_as(Who::Owner.role())
        .batch_execute(
            "SET ext_registry.ddl_guard = off;
             ALTER TABLE extension_version DISABLE TRIGGER extension_version_immutable",
        )
        .unwrap();
    db.client_as(Who::App.role())
        .batch_execute(
            "CREATE TABLE mine (id int); ALTER TABLE mine ADD COLUMN x int; DROP TABLE mine",
        )
        .unwrap();
    // And up mends it, as the owner without further rights.
    let url = db.url_as(Who::Owner.role());
    let output = ext_migrate()
        .args(["up", "--without-extension", "--database-url", &url])
        .output()
        .unwrap();
    Outcome::from(output).succeeded();
    assert_eq!(check(&db, 0), <[String; 0]>::default());
}

#[test]
fn up_renews_it_and_status_and_check_say_whether_it_is_on() {
    let db = world::database();
    let says = |command: &str| -> Value {
        let report = db.ext_migrate(&[command, "--format", "json"]);
        report.json()["ddl_guard"].clone()
    };
    assert_eq!(
        (says("status"), says("check")),
        ("off".into(), "off".into())
    );
    db.ext_migrate(&["up", "--ddl-guard"]).succeeded();
    db.ext_migrate(&["up", "--ddl-guard"]).succeeded();
    assert_eq!((says("status"), says("check")), ("on".into(), "on".into()));
    db.client()
        .batch_execute("ALTER EVENT TRIGGER ext_registry_ddl_guard_drop DISABLE")
        .unwrap();
    assert_eq!(says("status"), "broken");
    assert_eq!(check(&db, 8), ["DDL_GUARD_BROKEN"]);
    assert_eq!(says("up"), "on");
    db.client()
        .batch_execute("DROP SCHEMA ext_registry_ddl_guard CASCADE")
        .unwrap();
    assert_eq!(says("up"), "off");
}

#[test]
fn without_the_right_to_create_event_triggers_up_says_so() {
    let db = world::database();
    let output = ext_migrate()
        .args([
            "up",
            "--without-extension",
            "--ddl-guard",
            "--database-url",
            &db.url_as(Who::Owner.role()),
        ])
        .output()
        .unwrap();
    let outcome = Outcome::from(output).exited(1);
    assert!(outcome.stderr.contains("42501"), "{outcome:?}");
}

#[test]
fn a_dump_with_it_restores() {
    let db = guarded();
    let before = world::published(&mut db.client());
    let dump = db.program("pg_dump").output().unwrap();
    assert!(dump.status.success(), "{dump:?}");
    let other = world::server().empty_database();
    let file = std::env::temp_dir().join(format!("bypass-{}.sql", other.name()));
    std::fs::write(&file, dump.stdout).unwrap();
    let restored = other
        .program("psql")
        .args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            "SET session_replication_role = replica",
            "-f",
        ])
        .arg(&file)
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
    assert_eq!(world::published(&mut other.client()), before);
    refused(
        &mut other.client(),
        "ALTER TABLE public.extension_version DISABLE TRIGGER ALL",
    );
    refused(&mut other.client(), "DROP TABLE public.extension_bundle");
}
