//! `up` interrupted at every statement: the next one ends where an undisturbed one does.

mod index;
mod proxy;

use std::process::{Child, Stdio};
use std::time::Duration;

use ext_registry_tests::old_schema::{Rows, old_rows, old_schema};
use ext_registry_tests::{Database, Outcome, Server, ext_migrate, soak_size};
use proxy::{Proxy, Way};

fn spawn(url: &str) -> Child {
    ext_migrate()
        .args(["up", "--database-url", url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The definitions of everything in the database.
fn dump(db: &Database) -> String {
    let output = db.program("pg_dump").arg("--schema-only").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Newer releases of pg_dump fence their output with a word made up for each run.
    let lines = text.lines().filter(|line| !line.starts_with('\\'));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs `up` and interrupts it at this message; gives what it said, or None where `up` has come to its end before.
fn interrupt(db: &Database<'static>, way: Way, point: usize) -> Option<String> {
    let proxy = Proxy::start(db.server(), way, point);
    let mut child = spawn(&proxy.url(db.name()));
    let statement = loop {
        if let Ok(statement) = proxy.reached.recv_timeout(Duration::from_millis(5)) {
            break Some(statement);
        }
        if child.try_wait().unwrap().is_some() {
            break proxy.reached.try_recv().ok();
        }
    };
    if statement.is_some() && way != Way::Terminated {
        child.kill().unwrap();
    }
    let end = Outcome::from(child.wait_with_output().unwrap());
    match (&statement, way) {
        (None, _) => end.exited(0),
        (Some(_), Way::Terminated) => end.exited(7),
        // By the signal: it has no exit code.
        (Some(_), _) => end.exited(-1),
    };
    statement
}

/// Interrupts `up` on copies of `template`. Each of the tests takes another part of the statements and `make soak`
/// takes all of them in every test.
fn interrupted(template: &Database<'static>, way: Way, part: usize) {
    let server = template.server();
    let copy = || server.database_with(&format!("TEMPLATE {}", template.name()));
    let undisturbed = copy();
    let _ = undisturbed.ext_migrate(&["up"]).succeeded();
    let expected = dump(&undisturbed);

    let (step, first) = match soak_size("EVERY_STATEMENT", 0, 1) {
        0 => (PARTS, 1 + part),
        _ => (1, 1),
    };
    let mut points = 0;
    for point in (first..).step_by(step) {
        let db = copy();
        let old = (!is_empty(&db)).then(|| Rows::remember(&mut db.client(), "public"));
        let Some(statement) = interrupt(&db, way, point) else {
            break;
        };
        points += 1;
        let _ = db.ext_migrate(&["up"]).succeeded();
        assert_eq!(
            dump(&db),
            expected,
            "{way:?} at message {point}: {statement}"
        );
        let _ = db.ext_migrate(&["check"]).succeeded();
        if let Some(old) = old {
            old.assert_untouched(&mut db.client());
        }
    }
    assert!(points * step >= 30, "only {points} points, one in {step}");
}

const PARTS: usize = 6;

fn is_empty(db: &Database) -> bool {
    let row = db
        .client()
        .query_one("SELECT to_regclass('extension_version') IS NULL", &[]);
    row.unwrap().get(0)
}

fn old_database() -> Database<'static> {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client.batch_execute(old_rows()).unwrap();
    db
}

#[test]
fn killed_before_a_statement_on_an_empty_database() {
    interrupted(&Server::shared().empty_database(), Way::KilledBefore, 0);
}

#[test]
fn killed_after_a_statement_on_an_empty_database() {
    interrupted(&Server::shared().empty_database(), Way::KilledAfter, 1);
}

#[test]
fn terminated_by_the_server_on_an_empty_database() {
    interrupted(&Server::shared().empty_database(), Way::Terminated, 2);
}

#[test]
fn killed_before_a_statement_of_an_adoption() {
    interrupted(&old_database(), Way::KilledBefore, 3);
}

#[test]
fn killed_after_a_statement_of_an_adoption() {
    interrupted(&old_database(), Way::KilledAfter, 4);
}

#[test]
fn terminated_by_the_server_during_an_adoption() {
    interrupted(&old_database(), Way::Terminated, 5);
}
