//! What a migration may not do, however it comes about: the lint before it runs, and the proof before it commits.

use std::fs;
use std::path::PathBuf;

use ext_migrate::error::{Error, Exit};
use ext_migrate::proof::{Proof, Snapshot};
use ext_migrate::schema::Schema;
use ext_registry_tests::{Database, Outcome, Server};
use postgres::{Client, IsolationLevel, Transaction};

/// Other people's objects, of every kind that the proof looks at.
const LIVE: &str = "
CREATE SCHEMA app;
CREATE TABLE app.parent (id int PRIMARY KEY, note text NOT NULL DEFAULT 'x', size int CHECK (size > 0));
CREATE TABLE app.child (id int REFERENCES app.parent (id), UNIQUE (id));
CREATE TABLE app.log (at timestamptz DEFAULT now(), what text);
CREATE TABLE app.heir () INHERITS (app.log);
CREATE INDEX parent_note ON app.parent (note) WHERE size > 1;
ALTER TABLE app.parent ADD CONSTRAINT later CHECK (size < 100) NOT VALID;
INSERT INTO app.parent VALUES (1, 'one', 1), (2, 'two', 2);
INSERT INTO app.child VALUES (1);
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.parent FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE FUNCTION app.plus(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1';
CREATE VIEW app.seen AS SELECT id FROM app.parent;
CREATE MATERIALIZED VIEW app.kept AS SELECT id FROM app.parent;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.pair AS (a int, b int);
CREATE DOMAIN app.positive AS int CONSTRAINT above CHECK (VALUE > 0);
CREATE SEQUENCE app.numbers;
CREATE POLICY mine ON app.parent USING (true);
CREATE RULE quiet AS ON INSERT TO app.log WHERE NEW.what = 'noise' DO INSTEAD NOTHING;
CREATE STATISTICS app.together ON id, size FROM app.parent;
CREATE OPERATOR app.@@ (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int);
GRANT SELECT ON app.parent TO PUBLIC;
GRANT SELECT (id) ON app.child TO PUBLIC;
";

/// Statements that take something away, and words of the finding.
#[rustfmt::skip]
const LOSSES: &[(&str, &str)] = &[
    ("UPDATE app.parent SET note = 'three' WHERE id = 1", "table app.parent: 1 rows updated, 0 rows deleted"),
    ("DELETE FROM app.child", "table app.child: 0 rows updated, 1 rows deleted"),
    ("WITH gone AS (DELETE FROM app.child RETURNING *) INSERT INTO app.log (what) SELECT id FROM gone", "1 rows deleted"),
    ("INSERT INTO app.parent VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET note = 'y'", "1 rows updated"),
    ("MERGE INTO app.child USING app.parent p ON p.id = child.id WHEN MATCHED THEN DELETE", "1 rows deleted"),
    ("SAVEPOINT a; DELETE FROM app.child; RELEASE a", "1 rows deleted"),
    ("TRUNCATE app.child", "app.child: storage (it was rewritten or truncated)"),
    ("UPDATE app.child SET id = 2; TRUNCATE app.child", "app.child: storage"),
    ("ALTER TABLE app.parent ALTER size TYPE bigint", "storage"),
    ("ALTER TABLE app.parent ALTER note TYPE varchar(100)", "type changed: text → character varying"),
    ("ALTER TABLE app.log SET UNLOGGED", "app.log: storage"),
    ("CLUSTER app.parent USING parent_pkey", "storage"),
    ("REFRESH MATERIALIZED VIEW app.kept", "storage"),
    ("ALTER SEQUENCE app.numbers RESTART", "storage"),
    ("ALTER SEQUENCE app.numbers MAXVALUE 5", "sequence definition app.numbers"),
    ("REINDEX INDEX app.parent_note", "storage"),
    ("DROP TABLE app.child", "table app.child: is gone"),
    ("DROP TABLE app.child; CREATE TABLE app.child (id int)", "table app.child: is gone"),
    ("ALTER TABLE app.child RENAME TO kid", "name changed: app.child → app.kid"),
    ("ALTER TABLE app.child SET SCHEMA public", "name changed: app.child → public.child"),
    ("ALTER TABLE app.parent DROP COLUMN note", "column app.parent.note: name changed"),
    ("ALTER TABLE app.parent RENAME note TO remark", "name changed: note → remark"),
    ("ALTER TABLE app.parent ALTER size SET NOT NULL", "not null changed: f → t"),
    ("ALTER TABLE app.parent ALTER note DROP NOT NULL", "not null changed: t → f"),
    ("ALTER TABLE app.parent ALTER note DROP DEFAULT", "its default is gone"),
    ("ALTER TABLE app.parent DROP CONSTRAINT parent_size_check", "constraint app.parent.parent_size_check: is gone"),
    ("ALTER TABLE app.parent RENAME CONSTRAINT later TO never", "name changed: later → never"),
    ("ALTER TABLE app.child ALTER CONSTRAINT child_id_fkey DEFERRABLE", "deferrable changed"),
    ("DROP INDEX app.parent_note", "index app.parent_note: is gone"),
    ("ALTER INDEX app.parent_note RENAME TO other", "index app.parent_note: name changed"),
    ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.parent_note'::regclass", "not valid any more"),
    ("UPDATE pg_constraint SET convalidated = false WHERE conname = 'parent_size_check'", "not valid any more"),
    ("DROP TRIGGER touch ON app.parent", "trigger app.parent.touch: is gone"),
    ("ALTER TABLE app.parent DISABLE TRIGGER touch", "it is disabled, or fires less"),
    ("ALTER TABLE app.parent ENABLE REPLICA TRIGGER touch", "it is disabled, or fires less"),
    ("ALTER TABLE app.parent DISABLE TRIGGER ALL", "constraint trigger"),
    ("CREATE OR REPLACE TRIGGER touch BEFORE UPDATE OF id ON app.parent FOR EACH ROW EXECUTE FUNCTION app.touch()", "columns changed"),
    ("CREATE OR REPLACE FUNCTION app.plus(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 2'", "function app.plus(a integer): body changed"),
    ("ALTER FUNCTION app.plus(int) SECURITY DEFINER", "rights and settings changed"),
    ("ALTER FUNCTION app.plus(int) RENAME TO minus", "name changed: plus → minus"),
    ("ALTER FUNCTION app.plus(int) OWNER TO pg_monitor", "owner changed"),
    ("DROP FUNCTION app.plus(int)", "is gone"),
    ("REVOKE EXECUTE ON FUNCTION app.plus(int) FROM PUBLIC", "a right was taken away: =X/"),
    ("CREATE OR REPLACE VIEW app.seen AS SELECT id + 1 AS id FROM app.parent", "rule app.seen._RETURN"),
    ("DROP VIEW app.seen", "view app.seen: is gone"),
    ("DROP RULE quiet ON app.log", "rule app.log.quiet: is gone"),
    ("ALTER TABLE app.log DISABLE RULE quiet", "rule app.log.quiet"),
    ("DROP TYPE app.pair", "composite type app.pair: is gone"),
    ("ALTER TYPE app.pair DROP ATTRIBUTE b", "column app.pair.b"),
    ("ALTER TYPE app.mood RENAME VALUE 'bad' TO 'worse'", "enum value app.mood.bad"),
    ("ALTER TYPE app.mood RENAME TO temper", "type app.mood: name changed"),
    ("ALTER DOMAIN app.positive DROP CONSTRAINT above", "constraint above: is gone"),
    ("ALTER DOMAIN app.positive SET NOT NULL", "not null changed"),
    ("DROP SEQUENCE app.numbers", "sequence app.numbers: is gone"),
    ("ALTER POLICY mine ON app.parent USING (false)", "policy app.parent.mine"),
    ("ALTER TABLE app.parent ENABLE ROW LEVEL SECURITY", "row level security changed: f → t"),
    ("ALTER TABLE app.parent OWNER TO pg_monitor", "owner changed: postgres → pg_monitor"),
    ("REVOKE SELECT ON app.parent FROM PUBLIC", "a right was taken away: =r/postgres"),
    ("REVOKE SELECT (id) ON app.child FROM PUBLIC", "column app.child.id: a right was taken away"),
    ("REVOKE ALL ON app.log FROM postgres", "a right was taken away: postgres="),
    ("ALTER SCHEMA app RENAME TO other", "schema app: name changed"),
    ("ALTER TABLE app.heir NO INHERIT app.log", "inheritance app.heir: is gone"),
    ("DROP STATISTICS app.together", "statistics object together: is gone"),
    ("DROP OPERATOR app.@@ (int, int)", "operator app.@@(integer,integer): is gone"),
    ("ALTER TABLE app.log SET (fillfactor = 50)", "options changed"),
    ("ALTER TABLE app.log REPLICA IDENTITY FULL", "replica identity changed"),
    ("SET LOCAL track_counts = off; DELETE FROM app.child", "track_counts is off"),
];

/// Statements that only add, or touch nothing of what was there.
const ADDITIONS: &[&str] = &[
    "SELECT 1",
    "CREATE TABLE app.fresh (id int PRIMARY KEY REFERENCES app.parent (id)); INSERT INTO app.fresh VALUES (1);
     UPDATE app.fresh SET id = 2; DELETE FROM app.fresh; TRUNCATE app.fresh; DROP TABLE app.fresh",
    "ALTER TABLE app.child ADD COLUMN old boolean NOT NULL DEFAULT true, ADD COLUMN note text",
    "ALTER TABLE app.parent ALTER note SET DEFAULT 'y', ALTER size SET DEFAULT 3",
    "ALTER TABLE app.parent ADD CONSTRAINT more CHECK (id > 0) NOT VALID",
    "ALTER TABLE app.parent VALIDATE CONSTRAINT later",
    "INSERT INTO app.parent VALUES (3, 'three', 3); INSERT INTO app.log (what) VALUES ('x')",
    "CREATE UNIQUE INDEX ON app.parent (note)",
    "CREATE FUNCTION app.plus(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a + 1'",
    "CREATE TRIGGER more BEFORE DELETE ON app.parent FOR EACH ROW EXECUTE FUNCTION app.touch();
     ALTER TABLE app.parent ENABLE ALWAYS TRIGGER more, ENABLE ALWAYS TRIGGER touch",
    "CREATE VIEW app.other AS SELECT * FROM app.seen",
    "GRANT INSERT ON app.parent TO PUBLIC; GRANT ALL ON app.child TO pg_monitor WITH GRANT OPTION",
    "COMMENT ON TABLE app.parent IS 'mine'; COMMENT ON COLUMN app.parent.id IS 'key'",
    "ALTER TYPE app.mood ADD VALUE 'ugly'",
    "SELECT nextval('app.numbers')",
    "SELECT FROM app.parent FOR UPDATE",
    "CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1); UPDATE t SET a = 2; DELETE FROM t",
    "ANALYZE app.parent",
];

fn live() -> Database<'static> {
    let db = Server::shared().empty_database();
    db.client().batch_execute(LIVE).expect("LIVE");
    db
}

fn registry() -> Schema {
    Schema::new("public").expect("a good name")
}

fn begin(client: &mut Client) -> Transaction<'_> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .expect("BEGIN")
}

/// What the proof says about these statements; they are rolled back.
fn proof_of(client: &mut Client, sql: &str) -> Result<Proof, Error> {
    let mut transaction = begin(client);
    let before = Snapshot::take(&mut transaction, &registry()).expect(sql);
    transaction
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    before.verify(&mut transaction)
}

#[test]
fn whatever_is_taken_away_is_found() {
    let db = live();
    let mut client = db.client();
    // pg_index and pg_constraint cannot be written to otherwise.
    client
        .batch_execute("SET allow_system_table_mods = on")
        .expect("superuser");
    let mut surprises = Vec::new();
    for (sql, words) in LOSSES {
        match proof_of(&mut client, sql) {
            Err(error) if error.exit() == Exit::Destructive => {
                if !error.reasons().iter().any(|reason| reason.contains(words)) {
                    surprises.push(format!("{sql}: {:?}, not {words:?}", error.reasons()));
                }
            }
            other => surprises.push(format!("{sql}: {other:?}")),
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[test]
fn additions_pass() {
    let db = live();
    let mut client = db.client();
    for sql in ADDITIONS {
        let proof = proof_of(&mut client, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!((proof.rows_updated, proof.rows_deleted), (0, 0));
        assert_eq!(proof.tables_watched, 5, "{sql}");
    }
}

#[test]
fn the_figures_count_what_is_there_and_what_is_new() {
    let db = live();
    let mut client = db.client();
    let proof = proof_of(
        &mut client,
        "CREATE TABLE app.fresh (id int PRIMARY KEY, note text); CREATE VIEW app.fresh_view AS SELECT 1 AS one",
    )
    .expect("additive");
    let added: Vec<(&str, usize)> = proof
        .objects_added
        .iter()
        .map(|(kind, count)| (kind.as_str(), *count))
        .collect();
    assert_eq!(
        added,
        [
            ("column", 2),
            ("constraint", 1),
            ("index", 1),
            ("table", 1),
            ("view", 1)
        ]
    );
    let json = serde_json::to_value(&proof).expect("JSON");
    assert_eq!(json["rows_updated"], 0);
    assert_eq!(json["objects_added"]["table"], 1);
    let text = proof.to_string();
    assert_eq!(text.lines().count(), 1);
    assert!(
        text.starts_with("proof: in 5 tables 0 rows updated and 0 deleted, "),
        "{text}"
    );
}

#[test]
fn a_role_without_rights_can_prove() {
    let db = live();
    let role = db.create_role("owner");
    db.client()
        .batch_execute(&format!(
            "GRANT USAGE, CREATE ON SCHEMA app TO {role}; ALTER TABLE app.child OWNER TO {role}"
        ))
        .expect("superuser");
    let mut client = db.client_as(&role);
    proof_of(&mut client, "ALTER TABLE app.child ADD COLUMN note text").expect("additive");
    let error = proof_of(&mut client, "DELETE FROM app.child").expect_err("not additive");
    assert!(error.to_string().contains("1 rows deleted"), "{error}");
}

#[test]
fn counters_of_the_sessions_last_transaction_do_not_count() {
    let db = live();
    let mut client = db.client();
    client
        .batch_execute("UPDATE app.parent SET note = 'before'")
        .expect("UPDATE");
    proof_of(&mut client, "SELECT 1").expect("nothing was done in the transaction");
    client
        .batch_execute("UPDATE app.parent SET note = 'before'")
        .expect("UPDATE");
    let error =
        proof_of(&mut client, "UPDATE app.parent SET note = 'after'").expect_err("an UPDATE");
    assert!(error.to_string().contains("2 rows updated"), "{error}");
}

#[test]
fn what_others_do_meanwhile_does_not_count() {
    let db = live();
    let (mut client, mut other) = (db.client(), db.client());
    let mut transaction = begin(&mut client);
    let before = Snapshot::take(&mut transaction, &registry()).expect("a snapshot");
    other
        .batch_execute(
            "UPDATE app.parent SET note = 'theirs'; DROP TABLE app.child; ALTER TABLE app.log ADD COLUMN more int;
             CREATE OR REPLACE FUNCTION app.plus(a int) RETURNS int LANGUAGE sql AS 'SELECT 7';
             CREATE TABLE app.theirs (id int)",
        )
        .expect("nobody is in the way");
    transaction
        .batch_execute("CREATE TABLE app.ours (id int)")
        .expect("CREATE TABLE");
    let proof = before
        .verify(&mut transaction)
        .expect("nothing was lost here");
    assert_eq!(proof.objects_added["table"], 1);
}

#[test]
fn an_index_built_outside_a_transaction_is_compared_too() {
    let db = live();
    let mut client = db.client();
    let app = Schema::new("app").expect("a good name");
    let before = Snapshot::take_outside(&mut client, &app, "parent").expect("a snapshot");
    client
        .batch_execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS more ON app.parent (size)")
        .expect("CREATE INDEX");
    let proof = before.verify(&mut client).expect("additive");
    assert_eq!(
        (proof.outside_transaction, proof.objects_added["index"]),
        (1, 1)
    );

    let before = Snapshot::take_outside(&mut client, &app, "parent").expect("a snapshot");
    client
        .batch_execute("DROP INDEX CONCURRENTLY app.parent_note")
        .expect("DROP INDEX");
    let error = before.verify(&mut client).expect_err("an index less");
    assert!(
        error.to_string().contains("app.parent_note: is gone"),
        "{error}"
    );
}

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
    include_str!("../../sql/migrations/V1__tables.sql"),
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
