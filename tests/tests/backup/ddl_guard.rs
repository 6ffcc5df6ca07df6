//! Restores of and into a registry with `up --ddl-guard`.

use ext_registry_tests::{Contents, Database, Server, publish};

use crate::{Dump, Original, TABLES, codes};

/// For a restore that is meant.
const SWITCHED_OFF: &str = "-c ext_registry.ddl_guard=off";

fn guarded() -> Database<'static> {
    let db = Server::shared().migrated_database();
    let _ = db.ext_migrate(&["up", "--ddl-guard"]).succeeded();
    db
}

fn assert_is_on(db: &Database) {
    let report = db
        .ext_migrate(&["check", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(report["ddl_guard"], "on");
}

#[test]
fn it_is_restored_with_the_rest() {
    let source = guarded();
    let mut client = source.client();
    publish(&mut client, "1.0.0");
    let dump = Dump::of(&source, &["--format=custom"]);
    let db = Server::shared().empty_database();
    let _ = dump.pg_restore(&db, &["--exit-on-error"]).succeeded();
    Contents::of(&mut client).assert_are_in(&mut db.client());
    assert_is_on(&db);
}

#[test]
fn a_clean_restore_into_it_says_that_it_is_meant() {
    let dump = Original::dump(&["--format=custom"]);
    let db = guarded();
    let arguments = ["--clean", "--if-exists", "--single-transaction"];
    let refused = dump.pg_restore(&db, &arguments).exited(1);
    assert!(refused.stderr.contains("it would weaken"), "{refused:?}");
    assert_is_on(&db);
    let _ = dump
        .pg_restore_with(&db, &arguments, SWITCHED_OFF)
        .succeeded();
    assert_is_on(&db);
    Original::get().contents.assert_live_in(&db);
}

#[test]
fn disable_triggers_says_that_it_is_meant() {
    let dump = Original::dump(&["--format=custom"]);
    let db = guarded();
    let arguments = [&TABLES[..], &["--data-only", "--disable-triggers"]].concat();
    let refused = dump
        .pg_restore(&db, &[&arguments[..], &["--exit-on-error"]].concat())
        .exited(1);
    assert!(refused.stderr.contains("it would weaken"), "{refused:?}");
    assert_is_on(&db);
    let _ = dump
        .pg_restore_with(&db, &arguments, SWITCHED_OFF)
        .succeeded();
    assert_eq!(codes(&db, 8), ["GUARD_NOT_ALWAYS"]);
    let _ = db.ext_migrate(&["up"]).succeeded();
    Original::get().contents.assert_live_in(&db);
}
