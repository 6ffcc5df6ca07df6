//! Runs the specs of tests/isolation with Postgres' own isolation tester, at each isolation level.
//!
//! The steps are the same at every level; what they lead to is in expected/<level>. After a change on purpose, copy
//! the new output from the folder that the failure names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ext_registry_tests::{Database, Server, program, workspace_root};

#[test]
fn specs_at_read_committed() {
    run_specs("read committed");
}

#[test]
fn specs_at_repeatable_read() {
    run_specs("repeatable read");
}

#[test]
fn specs_at_serializable() {
    run_specs("serializable");
}

fn run_specs(level: &str) {
    // Its own tables for each permutation: the migrations run in setup.sql.
    let db = Server::shared().empty_database();
    prepare(&db, level);

    let sources = workspace_root().canonicalize().unwrap();
    let sources = sources.join("tests/isolation");
    let folder = level.replace(' ', "-");
    let outcome = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("isolation")
        .join(&folder);
    fs::create_dir_all(&outcome).unwrap();

    let mut wrong = String::new();
    for name in specs(&sources.join("specs")) {
        let printed = run_spec(&db, &sources.join(format!("specs/{name}.spec")));
        let file = outcome.join(format!("{name}.out"));
        fs::write(&file, printed).unwrap();
        let expected = sources.join(format!("expected/{folder}/{name}.out"));
        let compared = Command::new("diff")
            .arg("-U3")
            .args([&expected, &file])
            .output();
        wrong += &String::from_utf8_lossy(&compared.unwrap().stdout);
    }
    assert!(
        wrong.is_empty(),
        "at {level}: results are in {}\n{wrong}",
        outcome.display()
    );
}

/// What the tester prints, errors included.
fn run_spec(db: &Database<'_>, spec: &Path) -> String {
    let (sockets, port) = (db.server().sockets().display(), db.server().port());
    let place = format!(
        "host={sockets} port={port} user=postgres dbname={}",
        db.name()
    );
    let ran = Command::new("/bin/sh")
        .args(["-c", r#"exec "$0" "$1" <"$2" 2>&1"#])
        .arg(isolation_tester())
        .arg(place)
        .arg(spec)
        .env_remove("PGOPTIONS")
        .env("LC_ALL", "C")
        // Seconds until a step is cancelled that nobody lets go on; the tester's own limit is five minutes.
        .env("PGISOLATIONTIMEOUT", "30")
        .output()
        .unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

/// What the specs take for granted: their level, their helpers, the migrations as data.
fn prepare(db: &Database<'_>, level: &str) {
    let mut client = db.client();
    client
        .batch_execute(&format!(
            "ALTER DATABASE {name} SET default_transaction_isolation = '{level}';
             ALTER DATABASE {name} SET search_path = public, isolation;
             -- Which rows a serializable transaction is taken to have read depends on the plan.
             ALTER DATABASE {name} SET enable_seqscan = off;
             -- Migrations skip columns that are there, with a notice.
             ALTER DATABASE {name} SET client_min_messages = warning;
             CREATE EXTENSION ext_registry SCHEMA public;
             CREATE SCHEMA isolation;
             CREATE TABLE isolation.migration (number integer PRIMARY KEY, statements text NOT NULL)",
            name = db.name()
        ))
        .unwrap();
    for entry in fs::read_dir(workspace_root().join("sql/migrations")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number: i32 = name.split_once("__").unwrap().0[1..].parse().unwrap();
        // The specs set up empty tables, all in one transaction.
        let statements = fs::read_to_string(&path)
            .unwrap()
            .replace("@schema@", "public")
            .replace("INDEX CONCURRENTLY", "INDEX");
        client
            .execute(
                "INSERT INTO isolation.migration VALUES ($1, $2)",
                &[&number, &statements],
            )
            .unwrap();
    }
    let helpers = fs::read_to_string(workspace_root().join("tests/isolation/setup.sql")).unwrap();
    client.batch_execute(&helpers).unwrap();
}

fn specs(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "spec")
        })
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// It comes with the server's headers, below the folder of PGXS.
fn isolation_tester() -> PathBuf {
    let printed = program("pg_config").arg("--pgxs").output().unwrap();
    let makefile = String::from_utf8(printed.stdout).unwrap();
    let pgxs = Path::new(makefile.trim()).ancestors().nth(2);
    let tester = pgxs.unwrap().join("test/isolation/isolationtester");
    assert!(
        tester.exists(),
        "{} is missing: it comes with PostgreSQL's server headers",
        tester.display()
    );
    tester
}
