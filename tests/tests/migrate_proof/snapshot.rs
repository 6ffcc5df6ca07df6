//! The proof by itself.

use ext_migrate::change::proof::{Depth, Outside, Proof, Snapshot};
use ext_migrate::error::{Error, Exit};
use ext_migrate::schema::Schema;
use postgres::{Client, IsolationLevel, Transaction};

use ext_registry_tests::Server;

use crate::cases::{ADDITIONS, LOSSES, OWN_ADDITIONS, OWN_LOSSES};
use crate::live;

fn registry() -> Schema {
    Schema::new("public").expect("a good name")
}

fn begin(client: &mut Client) -> Transaction<'_> {
    // As in a session of ext-migrate.
    client.batch_execute("SET jit = off").expect("a setting");
    client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .expect("BEGIN")
}

/// What the proof says about these statements; they are rolled back.
fn proof_of(client: &mut Client, sql: &str) -> Result<Proof, Error> {
    match proof_at(client, sql, Depth::Registry) {
        Ok(Some(proof)) => Ok(proof),
        Ok(None) => proof_at(client, sql, Depth::Everything)
            .map(|proof| proof.expect("it looked at everything")),
        Err(error) => Err(error),
    }
}

fn proof_at(client: &mut Client, sql: &str, depth: Depth) -> Result<Option<Proof>, Error> {
    let mut transaction = begin(client);
    let before = Snapshot::take(&mut transaction, &registry(), depth).expect(sql);
    transaction
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    before.verify(&mut transaction)
}

/// Asserts that each of these is refused with its words.
fn assert_refused(client: &mut Client, losses: impl Iterator<Item = (String, &'static str)>) {
    let mut surprises = Vec::new();
    for (sql, words) in losses {
        match proof_of(client, &sql) {
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
fn whatever_is_taken_away_is_found() {
    let db = live();
    let mut client = db.client();
    // pg_index and pg_constraint cannot be written to otherwise.
    client
        .batch_execute("SET allow_system_table_mods = on")
        .expect("superuser");
    assert_refused(
        &mut client,
        LOSSES
            .iter()
            .map(|(sql, words)| ((*sql).to_owned(), *words)),
    );
}

#[test]
fn a_subtransaction_hides_nothing() {
    let db = live();
    let mut client = db.client();
    client
        .batch_execute("SET allow_system_table_mods = on")
        .expect("superuser");
    let hidden = LOSSES.iter().filter(|(sql, _)| !sql.contains("SAVEPOINT"));
    assert_refused(
        &mut client,
        hidden.map(|(sql, words)| {
            let block = format!(
                "DO $do$ BEGIN BEGIN EXECUTE $sql$ {sql} $sql$; EXCEPTION WHEN division_by_zero THEN NULL; END; END $do$"
            );
            (block, *words)
        }),
    );
}

#[test]
fn objects_of_the_registry_are_compared_one_by_one() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    assert_refused(
        &mut client,
        OWN_LOSSES
            .iter()
            .map(|(sql, words)| ((*sql).to_owned(), *words)),
    );
    for sql in OWN_ADDITIONS {
        proof_at(&mut client, sql, Depth::Registry)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .unwrap_or_else(|| panic!("{sql}: it changed what is not the registry's"));
    }
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
    let before =
        Snapshot::take(&mut transaction, &registry(), Depth::Registry).expect("a snapshot");
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
        .expect("nothing was lost here")
        .expect("nothing of others was changed here");
    assert_eq!(proof.objects_added["table"], 1);
}

#[test]
fn an_index_built_outside_a_transaction_is_compared_too() {
    let db = live();
    let mut client = db.client();
    let app = Schema::new("app").expect("a good name");
    let before = Outside::take(&mut client, &app, "parent").expect("a snapshot");
    client
        .batch_execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS more ON app.parent (size)")
        .expect("CREATE INDEX");
    let proof = before.verify(&mut client).expect("additive");
    assert_eq!(
        (proof.outside_transaction, proof.objects_added["index"]),
        (1, 1)
    );

    let before = Outside::take(&mut client, &app, "parent").expect("a snapshot");
    client
        .batch_execute("DROP INDEX CONCURRENTLY app.parent_note")
        .expect("DROP INDEX");
    let error = before.verify(&mut client).expect_err("an index less");
    assert!(
        error.to_string().contains("app.parent_note: is gone"),
        "{error}"
    );
}
