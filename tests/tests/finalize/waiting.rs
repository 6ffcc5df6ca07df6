//! One publisher waits for another: what it gets depends on how the other ends.

use std::thread;

use ext_registry_tests::{
    Database, Published, Refusal, Refused, Server, backend_pid, finalize, hash, manifest,
    manifest_of, publish, row_counts, wait_until_blocked,
};
use postgres::Transaction;
use serde_json::Value;

/// Publishes the manifests from as many connections while `holder` is open; ends it once they all wait.
fn while_waiting(
    db: &Database<'_>,
    manifests: &[Value],
    holder: Transaction<'_>,
    end: impl FnOnce(Transaction<'_>),
) -> Vec<Result<Published, Box<Refused>>> {
    thread::scope(|scope| {
        let waiters: Vec<_> = manifests
            .iter()
            .enumerate()
            .map(|(number, manifest)| {
                let mut client = db.client();
                let pid = backend_pid(&mut client);
                let waiter = scope.spawn(move || {
                    match finalize(&mut client, manifest, &hash(100 + number)) {
                        Ok(published) => Ok(published),
                        refused => Err(Box::new(refused.refused())),
                    }
                });
                wait_until_blocked(&mut db.client(), pid);
                waiter
            })
            .collect();
        end(holder);
        waiters
            .into_iter()
            .map(|waiter| waiter.join().unwrap())
            .collect()
    })
}

fn commit(transaction: Transaction<'_>) {
    transaction.commit().unwrap();
}

fn rollback(transaction: Transaction<'_>) {
    transaction.rollback().unwrap();
}

#[track_caller]
fn assert_lost_to(refused: &Refused, winner: &Published) {
    let refused = refused
        .clone()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_message_containing(&winner.version)
        .with_message_containing("already exists")
        .with_detail("extension_id", winner.extension_id.to_string())
        .with_detail("same_content", false)
        .with_table("public", "extension_version")
        .with_constraint("extension_version_registry_id_version_unique");
    let existing = &refused.detail["existing"];
    assert_eq!(existing["version_id"], winner.version_id.to_string());
    assert_eq!(existing["content_hash"], winner.content_hash);
}

#[test]
fn a_publisher_waiting_for_one_that_rolls_back_succeeds() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    let undone = publish(&mut holder, "1.0.0");
    let results = while_waiting(&db, &[manifest("1.0.0")], holder, rollback);
    let published = results[0].as_ref().unwrap();
    assert_ne!(published.version_id, undone.version_id);
    assert_eq!(published.content_hash, hash(100));
    assert_eq!(row_counts(&mut client), (1, 2, 2));
}

#[test]
fn a_publisher_waiting_for_one_that_commits_is_refused() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    let winner = publish(&mut holder, "1.0.0");
    let results = while_waiting(&db, &[manifest("1.0.0")], holder, commit);
    assert_lost_to(results[0].as_ref().unwrap_err(), &winner);
    assert_eq!(row_counts(&mut client), (1, 2, 2));
}

#[test]
fn waiting_for_the_creator_of_the_extension_ends_the_same_way() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();

    let mut holder = client.transaction().unwrap();
    let undone = publish(&mut holder, "1.0.0");
    let results = while_waiting(&db, &[manifest("1.0.0")], holder, rollback);
    let winner = results[0].as_ref().unwrap();
    assert_ne!(winner.extension_id, undone.extension_id);
    assert_eq!(row_counts(&mut client), (1, 1, 1));

    let mut holder = client.transaction().unwrap();
    let winner = finalize(&mut holder, &manifest_of("gadget", "1.0.0"), &hash(0)).unwrap();
    let waiting = [
        manifest_of("gadget", "1.0.0"),
        manifest_of("gadget", "1.0.1"),
    ];
    let results = while_waiting(&db, &waiting, holder, commit);
    assert_lost_to(results[0].as_ref().unwrap_err(), &winner);
    // Another version of the extension that was being created.
    let other = results[1].as_ref().unwrap();
    assert_eq!(
        (other.extension_id, other.version.as_str()),
        (winner.extension_id, "1.0.1")
    );
    assert_eq!(row_counts(&mut client), (2, 3, 3));
}

#[test]
fn of_those_waiting_for_one_that_rolls_back_one_succeeds() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    publish(&mut holder, "1.0.0");
    let results = while_waiting(&db, &vec![manifest("1.0.0"); 6], holder, rollback);
    let winners: Vec<&Published> = results.iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{results:#?}");
    for refused in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_lost_to(refused, winners[0]);
    }
}

#[test]
fn a_savepoint_rolled_back_lets_a_waiter_through_before_the_transaction_ends() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    let mut savepoint = holder.transaction().unwrap();
    publish(&mut savepoint, "1.0.0");
    let results = while_waiting(&db, &[manifest("1.0.0")], savepoint, rollback);
    let winner = results[0].as_ref().unwrap();
    // The transaction goes on, and sees who was faster.
    let refused = finalize(&mut holder, &manifest("1.0.0"), &hash(0)).refused();
    assert_lost_to(&refused, winner);
}

#[test]
fn publishers_of_different_versions_of_an_extension_do_not_wait() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let (mut one, mut other) = (db.client(), db.client());
    let mut one = one.transaction().unwrap();
    let mut other = other.transaction().unwrap();
    for transaction in [&mut one, &mut other] {
        transaction
            .batch_execute("SET LOCAL lock_timeout = '5s'")
            .unwrap();
    }
    for patch in 0..3 {
        publish(&mut one, &format!("1.0.{patch}"));
        publish(&mut other, &format!("2.0.{patch}"));
    }
    one.commit().unwrap();
    other.commit().unwrap();
    assert_eq!(row_counts(&mut db.client()), (1, 7, 7));
}

#[test]
fn publishing_does_not_wait_for_an_update_of_the_registry_entry() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    holder
        .execute("UPDATE extension_registry SET display_name = 'Widget'", &[])
        .unwrap();
    let mut publisher = db.client();
    publisher.batch_execute("SET lock_timeout = '5s'").unwrap();
    publish(&mut publisher, "1.0.0");
    holder.commit().unwrap();
    assert_eq!(row_counts(&mut db.client()), (1, 2, 2));
}

#[test]
fn an_entry_deleted_meanwhile_is_created_again() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(
            "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')",
        )
        .unwrap();
    let mut holder = client.transaction().unwrap();
    holder
        .execute("DELETE FROM extension_registry", &[])
        .unwrap();
    let results = while_waiting(&db, &[manifest("1.0.0")], holder, commit);
    results[0].as_ref().unwrap();
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn a_waiting_publisher_can_be_cancelled() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    publish(&mut holder, "1.0.0");
    let mut waiter = db.client();
    waiter.batch_execute("SET lock_timeout = '20ms'").unwrap();
    finalize(&mut waiter, &manifest("1.0.0"), &hash(1))
        .refused()
        .with_sqlstate("55P03");
    waiter
        .batch_execute("SET lock_timeout = 0; SET statement_timeout = '20ms'")
        .unwrap();
    finalize(&mut waiter, &manifest("1.0.0"), &hash(1))
        .refused()
        .with_sqlstate("57014");
    holder.rollback().unwrap();
    waiter.batch_execute("SET statement_timeout = 0").unwrap();
    finalize(&mut waiter, &manifest("1.0.0"), &hash(1)).unwrap();
    assert_eq!(row_counts(&mut client), (1, 2, 2));
}
