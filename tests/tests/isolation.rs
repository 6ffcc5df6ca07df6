//! Runs the specs of tests/isolation with Postgres' own isolation tester, at each isolation level.
//!
//! The steps are the same at every level; what they lead to is in expected/<level>. After a change on purpose, copy
//! the new output from the folder that the failure names.

use std::fs;
use std::os::unix::fs::symlink;
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
    // The first run finds nothing to remove.
    let _ = fs::remove_dir_all(&outcome);
    fs::create_dir_all(&outcome).unwrap();
    symlink(sources.join("specs"), outcome.join("specs")).unwrap();
    symlink(
        sources.join("expected").join(&folder),
        outcome.join("expected"),
    )
    .unwrap();

    let mut tester = Command::new(isolation_tester());
    tester
        .arg("--use-existing")
        .arg(format!("--inputdir={}", outcome.display()))
        .arg(format!("--outputdir={}", outcome.display()))
        .arg(format!("--dbname={}", db.name()))
        .arg(format!("--host={}", db.server().sockets().display()))
        .arg(format!("--port={}", db.server().port()))
        .arg("--user=postgres")
        .args(specs(&sources.join("specs")))
        .env_remove("PGOPTIONS")
        // Seconds until a step is cancelled that nobody lets go on; the tester's own limit is five minutes.
        .env("PGISOLATIONTIMEOUT", "30")
        .current_dir(&outcome);
    let ran = tester.output().unwrap();
    let differences = fs::read_to_string(outcome.join("output_iso/regression.diffs"))
        .or_else(|_| fs::read_to_string(outcome.join("regression.diffs")))
        .unwrap_or_default();
    assert!(
        ran.status.success(),
        "at {level}: results are in {}\n{}{}\n{differences}",
        outcome.display(),
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
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
    let tester = pgxs.unwrap().join("test/isolation/pg_isolation_regress");
    assert!(
        tester.exists(),
        "{} is missing: it comes with PostgreSQL's server headers",
        tester.display()
    );
    tester
}
