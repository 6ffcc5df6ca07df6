//! Publishing above READ COMMITTED: the snapshot is older than a concurrent winner.

use ext_registry_tests::{
    Refusal, Server, finalize, hash, manifest, manifest_of, publish, row_counts,
};
use postgres::IsolationLevel::{self, RepeatableRead, Serializable};
use postgres::{Client, Transaction};

/// A transaction that has taken its snapshot.
fn begin(client: &mut Client, level: IsolationLevel) -> Transaction<'_> {
    let mut transaction = client
        .build_transaction()
        .isolation_level(level)
        .start()
        .unwrap();
    transaction
        .query("SELECT count(*) FROM extension_version", &[])
        .unwrap();
    transaction
}

#[test]
fn publishing_works_above_read_committed() {
    for level in [RepeatableRead, Serializable] {
        let db = Server::shared().migrated_database();
        let mut client = db.client();
        let mut transaction = begin(&mut client, level);
        publish(&mut transaction, "1.0.0");
        publish(&mut transaction, "1.0.*");
        finalize(&mut transaction, &manifest_of("gadget", "1.0.*"), &hash(0)).unwrap();
        transaction.commit().unwrap();
        assert_eq!(row_counts(&mut client), (2, 3, 3));
    }
}

#[test]
fn a_duplicate_that_the_snapshot_shows_is_the_plain_error() {
    for level in [RepeatableRead, Serializable] {
        let db = Server::shared().migrated_database();
        let mut client = db.client();
        publish(&mut client, "1.0.0");
        let mut transaction = begin(&mut client, level);
        finalize(&mut transaction, &manifest("1.0.0"), &hash(0))
            .refused()
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("same_content", true)
            .with_constraint("extension_version_registry_id_version_unique");
    }
}

#[test]
fn a_concurrent_winner_shows_as_a_serialization_failure_and_its_retry_gets_the_duplicate() {
    for level in [RepeatableRead, Serializable] {
        // With the extension there before, and created by the winner.
        for exists in [true, false] {
            let db = Server::shared().migrated_database();
            let (mut winner, mut client) = (db.client(), db.client());
            if exists {
                publish(&mut winner, "0.0.0");
            }
            let mut transaction = begin(&mut client, level);
            publish(&mut winner, "1.0.0");
            let refused = finalize(&mut transaction, &manifest("1.0.0"), &hash(1)).refused();
            transaction.rollback().unwrap();
            assert_eq!(refused.sqlstate, "40001", "{level:?} {exists} {refused:#?}");

            let mut transaction = begin(&mut client, level);
            finalize(&mut transaction, &manifest("1.0.0"), &hash(1))
                .refused()
                .with_sqlstate("23505")
                .with_code("EXTENSION_VERSION_ALREADY_EXISTS");
        }
    }
}

#[test]
fn a_concurrent_wildcard_shows_as_a_serialization_failure_and_its_retry_succeeds() {
    for level in [RepeatableRead, Serializable] {
        for exists in [true, false] {
            let db = Server::shared().migrated_database();
            let (mut winner, mut client) = (db.client(), db.client());
            if exists {
                publish(&mut winner, "0.0.0");
            }
            let mut transaction = begin(&mut client, level);
            assert_eq!(publish(&mut winner, "1.0.*").version, "1.0.0");
            let refused = finalize(&mut transaction, &manifest("1.0.*"), &hash(1)).refused();
            transaction.rollback().unwrap();
            assert_eq!(refused.sqlstate, "40001", "{level:?} {exists} {refused:#?}");

            let mut transaction = begin(&mut client, level);
            assert_eq!(publish(&mut transaction, "1.0.*").version, "1.0.1");
            transaction.commit().unwrap();
        }
    }
}
