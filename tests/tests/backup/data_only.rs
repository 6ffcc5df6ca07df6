//! Rows without their tables, restored into a registry that is guarded already.

use ext_registry_tests::{Contents, Database, Server};

use crate::{AS_REPLICA, Dump, Original, TABLES, codes};

fn with_tables<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&TABLES, arguments].concat()
}

fn is_empty(db: &Database) -> bool {
    let query = "SELECT count(*) = 0 FROM extension_version";
    db.client().query_one(query, &[]).unwrap().get(0)
}

#[test]
fn old_rows_are_let_in_to_a_replica_and_refused_otherwise() {
    let dump = Original::dump(&["--format=custom", "--data-only"]);
    let db = Server::shared().migrated_database();
    let refused = dump.pg_restore(&db, &with_tables(&[])).exited(1);
    for words in [
        "INSERT on extension_version refused",
        "only versions that were there before the registry was guarded are marked as adopted",
        "VERSION_IMMUTABLE",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    assert!(is_empty(&db));

    let db = Server::shared().migrated_database();
    let _ = dump
        .pg_restore_with(&db, &with_tables(&[]), AS_REPLICA)
        .succeeded();
    Original::get().contents.assert_live_in(&db);
}

#[test]
fn a_role_without_superuser_cannot_ask_for_it() {
    let dump = Original::dump(&["--format=custom", "--data-only"]);
    let db = Server::shared().migrated_database();
    let role = db.create_role("restorer");
    let as_role = format!("--username={role}");
    let refused = dump
        .pg_restore_with(&db, &with_tables(&[&as_role]), AS_REPLICA)
        .exited(1);
    assert!(
        refused.stderr.contains("session_replication_role"),
        "{refused:?}"
    );
    assert!(is_empty(&db));
}

#[test]
fn every_kind_of_archive_and_script_will_do() {
    let archive = Original::dump(&["--format=custom"]);
    let directory = Original::dump(&["--format=directory"]);
    for (dump, arguments) in [
        (&archive, ["--data-only"].as_slice()),
        (&archive, &["--data-only", "--single-transaction"]),
        (&directory, &["--data-only", "--jobs=4"]),
    ] {
        let db = Server::shared().migrated_database();
        let _ = dump
            .pg_restore_with(&db, &with_tables(arguments), AS_REPLICA)
            .succeeded();
        Original::get().contents.assert_live_in(&db);
    }

    let script = Original::dump(&["--data-only", "--exclude-table=ext_registry_schema_history"]);
    let db = Server::shared().migrated_database();
    let mut psql = db.program("psql");
    psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"])
        .arg("--file")
        .arg(script.path())
        .env("PGOPTIONS", AS_REPLICA);
    let _ = crate::run(&mut psql).succeeded();
    Original::get().contents.assert_live_in(&db);
}

/// The tables of a registry that was made by the migrations have no old rows, and need no superuser.
#[test]
fn rows_that_passed_the_guards_pass_them_again() {
    let source = Server::shared().migrated_database();
    let mut client = source.client();
    for version in ["1.0.0", "1.0.*", "2.0.0-rc.1"] {
        ext_registry_tests::publish(&mut client, version);
    }
    let contents = Contents::of(&mut client);
    // A dump of the data alone has the tables in the order that foreign keys ask for.
    let dump = Dump::of(
        &source,
        &[
            "--format=custom",
            "--data-only",
            "--exclude-table=ext_registry_schema_history",
            // The log is for its owner to restore.
            "--exclude-table=extension_log_*",
        ],
    );
    let db = Server::shared().migrated_database();
    let role = db.create_role("restorer");
    db.client()
        .batch_execute(&format!(
            "GRANT INSERT ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .unwrap();
    let _ = dump
        .pg_restore(&db, &[&format!("--username={role}"), "--exit-on-error"])
        .succeeded();
    contents.assert_are_in(&mut db.client());
    assert_eq!(codes(&db, 0), Vec::<String>::new());
}

/// ALTER TABLE … ENABLE TRIGGER ALL, with which it ends, forgets ENABLE ALWAYS.
#[test]
fn disable_triggers_weakens_the_guards_and_up_mends_them() {
    let archive = Original::dump(&["--format=custom"]);
    let db = Server::shared().migrated_database();
    let _ = archive
        .pg_restore(&db, &with_tables(&["--data-only", "--disable-triggers"]))
        .succeeded();
    assert_eq!(codes(&db, 8), ["GUARD_NOT_ALWAYS"]);
    let _ = db.ext_migrate(&["up"]).succeeded();
    Original::get().contents.assert_live_in(&db);
}

/// Foreign keys sleep in a restore of that kind: rows whose table was forgotten leave a trace.
#[test]
fn rows_whose_row_is_missing_are_named() {
    let archive = Original::dump(&["--format=custom"]);
    let db = Server::shared().migrated_database();
    let restore = |table: &str| {
        let arguments = ["--data-only", table];
        let _ = archive
            .pg_restore_with(&db, &arguments, AS_REPLICA)
            .succeeded();
    };
    restore("--table=extension_bundle");
    restore("--table=tenant_extension_install");
    let report = db
        .ext_migrate(&["check", "--rows", "--format", "json"])
        .exited(8)
        .json();
    let objects: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            assert_eq!(finding["code"], "ROWS_ORPHANED");
            finding["object"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        objects,
        [
            "extension_bundle.version_id",
            "tenant_extension_install.registry_id",
            "tenant_extension_install.version_id",
        ]
    );
    restore("--table=extension_registry");
    restore("--table=extension_version");
    Original::get().contents.assert_live_in(&db);
}
