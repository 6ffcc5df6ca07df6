//! Dumps of the whole database.

use ext_registry_tests::Server;

use crate::{Original, codes};

#[test]
fn a_script_restores_all() {
    let script = Original::dump(&[]);
    let inserts = Original::dump(&["--column-inserts", "--rows-per-insert=50"]);
    for dump in [script, inserts] {
        let db = Server::shared().empty_database();
        let _ = dump.psql(&db).succeeded();
        Original::get().contents.assert_live_in(&db);
    }
}

#[test]
fn an_archive_restores_all() {
    let dump = Original::dump(&["--format=custom"]);
    for arguments in [
        ["--exit-on-error"],
        ["--single-transaction"],
        ["--jobs=4"],
        // Without --data-only it has no effect: the guards come after the rows.
        ["--disable-triggers"],
    ] {
        let db = Server::shared().empty_database();
        let _ = dump.pg_restore(&db, &arguments).succeeded();
        Original::get().contents.assert_live_in(&db);
    }
}

#[test]
fn a_directory_with_jobs_restores_all() {
    let dump = Original::dump(&["--format=directory", "--jobs=4"]);
    let db = Server::shared().empty_database();
    let _ = dump.pg_restore(&db, &["--jobs=4"]).succeeded();
    Original::get().contents.assert_live_in(&db);
}

#[test]
fn with_clean_it_replaces_another_registry() {
    let dump = Original::dump(&["--format=custom"]);
    let db = Server::shared().migrated_database();
    ext_registry_tests::publish(&mut db.client(), "9.0.0");
    let _ = dump
        .pg_restore(&db, &["--clean", "--if-exists", "--single-transaction"])
        .succeeded();
    Original::get().contents.assert_live_in(&db);
}

/// Nothing of the registry that is there is lost or replaced.
#[test]
fn without_clean_it_changes_no_registry_that_is_there() {
    let dump = Original::dump(&["--format=custom"]);
    let db = Server::shared().registry_of_many_years();
    let there = ext_registry_tests::Contents::of(&mut db.client());
    let failed = dump.pg_restore(&db, &[]).exited(1);
    assert!(failed.stderr.contains("already exists"), "{failed:?}");
    there.assert_live_in(&db);
}

/// `--schema` leaves extensions out, and `up` installs ours.
#[test]
fn a_dump_of_the_schema_public_lacks_the_extension() {
    let dump = Original::dump(&["--format=custom", "--schema=public"]);
    let db = Server::shared().empty_database();
    let _ = dump
        .pg_restore(&db, &["--clean", "--if-exists"])
        .succeeded();
    assert_eq!(codes(&db, 8), ["EXTENSION_MISSING"]);
    let _ = db.ext_migrate(&["up"]).succeeded();
    Original::get().contents.assert_live_in(&db);
}
