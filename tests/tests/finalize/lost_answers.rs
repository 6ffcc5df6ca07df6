//! A wildcard whose answer got lost: the recipe of the README, in the statements that its programs send.

use std::thread;

use ext_registry_tests::{
    Server, backend_pid, finalize, hash, list, manifest, publish, row_counts, wait_until_blocked,
};
use postgres::Client;
use uuid::Uuid;

/// Publishes `1.0.*`, unless the series has this content already.
fn publish_next(client: &mut Client, content_hash: &str) -> Uuid {
    let mut transaction = client.transaction().unwrap();
    let published = finalize(&mut transaction, &manifest("1.0.*"), content_hash).unwrap();
    let earlier = transaction
        .query_opt(
            "SELECT version_id FROM ext_list_versions($1)
             WHERE content_hash = $2 AND rtrim(version, '0123456789') = rtrim($3, '0123456789') AND version_id <> $4",
            &[
                &published.extension_id,
                &published.content_hash,
                &published.version,
                &published.version_id,
            ],
        )
        .unwrap();
    match earlier {
        Some(earlier) => {
            transaction.rollback().unwrap();
            earlier.get(0)
        }
        None => {
            transaction.commit().unwrap();
            published.version_id
        }
    }
}

#[test]
fn a_retry_finds_what_the_first_try_has_published() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let first = finalize(&mut client, &manifest("1.0.*"), &hash(1)).unwrap();
    assert_eq!(publish_next(&mut client, &hash(1)), first.version_id);
    // Also where others have published since.
    finalize(&mut client, &manifest("1.0.*"), &hash(2)).unwrap();
    assert_eq!(publish_next(&mut db.client(), &hash(1)), first.version_id);
    assert_eq!(row_counts(&mut client), (1, 2, 2));
    // The number that was rolled back is the next one's.
    assert_eq!(publish(&mut client, "1.0.*").version, "1.0.2");
}

#[test]
fn a_retry_publishes_where_the_first_try_has_not() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut undone = client.transaction().unwrap();
    finalize(&mut undone, &manifest("1.0.*"), &hash(1)).unwrap();
    undone.rollback().unwrap();
    let published = publish_next(&mut client, &hash(1));
    assert_eq!(publish_next(&mut client, &hash(1)), published);
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn the_same_content_as_a_pre_release_or_in_another_series_is_no_first_try() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for version in ["1.0.0-rc.1", "1.0.0-9", "1.1.0", "11.0.0", "1.0.7+b.1"] {
        finalize(&mut client, &manifest(version), &hash(1)).unwrap();
    }
    let published = publish_next(&mut client, &hash(1));
    let extension_id = publish(&mut client, "2.0.0").extension_id;
    let listed = list(&mut client, extension_id, None).unwrap();
    let own = listed.iter().find(|row| row.version_id == published);
    assert_eq!(own.unwrap().version, "1.0.8");
}

/// The client is gone, the server goes on: a look into the list before publishing would find nothing.
#[test]
fn a_retry_waits_for_a_first_try_that_has_not_ended() {
    for (exists, commit) in [(true, true), (false, true), (true, false), (false, false)] {
        let db = Server::shared().migrated_database();
        if exists {
            publish(&mut db.client(), "0.0.0");
        }
        let mut client = db.client();
        let mut first = client.transaction().unwrap();
        let published = finalize(&mut first, &manifest("1.0.*"), &hash(1)).unwrap();
        let mut retrying = db.client();
        let pid = backend_pid(&mut retrying);
        let found = thread::scope(|scope| {
            let retry = scope.spawn(|| publish_next(&mut retrying, &hash(1)));
            wait_until_blocked(&mut db.client(), pid);
            if commit {
                first.commit().unwrap();
            } else {
                first.rollback().unwrap();
            }
            retry.join().unwrap()
        });
        assert_eq!(found == published.version_id, commit);
        let versions = 1 + i64::from(exists);
        assert_eq!(row_counts(&mut db.client()), (1, versions, versions));
    }
}
