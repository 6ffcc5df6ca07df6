//! `up --ddl-guard` refuses what would weaken a guard, and nothing else.

use std::fmt::Write;

use ext_migrate::wanted::Catalog;
use ext_migrate::wanted::object::Kind;
use ext_registry_tests::{Database, Outcome, Refusal, Refused, comes_with, ext_migrate};
use postgres::Client;
use serde_json::Value;

use crate::switches::{SWITCHES, check};
use crate::world::{self, Who, guarded};

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
        lost.starts_with("trigger extension_bundle_immutable "),
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
            "ALTER TABLE extension_version ADD COLUMN note text, ADD COLUMN seen timestamptz DEFAULT now()",
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
        (
            Who::Owner,
            "ALTER TABLE extension_version ALTER COLUMN runtime SET STATISTICS 50",
        ),
        (Who::Owner, "REINDEX TABLE CONCURRENTLY extension_log_leaf"),
        (Who::Owner, "VACUUM FULL extension_bundle"),
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
            Who::App,
            "CREATE TABLE hostile.extension_version (LIKE extension_version INCLUDING ALL);
             ALTER TABLE hostile.extension_version DROP COLUMN runtime; DROP TABLE hostile.extension_version",
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

/// In place of what was published, in a command that leaves the catalogs as they are wanted or nearly so; and what else
/// nobody but us puts on the tables of log and history.
const REPLACEMENTS: &[&str] = &[
    "ALTER TABLE extension_version DROP COLUMN runtime, ADD COLUMN runtime varchar(255) NOT NULL DEFAULT 'evil'",
    "ALTER TABLE extension_bundle DROP COLUMN signature, ADD COLUMN signature text DEFAULT 'evil'",
    "ALTER TABLE extension_log_checkpoint DROP COLUMN sealed_at,
         ADD COLUMN sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()",
    "ALTER TABLE extension_version RENAME runtime TO held",
    "DO $$ BEGIN
         ALTER TABLE extension_version RENAME runtime TO held;
         ALTER TABLE extension_version RENAME main_entry TO runtime;
         ALTER TABLE extension_version RENAME held TO main_entry;
     END $$",
    "ALTER TABLE extension_version ALTER COLUMN runtime TYPE varchar(255) USING main_entry",
    "ALTER TABLE extension_version ALTER COLUMN runtime TYPE varchar(255) USING 'x', ADD COLUMN mine text",
    "ALTER TABLE extension_version ADD COLUMN seen timestamptz DEFAULT clock_timestamp()",
    "ALTER TABLE extension_log_leaf ALTER COLUMN leaf_hash TYPE bytea USING sha256(leaf_hash)",
    "ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique,
         ADD CONSTRAINT extension_version_registry_id_version_unique UNIQUE (registry_id, version)",
    "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey,
         ADD CONSTRAINT extension_bundle_version_id_fkey FOREIGN KEY (version_id) REFERENCES extension_version (id)",
    "ALTER TABLE extension_bundle ALTER CONSTRAINT extension_bundle_version_id_fkey DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE extension_bundle ALTER COLUMN adopted DROP DEFAULT",
    "ALTER TABLE extension_bundle ALTER COLUMN content_hash DROP NOT NULL",
    "ALTER TABLE extension_version ALTER COLUMN created_at SET DEFAULT '2000-01-01'",
    "ALTER TABLE extension_version ALTER COLUMN created_at DROP DEFAULT",
    "ALTER INDEX extension_bundle RENAME TO other",
    "ALTER INDEX extension_bundle_version_id_unique RENAME TO other",
    "ALTER INDEX extension_version_registry_id_version_unique RENAME TO other",
    "ALTER TABLE extension_log_leaf DISABLE TRIGGER USER",
    "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_leaf_index_check",
    "ALTER TABLE extension_log_leaf DROP CONSTRAINT extension_log_leaf_pkey",
    "ALTER TABLE extension_log_leaf ALTER COLUMN label SET DEFAULT 'x'",
    "ALTER TABLE extension_log_leaf ADD COLUMN mine text",
    "ALTER TABLE extension_log_leaf ADD CHECK (leaf_index < 5)",
    "ALTER TABLE extension_log_leaf ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE extension_log_tile SET UNLOGGED",
    "ALTER FUNCTION extension_log_immutable() SET work_mem = '1MB'",
    "ALTER ROUTINE extension_log_immutable() RENAME TO other",
    "CREATE INDEX mine ON extension_log_leaf (label)",
    "CREATE STATISTICS mine ON leaf_index, label FROM extension_log_leaf",
    "CREATE POLICY mine ON extension_log_signature",
    "CREATE RULE mine AS ON INSERT TO extension_log_leaf DO INSTEAD NOTHING",
    "CREATE TRIGGER mine BEFORE INSERT ON extension_log_leaf FOR EACH ROW
         EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TEMP TABLE child () INHERITS (extension_log_leaf)",
    "CREATE RULE mine AS ON INSERT TO ext_registry_schema_history DO INSTEAD NOTHING",
    "ALTER TABLE ext_registry_schema_history ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER TABLE ext_registry_schema_history DROP COLUMN checksum, ADD COLUMN checksum varchar(255)",
    "ALTER TABLE ext_registry_schema_history RENAME TO other",
    "ALTER TABLE ext_registry_schema_history SET SCHEMA hostile",
    "DROP TABLE ext_registry_schema_history",
];

/// The part of the document.
pub fn text() -> String {
    let mut text = "
## Replacements, and further things on the tables of log and history

With the DDL guard on each of these, by the owner of the tables, is 23001 `VERSION_IMMUTABLE` as well; so is every
command of the table above.

| command |
|---|
"
    .to_owned();
    for sql in REPLACEMENTS {
        let line: Vec<_> = sql.split_whitespace().collect();
        writeln!(text, "| `{}` |", line.join(" ")).unwrap();
    }
    text
}

/// Settings that anybody may make and that change how SQL is read or catalogs are printed.
const SETTINGS: &str = "
    SET quote_all_identifiers = on;
    SET standard_conforming_strings = off;
    SET escape_string_warning = off;
    SET array_nulls = off;
    SET transform_null_equals = on;
    SET IntervalStyle = sql_standard;
    SET DateStyle = 'SQL, DMY';
    SET bytea_output = escape;
    SET plan_cache_mode = force_custom_plan;
    SET search_path = hostile, pg_catalog, public;
    SET plpgsql.extra_errors = 'all';
    SET plpgsql.extra_warnings = 'all';";

#[test]
fn nothing_of_a_guarded_table_is_replaced() {
    let db = guarded();
    let before = world::published(&mut db.client());
    let mut wrong = Vec::new();
    for settings in ["", SETTINGS] {
        for sql in REPLACEMENTS {
            let mut client = db.client_as(Who::Owner.role());
            client.batch_execute(settings).unwrap();
            match client.batch_execute(sql) {
                Ok(()) => wrong.push(format!("{sql}: allowed")),
                Err(error) => {
                    let refused = Err::<(), _>(error).refused();
                    if refused.sqlstate != "23001" || refused.detail["code"] != "VERSION_IMMUTABLE"
                    {
                        wrong.push(format!("{sql}: {refused:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(check(&db, 0), <[String; 0]>::default());
    assert_eq!(world::published(&mut db.client()), before);
}

#[test]
fn what_is_lost_already_makes_it_blind_to_nothing_else() {
    let db = guarded();
    let mut client = db.client_as(Who::Owner.role());
    client
        .batch_execute(
            "SET ext_registry.ddl_guard = off;
             ALTER TABLE extension_bundle ALTER COLUMN adopted DROP DEFAULT;
             RESET ext_registry.ddl_guard",
        )
        .unwrap();
    refused(
        &mut client,
        "ALTER TABLE extension_version DISABLE TRIGGER extension_version_immutable",
    );
    refused(
        &mut client,
        "DROP TRIGGER extension_bundle_immutable ON extension_bundle",
    );
}

#[test]
fn settings_of_a_session_neither_blind_nor_upset_it() {
    let db = guarded();
    let mut client = db.client_as(Who::Owner.role());
    client.batch_execute(SETTINGS).unwrap();
    client
        .batch_execute(
            "ALTER TABLE public.extension_version ALTER COLUMN runtime SET STATISTICS 50;
             CREATE TABLE public.mine (id int);
             DROP TABLE public.mine",
        )
        .unwrap();
    let shown = client.query_one("SHOW quote_all_identifiers", &[]).unwrap();
    assert_eq!(shown.get::<_, &str>(0), "on");
}

/// 1.1.0 broke every DDL, CREATE TEMP TABLE included, of every role without USAGE on the schema of the registry.
#[test]
fn who_may_not_even_look_into_the_schema_goes_on_with_ddl() {
    let db = world::server().empty_database();
    db.ext_migrate(&["up", "--schema", "registry", "--ddl-guard"])
        .succeeded();
    db.client()
        .batch_execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        .unwrap();
    for off in [
        "",
        "ALTER TABLE registry.extension_version DISABLE TRIGGER ALL",
    ] {
        db.client()
            .batch_execute(&format!("SET ext_registry.ddl_guard = off; {off}"))
            .unwrap();
        let mut client = db.client_as(Who::App.role());
        client
            .batch_execute("SELECT FROM registry.extension_version")
            .refused()
            .with_sqlstate("42501");
        client
            .batch_execute(
                "CREATE TEMP TABLE mine (id int PRIMARY KEY);
                 ALTER TABLE mine ADD COLUMN x float DEFAULT random();
                 DROP TABLE mine;
                 CREATE TABLE public.extension_version (id int) PARTITION BY RANGE (id);
                 CREATE TABLE public.part PARTITION OF public.extension_version FOR VALUES FROM (1) TO (2);
                 ALTER TABLE public.extension_version RENAME TO extension_bundle;
                 DROP TABLE public.extension_bundle;
                 CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1';
                 DROP FUNCTION public.mine()",
            )
            .unwrap();
    }
}

/// What makes the DDL guard another's: their code would run with the rights of whoever gives a command.
const TAKEN: &[(Who, &str)] = &[
    (
        Who::Owner,
        "CREATE SCHEMA ext_registry_ddl_guard;
         CREATE FUNCTION ext_registry_ddl_guard.refuse() RETURNS event_trigger LANGUAGE plpgsql AS
             'BEGIN ALTER ROLE bypass_owner SUPERUSER; END'",
    ),
    (Who::Owner, "CREATE SCHEMA ext_registry_ddl_guard"),
    (
        Who::Superuser,
        "CREATE SCHEMA ext_registry_ddl_guard;
         GRANT ALL ON SCHEMA ext_registry_ddl_guard TO bypass_owner;
         SET ROLE bypass_owner;
         CREATE FUNCTION ext_registry_ddl_guard.refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    ),
    (
        Who::Superuser,
        "CREATE FUNCTION hostile.refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER ext_registry_ddl_guard_end ON ddl_command_end EXECUTE FUNCTION hostile.refuse()",
    ),
];

fn says_what_is_not_ours(db: &Database, arguments: &[&str]) -> String {
    let outcome = db
        .ext_migrate(&[arguments, &["--format", "json"]].concat())
        .exited(1);
    let error = &outcome.json()["error"];
    assert_eq!(error["code"], "DDL_GUARD_NOT_OURS", "{outcome:?}");
    let message = error["message"].as_str().unwrap_or_default().to_owned();
    let (_, rest) = message.split_once("; as superuser ").unwrap();
    rest.split_once(", then").unwrap().0.to_owned()
}

#[test]
fn what_others_made_under_its_names_is_refused_before_anything_is_touched() {
    for (who, sql) in TAKEN {
        let db = world::database();
        db.client()
            .batch_execute(&format!(
                "GRANT CREATE ON DATABASE {} TO {}",
                db.name(),
                Who::Owner.role()
            ))
            .unwrap();
        db.client_as(who.role()).batch_execute(sql).unwrap();
        let traces = "SELECT count(*) FROM pg_event_trigger";
        let count = |db: &Database| -> i64 { db.client().query_one(traces, &[]).unwrap().get(0) };
        let before = count(&db);
        let way_out = says_what_is_not_ours(&db, &["up", "--ddl-guard"]);
        assert_eq!(count(&db), before, "{sql}");
        assert_eq!(check(&db, 8), ["DDL_GUARD_BROKEN"], "{sql}");
        db.client().batch_execute(&way_out).unwrap();
        db.ext_migrate(&["up", "--ddl-guard"]).succeeded();
        assert_eq!(check(&db, 0), <[String; 0]>::default());
    }
}

/// As 1.1.0 left it: event triggers of a superuser that run the function of the owner.
#[test]
fn a_ddl_guard_that_belongs_to_another_is_reported_and_not_renewed() {
    for taken in [
        "ALTER FUNCTION ext_registry_ddl_guard.refuse() OWNER TO bypass_owner",
        "ALTER SCHEMA ext_registry_ddl_guard OWNER TO bypass_owner",
    ] {
        let db = guarded();
        db.client().batch_execute(taken).unwrap();
        assert_eq!(check(&db, 8), ["DDL_GUARD_BROKEN"]);
        let way_out = says_what_is_not_ours(&db, &["up"]);
        db.client().batch_execute(&way_out).unwrap();
        assert_eq!(check(&db, 0), <[String; 0]>::default());
    }
}

/// Whatever migrations make, on whichever table, but for the installs.
#[test]
fn it_keeps_all_that_the_migrations_make() {
    let kept: String = guarded()
        .client()
        .query_one("SELECT prosrc FROM pg_proc WHERE proname = 'refuse'", &[])
        .unwrap()
        .get(0);
    let catalog = Catalog::shipped();
    let made = catalog
        .migrations
        .iter()
        .filter(|dated| dated.until.is_none());
    let guarded = |table: &str| table != "tenant_extension_install";
    for object in made.map(|dated| &dated.object) {
        let line = match object.kind {
            Kind::Table => format!("\"{}: a permanent table", object.name),
            Kind::Trigger => format!("\"{}: trigger {} A ", object.table, object.name),
            Kind::Constraint => format!("\"{}: constraint {} ", object.table, object.name),
            Kind::Function => format!(": function {} ", object.name.trim_end_matches("()")),
            Kind::Index if !object.definition.starts_with("CREATE UNIQUE") => continue,
            Kind::Index => format!("\"{}: index {} ", object.table, object.name),
            // The entry's further columns are not what was published.
            _ => continue,
        };
        if guarded(&object.table) && guarded(&object.name) {
            assert!(kept.contains(&line), "{line}");
        }
    }
}
