//! `up` on migrations that are not additive, or that have effects which are not.

use std::fs;
use std::path::PathBuf;

use ext_registry_tests::{Database, Outcome};

use crate::live;

/// A directory of migrations that is removed with this value.
struct Files(PathBuf);

impl Files {
    fn new(db: &Database, files: &[(&str, &str)]) -> Self {
        let name = format!("ext_migrate_proof_{}_{}", std::process::id(), db.name());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        for (name, sql) in files {
            fs::write(directory.join(name), sql).expect("a file");
        }
        Self(directory)
    }

    fn up(&self, db: &Database) -> Outcome {
        let directory = self.0.display().to_string();
        db.ext_migrate(&["up", "--without-extension", "--migrations", &directory])
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The first migration is the product's own: `up` looks for the four tables.
const V1: (&str, &str) = (
    "V1__tables.sql",
    include_str!("../../../sql/migrations/V1__tables.sql"),
);
const V2: (&str, &str) = (
    "V2__more.sql",
    "ALTER TABLE @schema@.extension_registry ADD COLUMN more text",
);

/// How many rows and which history there is.
fn state(db: &Database) -> (i64, i64) {
    let row = db
        .client()
        .query_one(
            "SELECT (SELECT count(*) FROM app.parent WHERE note IN ('one', 'two')),
                    (SELECT count(*) FROM public.ext_registry_schema_history)",
            &[],
        )
        .expect("a row");
    (row.get(0), row.get(1))
}

#[test]
fn up_refuses_a_statement_that_is_not_additive_and_does_nothing() {
    let db = live();
    let files = Files::new(
        &db,
        &[
            V1,
            (
                "V2__evil.sql",
                "-- a comment\nCOMMENT ON TABLE @schema@.extension_registry IS 'x';\nDROP TABLE app.child;",
            ),
        ],
    );
    let outcome = files.up(&db).exited(6);
    assert!(
        outcome
            .stderr
            .contains("V2__evil.sql, line 3: DROP TABLE: it removes what exists"),
        "{outcome:?}"
    );
    let history = db
        .client()
        .query_one(
            "SELECT to_regclass('public.ext_registry_schema_history') IS NULL",
            &[],
        )
        .expect("a row");
    assert!(history.get::<_, bool>(0), "V1 must not have run either");
}

/// The effect of an event trigger of the database on an additive migration.
fn up_with_event_trigger(effect: &str, words: &str) {
    let db = live();
    Files::new(&db, &[V1]).up(&db).succeeded();
    assert_eq!(state(&db), (2, 1));
    db.client()
        .batch_execute(&format!(
            "CREATE FUNCTION app.react() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {effect} END $$;
             CREATE EVENT TRIGGER react ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION app.react()"
        ))
        .expect("superuser");
    let files = Files::new(&db, &[V1, V2]);
    let outcome = files.up(&db).exited(6);
    assert!(
        outcome.stderr.contains(words) && outcome.stderr.contains("V2__more.sql"),
        "{outcome:?}"
    );
    assert_eq!(state(&db), (2, 1), "everything is as it was");

    db.client()
        .batch_execute("DROP EVENT TRIGGER react")
        .expect("superuser");
    let outcome = files.up(&db).succeeded();
    assert!(
        outcome.stdout.contains("0 rows updated and 0 deleted"),
        "{outcome:?}"
    );
    assert_eq!(state(&db), (2, 2));
}

#[test]
fn up_rolls_back_when_an_event_trigger_updates() {
    up_with_event_trigger(
        "UPDATE app.parent SET note = 'gone';",
        "app.parent: 2 rows updated",
    );
}

#[test]
fn up_rolls_back_when_an_event_trigger_deletes() {
    up_with_event_trigger(
        "DELETE FROM app.child;",
        "app.child: 0 rows updated, 1 rows deleted",
    );
}

#[test]
fn up_rolls_back_when_an_event_trigger_truncates() {
    up_with_event_trigger("TRUNCATE app.child;", "app.child: storage");
}

#[test]
fn up_rolls_back_when_an_event_trigger_drops() {
    up_with_event_trigger(
        "DROP TABLE IF EXISTS app.child;",
        "table app.child: is gone",
    );
}

#[test]
fn up_rolls_back_when_an_event_trigger_takes_a_right() {
    up_with_event_trigger(
        "REVOKE SELECT ON app.parent FROM PUBLIC;",
        "a right was taken away",
    );
}

#[test]
fn up_rolls_back_when_an_event_trigger_stops_the_counters() {
    up_with_event_trigger(
        "PERFORM set_config('track_counts', 'off', true); UPDATE app.parent SET note = 'gone';",
        "track_counts is off",
    );
}

#[test]
fn up_rolls_back_when_a_trigger_on_the_history_deletes() {
    let db = live();
    Files::new(&db, &[V1]).up(&db).succeeded();
    db.client()
        .batch_execute(
            "CREATE FUNCTION app.forget() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN DELETE FROM app.child; RETURN NEW; END $$;
             CREATE TRIGGER forget AFTER INSERT ON public.ext_registry_schema_history
                 FOR EACH ROW EXECUTE FUNCTION app.forget()",
        )
        .expect("superuser");
    let outcome = Files::new(&db, &[V1, V2]).up(&db).exited(6);
    assert!(
        outcome
            .stderr
            .contains("app.child: 0 rows updated, 1 rows deleted"),
        "{outcome:?}"
    );
    assert_eq!(state(&db), (2, 1));
}

#[test]
fn up_refuses_to_run_where_nothing_is_counted() {
    let db = live();
    db.server().administer(&format!(
        "ALTER DATABASE {} SET track_counts = off",
        db.name()
    ));
    let outcome = Files::new(&db, &[V1]).up(&db).exited(6);
    assert!(
        outcome.stderr.contains("track_counts is off"),
        "{outcome:?}"
    );
}
