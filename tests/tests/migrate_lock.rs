//! One `up` at a time: parallel runs, holders that die, locks that are not to be had, poolers.

#[path = "migrate_lock/pgbouncer.rs"]
mod pgbouncer;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use ext_registry_tests::old_schema::old_schema;
use ext_registry_tests::{
    Database, Folder, Options, Outcome, Server, backend_pid, ext_migrate, together, wait_until,
    workspace_root,
};
use pgbouncer::PgBouncer;
use postgres::NoTls;

/// As documented: `pg_advisory_lock(7311721948242339698)`.
const KEY: i64 = 7_311_721_948_242_339_698;

/// How many migrations there are.
fn migrations() -> i64 {
    let folder = workspace_root().join("sql/migrations");
    fs::read_dir(folder).unwrap().count().try_into().unwrap()
}

/// Takes a database back to V9: V10 and V11 find nothing to do, V12 makes its tables again, and the others what is there.
const REWIND: &str = "
    DELETE FROM ext_registry_schema_history WHERE version > 9;
    DROP TABLE extension_log_signature, extension_log_checkpoint, extension_log_tile, extension_log_leaf;
    DROP FUNCTION extension_log_immutable();
    DROP FUNCTION extension_owner_only CASCADE";

fn spawn(db: &Database, arguments: &[&str]) -> Child {
    ext_migrate()
        .args(arguments)
        .args(["--database-url", &db.url()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end(child: Child) -> Outcome {
    child.wait_with_output().unwrap().into()
}

/// True while another session of this database holds the migration lock.
fn held(db: &Database) -> bool {
    let row = db.client().query_one(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND (classid::bigint << 32) | objid::bigint = $1)",
        &[&KEY],
    );
    row.unwrap().get(0)
}

#[test]
fn of_many_at_once_one_works_and_the_others_find_nothing_to_do() {
    let db = Server::shared().empty_database();
    let reports = together(
        8,
        |_| (),
        |_, ()| {
            db.ext_migrate(&["up", "--format", "json"])
                .succeeded()
                .json()
        },
    );
    let steps = |report: &serde_json::Value| report["applied"].as_array().unwrap().len() as i64;
    let (workers, idle): (Vec<_>, Vec<_>) = reports.iter().partition(|report| steps(report) > 0);
    assert_eq!((workers.len(), idle.len()), (1, 7));
    assert_eq!(steps(workers[0]), migrations());
    assert_eq!(workers[0]["extension"]["action"], "create");
    assert!(
        idle.iter()
            .all(|report| report["extension"]["action"] == "none")
    );
    let row = db
        .client()
        .query_one(
            "SELECT count(*), count(DISTINCT version) FROM ext_registry_schema_history",
            &[],
        )
        .unwrap();
    let counts = (row.get::<_, i64>(0), row.get::<_, i64>(1));
    assert_eq!(counts, (migrations(), migrations()));
    assert!(!held(&db));
}

#[test]
fn a_holder_past_wait_is_exit_5_and_is_named() {
    let db = Server::shared().empty_database();
    let mut holder = db.client();
    let pid: i32 = holder
        .query_one("SELECT pg_backend_pid() FROM pg_advisory_lock($1)", &[&KEY])
        .unwrap()
        .get(0);
    let begin = Instant::now();
    let refused = db.ext_migrate(&["up", "--wait", "1s"]).exited(5);
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert!(
        refused.stderr.contains(&format!("pid {pid}")),
        "{refused:?}"
    );
    db.ext_migrate(&["up", "--wait", "0"]).exited(5);
    // Reading needs no lock.
    db.ext_migrate(&["status"]).succeeded();
    drop(holder);
    db.ext_migrate(&["up"]).succeeded();
}

#[test]
fn a_holder_that_dies_frees_the_lock_and_the_next_one_finishes() {
    let db = Server::shared().empty_database();
    db.ext_migrate(&["up", "--without-extension"]).succeeded();
    db.client().batch_execute(REWIND).unwrap();
    // The holder runs V10 and waits for this lock.
    let mut reader = db.client();
    let mut reading = reader.transaction().unwrap();
    reading
        .batch_execute("LOCK extension_bundle IN SHARE MODE")
        .unwrap();
    let mut holder = spawn(&db, &["up", "--lock-timeout", "10s"]);
    wait_until("the first run holds the lock", || held(&db));
    wait_until("it waits for the table", || blocked(&db));
    let waiting = spawn(&db, &["up", "--wait", "60s", "--format", "json"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    reading.commit().unwrap();
    let report = end(waiting).succeeded().json();
    let files: Vec<_> = report["applied"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["version"].as_i64())
        .collect();
    let expected: Vec<_> = (10..=migrations()).map(Some).collect();
    assert_eq!(files, expected);
}

fn blocked(db: &Database) -> bool {
    let row = db.client().query_one(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'ext-migrate'
         AND datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0)",
        &[],
    );
    row.unwrap().get(0)
}

/// The second connection only finds out about poolers and shows progress.
#[test]
fn one_connection_is_enough() {
    let db = Server::shared().empty_database();
    let owner = db.create_role_with("owner", "CONNECTION LIMIT 1");
    db.server().administer(&format!(
        "GRANT CREATE ON DATABASE {} TO {owner}",
        db.name()
    ));
    let output = ext_migrate()
        .args(["up", "--schema", "registry", "--database-url"])
        .arg(db.url_as(&owner))
        .output();
    Outcome::from(output.unwrap()).succeeded();
}

#[test]
fn a_table_lock_past_its_retries_is_exit_5_and_nothing_is_half_done() {
    let db = Server::shared().empty_database();
    Folder::first(1).up(&db.url()).succeeded();
    let mut reader = db.client();
    let mut reading = reader.transaction().unwrap();
    reading.query("SELECT FROM extension_version", &[]).unwrap();
    let pid: i32 = reading
        .query_one("SELECT pg_backend_pid()", &[])
        .unwrap()
        .get(0);
    let refused = db
        .ext_migrate(&["up", "--without-extension", "--lock-timeout", "10ms"])
        .exited(5);
    assert!(
        refused.stderr.contains("V2__version_columns.sql"),
        "{refused:?}"
    );
    assert_eq!(refused.stderr.matches("stepped back").count(), 7);
    for words in [
        format!("pid {pid} (unnamed, in a transaction for "),
        " s) holds AccessShareLock on extension_version".to_owned(),
    ] {
        assert_eq!(refused.stderr.matches(&words).count(), 8, "{refused:?}");
    }
    let row = db
        .client()
        .query_one("SELECT max(version) FROM ext_registry_schema_history", &[])
        .unwrap();
    assert_eq!(row.get::<_, i32>(0), 1);
    reading.commit().unwrap();
    db.ext_migrate(&["up"]).succeeded();
}

#[test]
fn killed_again_and_again_it_still_finishes() {
    let db = Server::shared().empty_database();
    let mut kills = 0;
    for milliseconds in (20..).step_by(7) {
        let mut child = spawn(&db, &["up"]);
        let deadline = Instant::now() + Duration::from_millis(milliseconds);
        while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        if child.try_wait().unwrap().is_some() {
            end(child).succeeded();
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills > 0);
    db.ext_migrate(&["status", "--exit-code"]).succeeded();
    let row = db
        .client()
        .query_one(
            "SELECT count(*), (SELECT bool_and(indisvalid) FROM pg_index) FROM ext_registry_schema_history",
            &[],
        )
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get(1)), (migrations(), true));
}

#[test]
fn a_pooler_in_transaction_mode_is_exit_7() {
    let server = Server::shared();
    let db = server.empty_database();
    for pool_size in [1, 2, 20] {
        let Some(bouncer) = PgBouncer::start(server, "transaction", pool_size) else {
            return;
        };
        let output = ext_migrate()
            .args(["up", "--database-url", &bouncer.url(db.name())])
            .output()
            .unwrap();
        let refused = Outcome::from(output).exited(7);
        assert!(refused.stderr.contains("transaction mode"), "{refused:?}");
        assert!(!held(&db));
        let row = db
            .client()
            .query_one(
                "SELECT to_regclass('ext_registry_schema_history') IS NULL",
                &[],
            )
            .unwrap();
        assert!(row.get::<_, bool>(0));
        // Reading needs no session.
        let output = ext_migrate()
            .args(["status", "--database-url", &bouncer.url(db.name())])
            .output()
            .unwrap();
        Outcome::from(output).succeeded();
    }
}

#[test]
fn a_pooler_in_session_mode_will_do() {
    let server = Server::shared();
    let db = server.empty_database();
    let Some(bouncer) = PgBouncer::start(server, "session", 20) else {
        return;
    };
    let output = ext_migrate()
        .args(["up", "--database-url", &bouncer.url(db.name())])
        .output()
        .unwrap();
    Outcome::from(output).succeeded();
    assert!(!held(&db));
}

#[test]
fn a_cut_connection_is_exit_7_and_the_next_run_goes_on() {
    let db = Server::shared().empty_database();
    db.ext_migrate(&["up", "--without-extension"]).succeeded();
    db.client().batch_execute(REWIND).unwrap();
    let mut reader = db.client();
    let mut reading = reader.transaction().unwrap();
    reading
        .batch_execute("LOCK extension_bundle IN SHARE MODE")
        .unwrap();
    let running = spawn(&db, &["up", "--lock-timeout", "30s"]);
    wait_until("it waits for the table", || blocked(&db));
    db.client()
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'ext-migrate' AND datname = current_database()",
        )
        .unwrap();
    let cut = end(running).exited(7);
    assert!(
        cut.stderr.contains("V10__validate_bundle_checks.sql"),
        "{cut:?}"
    );
    reading.commit().unwrap();
    db.ext_migrate(&["up"]).succeeded();
    db.ext_migrate(&["status", "--exit-code"]).succeeded();
}

#[test]
fn a_server_killed_again_and_again_ends_where_an_undisturbed_one_does() {
    let server = Server::start(&Options {
        fsync: true,
        ..Options::default()
    });
    let db = server.empty_database();
    let mut kills = 0;
    for milliseconds in (30..).step_by(40) {
        let mut child = spawn(&db, &["up"]);
        let deadline = Instant::now() + Duration::from_millis(milliseconds);
        while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        if child.try_wait().unwrap().is_some() {
            end(child).succeeded();
            break;
        }
        server.kill9();
        end(child).exited(7);
        server.restart();
        kills += 1;
    }
    assert!(kills > 0);
    db.ext_migrate(&["status", "--exit-code"]).succeeded();
    let row = db
        .client()
        .query_one(
            "SELECT count(*), (SELECT bool_and(indisvalid) FROM pg_index) FROM ext_registry_schema_history",
            &[],
        )
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get(1)), (migrations(), true));
}

/// A session of this name that keeps everybody off these tables.
fn keep_off(db: &Database, tables: &str) -> (postgres::Client, i32) {
    let mut holder = db
        .config()
        .application_name("maintenance")
        .connect(NoTls)
        .unwrap();
    holder
        .batch_execute(&format!(
            "BEGIN; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"
        ))
        .unwrap();
    let pid = backend_pid(&mut holder);
    (holder, pid)
}

#[test]
fn a_table_that_is_kept_from_everybody_is_exit_5_and_the_holder_is_named() {
    let db = Server::shared().migrated_database();
    let reader = db.create_role("reader");
    db.ext_migrate(&["seal"]).succeeded();
    let auditor = db.create_role("auditor");
    db.ext_migrate(&["grant", "--auditor", &auditor])
        .succeeded();
    let (mut holder, pid) = keep_off(
        &db,
        "extension_registry, extension_version, extension_bundle, tenant_extension_install, extension_log_leaf,
         extension_log_tile, extension_log_checkpoint, extension_log_signature, ext_registry_schema_history",
    );
    let directory = std::env::temp_dir().join(format!("tiles.{}", std::process::id()));
    let directory = directory.to_str().unwrap();
    for command in [
        &["up"][..],
        &["plan"],
        &["status"],
        &["check"],
        &["seal"],
        &["audit"],
        &["export-tiles", directory],
    ] {
        let begin = Instant::now();
        let timeout = ["--lock-timeout", "200ms"];
        let refused = db.ext_migrate(&[command, &timeout].concat()).exited(5);
        assert!(begin.elapsed() < Duration::from_secs(20), "{command:?}");
        assert!(
            refused
                .stderr
                .contains(&format!("pid {pid} (maintenance, in a transaction for "))
                && refused.stderr.contains("holds AccessExclusiveLock on "),
            "{command:?}: {refused:?}"
        );
    }
    // GRANT takes no lock on a table; whatever it waits for, it does not wait long.
    let granted = db.ext_migrate(&["grant", "--reader", &reader, "--lock-timeout", "200ms"]);
    assert!([0, 5].contains(&granted.code), "{granted:?}");
    // Who may not look into other sessions sees no age.
    let output = ext_migrate()
        .args(["status", "--lock-timeout", "200ms", "--format", "json"])
        .args(["--database-url", &db.url_as(&auditor)])
        .output()
        .unwrap();
    let refused = Outcome::from(output).exited(5).json();
    let reasons = refused["error"]["reasons"].to_string();
    assert!(
        reasons.contains(&format!(
            "pid {pid} (maintenance) holds AccessExclusiveLock on "
        )),
        "{refused}"
    );
    holder.batch_execute("COMMIT").unwrap();
    db.ext_migrate(&["check"]).succeeded();
}

#[test]
fn seals_wait_for_each_other_as_long_as_wait_says() {
    let db = Server::shared().migrated_database();
    let mut other = db.client();
    other
        .batch_execute("BEGIN; LOCK TABLE extension_log_leaf IN SHARE ROW EXCLUSIVE MODE")
        .unwrap();
    let impatient = ["seal", "--lock-timeout", "50ms", "--wait", "300ms"];
    let refused = db.ext_migrate(&impatient).exited(5);
    assert!(
        refused
            .stderr
            .contains("holds ShareRowExclusiveLock on extension_log_leaf"),
        "{refused:?}"
    );
    let waiting = spawn(&db, &["seal", "--lock-timeout", "50ms"]);
    std::thread::sleep(Duration::from_millis(500));
    other.batch_execute("COMMIT").unwrap();
    end(waiting).succeeded();
}

#[test]
fn an_index_build_that_waits_says_for_whom() {
    let db = Server::shared().empty_database();
    db.client().batch_execute(&old_schema(&[])).unwrap();
    let mut other = db
        .config()
        .application_name("reports")
        .connect(NoTls)
        .unwrap();
    other
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        .unwrap();
    let pid = backend_pid(&mut other);
    let mut running = spawn(&db, &["up", "--without-extension"]);
    let words = format!("waiting for the transaction of pid {pid} (reports, open for ");
    let told = BufReader::new(running.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains(&words));
    assert!(told.is_some(), "nothing was said");
    other.batch_execute("COMMIT").unwrap();
    end(running).succeeded();
}
