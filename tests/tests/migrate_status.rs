//! `ext-migrate status`, the history it reads, and what every command says about wrong usage.

use ext_registry_tests::{
    Folder, Outcome, Server, assert_nothing_is_there, ext_migrate, shipped, workspace_root,
};

#[test]
fn history_and_files_that_disagree_exit_4() {
    let cases = [
        (
            "UPDATE ext_registry_schema_history SET checksum = '1' WHERE version = 2",
            "V2__version_columns.sql was changed",
        ),
        (
            "INSERT INTO ext_registry_schema_history VALUES (999, 'later', '2026-01-01T00:00:00Z', '1')",
            "newer ext-migrate",
        ),
        (
            "DELETE FROM ext_registry_schema_history WHERE version = 3",
            "V3__bundle_columns.sql is missing from the history",
        ),
        (
            "UPDATE ext_registry_schema_history SET name = 'x' WHERE version = 4",
            "V4__x was applied",
        ),
    ];
    for (change, words) in cases {
        let db = Server::shared().migrated_database();
        db.client().batch_execute(change).unwrap();
        for command in ["up", "status"] {
            let refused = db.ext_migrate(&[command]).exited(4);
            assert!(refused.stderr.contains(words), "{command}: {refused:?}");
        }
        let report = db
            .ext_migrate(&["status", "--format", "json"])
            .exited(4)
            .json();
        assert!(
            report["problems"][0].as_str().unwrap().contains(words),
            "{report}"
        );
    }
    let db = Server::shared().migrated_database();
    let refused = Folder::of(&shipped()[1..])
        .ext_migrate(&db.url(), &["status"])
        .exited(4);
    assert!(
        refused
            .stderr
            .contains("V1__tables was applied and its file is missing"),
        "{refused:?}"
    );
}

#[test]
fn status_writes_nothing_and_needs_no_right_to() {
    let db = Server::shared().empty_database();
    let reader = db.create_role_with("reader", "IN ROLE pg_read_all_data");
    let status = |arguments: &[&str]| {
        let output = ext_migrate()
            .args(arguments)
            .args(["--database-url", &db.url_as(&reader)])
            .output()
            .unwrap();
        Outcome::from(output)
    };
    let fresh = status(&["status", "--exit-code", "--format", "json"])
        .exited(3)
        .json();
    assert_eq!(
        (&fresh["state"], &fresh["current"]),
        (&"fresh".into(), &serde_json::Value::Null)
    );
    assert_eq!(fresh["pending"], shipped().len());
    status(&["status"]).exited(0);
    assert_nothing_is_there(&mut db.client());

    db.ext_migrate(&["up"]).succeeded();
    let current = status(&["status", "--exit-code", "--format", "json"])
        .exited(0)
        .json();
    assert_eq!(
        (&current["state"], &current["pending"]),
        (&"current".into(), &0.into())
    );
    assert_eq!(
        current["extension"]["installed"],
        current["extension"]["available"]
    );
    let text = status(&["status"]).exited(0);
    assert!(
        text.stdout.contains("V1__tables.sql") && text.stdout.contains("applied"),
        "{text:?}"
    );
}

#[test]
fn whoever_may_read_the_history_may_ask_in_a_read_only_database() {
    let db = Server::shared().migrated_database();
    let monitor = db.create_role("monitor");
    db.client()
        .batch_execute(&format!(
            "GRANT SELECT ON ext_registry_schema_history TO \"{monitor}\";
             ALTER DATABASE \"{}\" SET default_transaction_read_only = on",
            db.name()
        ))
        .unwrap();
    for command in ["status", "plan", "check"] {
        let output = ext_migrate()
            .args([command, "--format", "json"])
            .args(["--database-url", &db.url_as(&monitor)])
            .output()
            .unwrap();
        let report = Outcome::from(output).exited(0).json();
        assert_eq!(report["schema"], "public", "{command}: {report}");
    }
}

#[test]
fn the_history_is_as_refinery_writes_it() {
    let db = Server::shared().migrated_database();
    let columns = db
        .client()
        .query_one(
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = 'ext_registry_schema_history'::regclass AND attnum > 0",
            &[],
        )
        .unwrap();
    assert_eq!(
        columns.get::<_, String>(0),
        "version integer, name character varying(255), applied_on character varying(255), checksum character varying(255)"
    );
    // refinery itself: every row parses, every checksum is the one it computes, nothing is left to run.
    let files = refinery::load_sql_migrations(workspace_root().join("sql/migrations")).unwrap();
    let mut runner = refinery::Runner::new(&files);
    runner.set_migration_table_name("ext_registry_schema_history");
    let applied = runner.get_applied_migrations(&mut db.client()).unwrap();
    assert_eq!(applied.len(), files.len());
    let report = runner.run(&mut db.client()).unwrap();
    assert!(report.applied_migrations().is_empty());
}

#[test]
fn wrong_usage_exits_2_and_help_0() {
    for arguments in [
        &["up", "--nonsense"][..],
        &["grant"],
        &["up", "--lock-timeout", "0"],
        &["up", "--wait", "soon"],
        &[],
    ] {
        let output = ext_migrate().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [
        &["--help"][..],
        &["up", "--help"],
        &["grant", "--help"],
        &["completions", "bash"],
        &["man"],
    ] {
        let output = ext_migrate().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stdout.len() > 200, "{arguments:?}");
    }
    let help = ext_migrate().args(["up", "--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"));
}

#[test]
fn errors_are_json_too() {
    let db = Server::shared().migrated_database();
    let refused = db
        .ext_migrate(&["up", "--schema", "other", "--format", "json"])
        .exited(1)
        .json();
    assert_eq!(refused["error"]["code"], "SECOND_SCHEMA");
    assert_eq!(refused["error"]["exit_code"], 1);
}
