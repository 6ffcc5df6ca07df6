//! `up` on migrations whose effects are not additive.

use ext_registry_tests::{Database, Folder, Outcome};

use crate::live;

/// The first migration is the product's own: `up` looks for the four tables.
const V1: (&str, &str) = (
    "V1__tables.sql",
    include_str!("../../../sql/migrations/V1__tables.sql"),
);
const V2: (&str, &str) = (
    "V2__more.sql",
    "ALTER TABLE @schema@.extension_registry ADD COLUMN more text",
);

fn up(db: &Database, files: &[(&str, &str)]) -> Outcome {
    let files: Vec<_> = files
        .iter()
        .map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned()))
        .collect();
    Folder::of(&files).up(&db.url())
}

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
fn up_keeps_nothing_of_a_migration_that_drops() {
    let db = live();
    let evil =
        "-- a comment\nCOMMENT ON TABLE @schema@.extension_registry IS 'x';\nDROP TABLE app.child;";
    let outcome = up(&db, &[V1, ("V2__evil.sql", evil)]).exited(6);
    assert!(
        outcome
            .stderr
            .contains("V2__evil.sql: table app.child: is gone"),
        "{outcome:?}"
    );
    assert_eq!(state(&db), (2, 1), "V1 is kept");
}

/// The effect of an event trigger of the database on an additive migration.
fn up_with_event_trigger(effect: &str, words: &str) {
    let db = live();
    up(&db, &[V1]).succeeded();
    assert_eq!(state(&db), (2, 1));
    db.client()
        .batch_execute(&format!(
            "CREATE FUNCTION app.react() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {effect} END $$;
             CREATE EVENT TRIGGER react ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION app.react()"
        ))
        .expect("superuser");
    let outcome = up(&db, &[V1, V2]).exited(6);
    assert!(
        outcome.stderr.contains(words) && outcome.stderr.contains("V2__more.sql"),
        "{outcome:?}"
    );
    assert_eq!(state(&db), (2, 1), "everything is as it was");

    db.client()
        .batch_execute("DROP EVENT TRIGGER react")
        .expect("superuser");
    let outcome = up(&db, &[V1, V2]).succeeded();
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
fn up_rolls_back_when_an_event_trigger_hides_in_a_subtransaction() {
    up_with_event_trigger(
        "BEGIN DELETE FROM app.child; EXCEPTION WHEN division_by_zero THEN NULL; END;",
        "app.child: 0 rows updated, 1 rows deleted",
    );
    up_with_event_trigger(
        "BEGIN ALTER TABLE app.child RENAME TO kid; EXCEPTION WHEN OTHERS THEN NULL; END;",
        "table app.child: name changed: app.child → app.kid",
    );
}

#[test]
fn a_book_kept_by_an_event_trigger_is_told_apart_and_named() {
    up_with_event_trigger(
        "INSERT INTO app.log (what) VALUES (tg_tag); UPDATE app.log SET at = now();",
        "table app.log: 1 rows updated, 0 rows deleted (no table of the registry: an event trigger of this database \
         did that, react (app.react())",
    );
}

#[test]
fn an_event_trigger_may_add() {
    let db = live();
    up(&db, &[V1]).succeeded();
    db.client()
        .batch_execute(
            "CREATE FUNCTION app.react() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO app.log (what) VALUES (tg_tag);
                 GRANT SELECT ON ALL TABLES IN SCHEMA app TO pg_monitor;
             END $$;
             CREATE EVENT TRIGGER react ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION app.react()",
        )
        .expect("superuser");
    up(&db, &[V1, V2]).succeeded();
    assert_eq!(state(&db), (2, 2));
    let row = db
        .client()
        .query_one(
            "SELECT has_table_privilege('pg_monitor', 'app.child', 'SELECT'), (SELECT count(*) FROM app.log)",
            &[],
        )
        .expect("a row");
    assert_eq!((row.get(0), row.get::<_, i64>(1)), (true, 1));
}

#[test]
fn up_rolls_back_when_a_trigger_on_the_history_deletes() {
    let db = live();
    up(&db, &[V1]).succeeded();
    db.client()
        .batch_execute(
            "CREATE FUNCTION app.forget() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN DELETE FROM app.child; RETURN NEW; END $$;
             CREATE TRIGGER forget AFTER INSERT ON public.ext_registry_schema_history
                 FOR EACH ROW EXECUTE FUNCTION app.forget()",
        )
        .expect("superuser");
    let outcome = up(&db, &[V1, V2]).exited(6);
    assert!(
        outcome
            .stderr
            .contains("app.child: 0 rows updated, 1 rows deleted"),
        "{outcome:?}"
    );
    assert_eq!(state(&db), (2, 1));
}

#[test]
fn up_counts_where_the_database_does_not() {
    let db = live();
    db.server().administer(&format!(
        "ALTER DATABASE {} SET track_counts = off",
        db.name()
    ));
    let outcome = up(&db, &[V1]).succeeded();
    assert!(
        outcome.stdout.contains("0 rows updated and 0 deleted"),
        "{outcome:?}"
    );
}
