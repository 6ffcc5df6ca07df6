//! Tables without their rows: the history goes with the rows.

use ext_registry_tests::{Refusal, Server, finalize, hash, manifest, publish};

use crate::{AS_REPLICA, Original, TABLES, codes};

#[test]
fn rows_and_history_follow_in_a_restore_of_their_own() {
    let dump = Original::dump(&["--format=custom"]);
    let db = Server::shared().empty_database();
    let _ = dump.pg_restore(&db, &["--schema-only"]).succeeded();
    let _ = dump
        .pg_restore_with(&db, &["--data-only"], AS_REPLICA)
        .succeeded();
    Original::get().contents.assert_live_in(&db);
}

#[test]
fn alone_it_is_a_registry_whose_history_is_lost() {
    let dump = Original::dump(&["--schema-only"]);
    let db = Server::shared().empty_database();
    let _ = dump.psql(&db).succeeded();
    assert_eq!(codes(&db, 8), ["HISTORY_LOST"]);
    let plan = db
        .ext_migrate(&["plan", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(plan["drift"][0]["code"], "HISTORY_LOST");
    assert_eq!(plan["pending"].as_array().unwrap().len(), 0);

    let report = db
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(report["mended"][0]["code"], "HISTORY_LOST");
    assert_eq!(report["proof"]["rows_updated"], 0);
    assert_eq!(codes(&db, 0), Vec::<String>::new());
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    finalize(&mut client, &manifest("1.0.0"), &hash(1))
        .refused()
        .with_sqlstate("23505");
}

#[test]
fn the_rows_may_follow_after_up_has_written_the_history() {
    let dump = Original::dump(&["--format=custom"]);
    let db = Server::shared().empty_database();
    let _ = dump.pg_restore(&db, &["--schema-only"]).succeeded();
    let _ = db.ext_migrate(&["up"]).succeeded();
    let arguments = [&TABLES[..], &["--data-only"]].concat();
    let _ = dump
        .pg_restore_with(&db, &arguments, AS_REPLICA)
        .succeeded();
    Original::get().contents.assert_live_in(&db);
}

/// What else is missing or weak is drift, and mended as such.
#[test]
fn a_lost_history_and_weak_guards_are_mended_together() {
    let dump = Original::dump(&["--format=custom"]);
    let db = Server::shared().empty_database();
    let _ = dump.pg_restore(&db, &[]).succeeded();
    db.client()
        .batch_execute(
            "DROP TABLE ext_registry_schema_history;
             ALTER TABLE extension_version ENABLE TRIGGER ALL;
             DROP INDEX extension_version_list_idx;
             ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_size_bytes_check",
        )
        .unwrap();
    assert_eq!(
        codes(&db, 8),
        [
            "CONSTRAINT_MISSING",
            // That of the history itself.
            "GUARD_MISSING",
            "GUARD_NOT_ALWAYS",
            "HISTORY_LOST",
            "INDEX_MISSING"
        ]
    );
    let _ = db.ext_migrate(&["up"]).succeeded();
    Original::get().contents.assert_live_in(&db);
}

/// The functions of the guards belong to no table: the triggers that call them fail to be restored.
#[test]
fn a_dump_of_the_tables_by_name_lacks_the_guards() {
    for history in [true, false] {
        let mut arguments = vec!["--table=extension_*", "--table=tenant_extension_install"];
        if history {
            arguments.push("--table=ext_registry_schema_history");
        }
        let dump = Original::dump(&arguments);
        let db = Server::shared().empty_database();
        let mut psql = db.program("psql");
        psql.args(["--no-psqlrc", "--quiet", "--file"])
            .arg(dump.path());
        let restored = crate::run(&mut psql).succeeded();
        assert!(
            restored.stderr.contains("extension_version_immutable()"),
            "{restored:?}"
        );
        let mut missing = vec![
            "EXTENSION_MISSING",
            "GUARD_FUNCTION_MISSING",
            "GUARD_MISSING",
        ];
        if !history {
            missing.push("HISTORY_LOST");
        }
        assert_eq!(codes(&db, 8), missing);
        let _ = db.ext_migrate(&["up"]).succeeded();
        Original::get().contents.assert_live_in(&db);
    }
}

/// Where neither all guards nor all checks are there, nothing says that the rest is ours: people decide.
#[test]
fn from_less_than_that_nothing_is_assumed() {
    let dump = Original::dump(&["--schema-only"]);
    let db = Server::shared().empty_database();
    let _ = dump.psql(&db).succeeded();
    db.client()
        .batch_execute(
            "DROP TRIGGER extension_version_immutable ON extension_version;
             ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_size_bytes_check",
        )
        .unwrap();
    let refused = db.ext_migrate(&["up"]).exited(1);
    assert!(refused.stderr.contains("no history"), "{refused:?}");
}
