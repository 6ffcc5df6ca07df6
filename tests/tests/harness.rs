//! The harness itself: servers are real, private, and gone when they should be.

use std::path::Path;
use std::process::Command;

use ext_registry_tests::{
    Options, Refusal, Server, backend_pid, built_with_tls, program, together, wait_until,
    wait_until_blocked, workspace_root,
};

#[test]
fn two_databases_live_side_by_side() {
    let (one, other) = (
        Server::shared().empty_database(),
        Server::shared().empty_database(),
    );
    one.client().batch_execute("CREATE TABLE mine ()").unwrap();
    other
        .client()
        .execute("SELECT FROM mine", &[])
        .refused()
        .with_sqlstate("42P01");
    one.client().execute("SELECT FROM mine", &[]).unwrap();
}

#[test]
fn a_database_is_dropped_with_its_value() {
    let name = Server::shared().empty_database().name().to_owned();
    let found = Server::shared()
        .client("postgres")
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name])
        .unwrap();
    assert!(found.is_none());
}

#[test]
fn a_migrated_database_has_tables_and_extension() {
    let db = Server::shared().migrated_database();
    let row = db
        .client()
        .query_one(
            "SELECT to_regclass('public.extension_version') IS NOT NULL,
                    EXISTS (SELECT FROM pg_extension WHERE extname = 'ext_registry')",
            &[],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, true));
}

#[test]
fn an_error_shows_all_its_fields() {
    let db = Server::shared().empty_database();
    let refused = db
        .client()
        .batch_execute(
            r#"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23001', DETAIL = '{"code": "NO", "n": 1}',
               SCHEMA = 's', TABLE = 't', CONSTRAINT = 'c', HINT = 'h'; END $$"#,
        )
        .refused()
        .with_sqlstate("23001")
        .with_code("NO")
        .with_detail("n", 1)
        .with_message_containing("no")
        .with_table("s", "t")
        .with_constraint("c");
    assert_eq!(refused.hint.as_deref(), Some("h"));
}

#[test]
fn who_waits_for_a_lock_is_seen() {
    let db = Server::shared().empty_database();
    let mut holder = db.client();
    let mut transaction = holder.transaction().unwrap();
    transaction
        .execute("SELECT pg_advisory_xact_lock(1)", &[])
        .unwrap();
    let mut waiter = db.client();
    let pid = backend_pid(&mut waiter);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| waiter.execute("SELECT pg_advisory_lock(1)", &[]));
        wait_until_blocked(&mut db.client(), pid);
        transaction.commit().unwrap();
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn clients_race_together() {
    let db = Server::shared().empty_database();
    db.client()
        .batch_execute("CREATE TABLE prize (id int PRIMARY KEY)")
        .unwrap();
    let results = together(
        8,
        |_| db.client(),
        |_, mut client| client.execute("INSERT INTO prize VALUES (1)", &[]),
    );
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for result in lost {
        result
            .refused()
            .with_sqlstate("23505")
            .with_constraint("prize_pkey");
    }
}

#[test]
fn other_encodings_need_no_other_server() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let db = Server::shared().database_with(&format!(
            "TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        ));
        let row = db.client().query_one("SHOW server_encoding", &[]).unwrap();
        assert_eq!(row.get::<_, String>(0), encoding);
    }
}

#[test]
fn a_role_logs_in_under_a_name_of_its_own() {
    let db = Server::shared().empty_database();
    let role = db.create_role("reader");
    let row = db
        .client_as(&role)
        .query_one("SELECT current_user::text", &[])
        .unwrap();
    assert_eq!(row.get::<_, String>(0), role);
}

#[test]
fn psql_connects_without_the_callers_settings() {
    let db = Server::shared().empty_database();
    let output = db
        .program("psql")
        .args(["-XAtc", "SELECT current_database()"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        db.name(),
        "{output:?}"
    );
}

#[test]
fn committed_rows_survive_a_crash_and_a_restart() {
    let server = Server::start(&Options {
        fsync: true,
        ..Options::default()
    });
    let db = server.empty_database();
    let mut client = db.client();
    client
        .batch_execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
        .unwrap();
    let before = server.pid();
    server.kill9();
    assert!(client.execute("SELECT 1", &[]).is_err());
    server.restart();
    assert_ne!(server.pid(), before);
    let mut client = db.client();
    let row = client.query_one("SELECT count(*) FROM kept", &[]).unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    assert!(
        server.log().contains("automatic recovery in progress"),
        "{}",
        server.log()
    );
    server.restart();
    assert_eq!(
        db.client()
            .query_one("SELECT count(*) FROM kept", &[])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
}

#[test]
fn a_server_speaks_tls() {
    if !built_with_tls() {
        return;
    }
    let server = Server::start(&Options {
        tls: true,
        conf: vec!["application_name = 'from conf'".to_owned()],
        ..Options::default()
    });
    for (mode, host) in [("verify-full", "localhost"), ("verify-ca", "127.0.0.1")] {
        let url = format!(
            "host={host} hostaddr=127.0.0.1 port={} user=postgres dbname=postgres sslmode={mode} sslrootcert={}",
            server.port(),
            server.ca_file().display()
        );
        let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let output = program("psql")
            .args(["-XAt", &url, "-c", query])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            "t",
            "{output:?}"
        );
    }
}

/// A process that dies without any clean-up leaves neither server nor files.
#[test]
fn a_server_goes_with_its_process() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "dies_with_a_running_server",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8_lossy(&output.stdout);
    let line = printed
        .lines()
        .find_map(|line| line.split_once("server: "))
        .expect("the child names its server")
        .1;
    let parts: Vec<&str> = line.split(' ').collect();
    let [pid, data, sockets] = parts[..] else {
        panic!("{line}")
    };
    wait_until("server and files are gone", || {
        ![&format!("/proc/{pid}/exe"), data, sockets]
            .iter()
            .any(|path| Path::new(path).exists())
    });
}

#[test]
#[ignore = "run by a_server_goes_with_its_process"]
fn dies_with_a_running_server() {
    let server = Server::shared();
    println!(
        "server: {} {} {}",
        server.pid(),
        server.data().display(),
        server.sockets().display()
    );
    std::process::abort();
}

#[test]
fn the_workspace_is_found() {
    assert!(workspace_root().join("sql/migrations").is_dir());
}
