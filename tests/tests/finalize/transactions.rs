//! Publishing is part of the caller's transaction: all of it or nothing.

use std::thread;

use ext_registry_tests::{
    Refusal, Server, backend_pid, finalize, hash, list, manifest, manifest_of, publish, row_counts,
    wait_until_blocked,
};
use postgres::Transaction;

#[test]
fn a_later_failure_in_the_transaction_leaves_nothing() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    publish(&mut transaction, "1.0.0");
    transaction
        .execute("SELECT 1 / 0", &[])
        .refused()
        .with_sqlstate("22012");
    transaction.commit().unwrap();
    assert_eq!(row_counts(&mut client), (0, 0, 0));
    publish(&mut client, "1.0.0");
}

#[test]
fn a_later_failure_in_the_same_statement_leaves_nothing() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .execute(
            "SELECT 1 / length(replace(version, '1.0.0', ''))
             FROM ext_finalize_version($1::text::jsonb, $2)",
            &[&manifest("1.0.0").to_string(), &hash(0)],
        )
        .refused()
        .with_sqlstate("22012");
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn a_failed_publish_takes_the_earlier_ones_of_its_transaction_with_it() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    let mut transaction = client.transaction().unwrap();
    publish(&mut transaction, "1.0.1");
    finalize(&mut transaction, &manifest("1.0.0"), &hash(0))
        .refused()
        .with_sqlstate("23505");
    finalize(&mut transaction, &manifest("1.0.2"), &hash(0))
        .refused()
        .with_sqlstate("25P02");
    transaction.commit().unwrap();
    assert_eq!(row_counts(&mut client), (1, 1, 1));
    publish(&mut client, "1.0.1");
}

#[test]
fn a_savepoint_rollback_leaves_nothing_and_the_version_can_be_published_then() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    let mut savepoint = transaction.transaction().unwrap();
    let undone = publish(&mut savepoint, "1.0.0");
    savepoint.rollback().unwrap();
    assert_eq!(row_counts(&mut transaction), (0, 0, 0));
    let published = finalize(&mut transaction, &manifest("1.0.0"), &hash(1)).unwrap();
    assert_ne!(published.version_id, undone.version_id);
    assert_ne!(published.extension_id, undone.extension_id);
    transaction.commit().unwrap();
    let listed = list(&mut client, published.extension_id, None).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].content_hash, Some(hash(1)));
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn after_a_duplicate_a_savepoint_lets_the_transaction_go_on() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    let mut transaction = client.transaction().unwrap();
    publish(&mut transaction, "1.0.1");
    for _ in 0..3 {
        let mut savepoint = transaction.transaction().unwrap();
        finalize(&mut savepoint, &manifest("1.0.0"), &hash(0))
            .refused()
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS");
        savepoint.rollback().unwrap();
    }
    publish(&mut transaction, "1.0.2");
    transaction.commit().unwrap();
    assert_eq!(row_counts(&mut client), (1, 3, 3));
}

#[test]
fn after_every_kind_of_error_the_next_call_works() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    let mut transaction = client.transaction().unwrap();
    for (manifest, content_hash, sqlstate) in [
        (manifest("1.0.0"), hash(0), "23505"),
        (manifest("1"), hash(0), "22023"),
        (manifest("1.0.1"), "x".to_owned(), "22023"),
    ] {
        let mut savepoint = transaction.transaction().unwrap();
        finalize(&mut savepoint, &manifest, &content_hash)
            .refused()
            .with_sqlstate(sqlstate);
        savepoint.rollback().unwrap();
        let user = "SELECT current_user = session_user, current_setting('search_path')";
        let row = transaction.query_one(user, &[]).unwrap();
        assert_eq!(
            (row.get(0), row.get::<_, String>(1).as_str()),
            (true, r#""$user", public"#)
        );
    }
    publish(&mut transaction, "1.0.1");
    transaction.commit().unwrap();
}

#[test]
fn a_disconnect_before_commit_leaves_nothing() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client.batch_execute("BEGIN").unwrap();
    publish(&mut client, "1.0.0");
    drop(client);
    // The version is free as soon as the server has noticed: publishing waits for that.
    publish(&mut db.client(), "1.0.0");
    assert_eq!(row_counts(&mut db.client()), (1, 1, 1));
}

#[test]
fn a_read_only_transaction_is_refused() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    let mut transaction = client.build_transaction().read_only(true).start().unwrap();
    finalize(&mut transaction, &manifest("1.0.1"), &hash(0))
        .refused()
        .with_sqlstate("25006");
    transaction.rollback().unwrap();
    let mut transaction = client.build_transaction().read_only(true).start().unwrap();
    finalize(&mut transaction, &manifest("1.0.*"), &hash(0))
        .refused()
        .with_sqlstate("25006");
    transaction.rollback().unwrap();
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn publishing_two_extensions_in_opposite_orders_is_a_deadlock_for_one() {
    let db = Server::shared().migrated_database();
    let (mut one, mut other) = (db.client(), db.client());
    let pid = backend_pid(&mut one);
    let (mut one, mut other) = (one.transaction().unwrap(), other.transaction().unwrap());
    for transaction in [&mut one, &mut other] {
        transaction
            .batch_execute("SET LOCAL deadlock_timeout = '10ms'")
            .unwrap();
    }
    finalize(&mut one, &manifest_of("a", "1.0.0"), &hash(1)).unwrap();
    finalize(&mut other, &manifest_of("b", "1.0.0"), &hash(2)).unwrap();
    // Whoever is refused rolls back, which lets the other one through.
    let end = |mut transaction: Transaction<'_>, name: &str| {
        let result = finalize(&mut transaction, &manifest_of(name, "1.0.0"), &hash(3));
        if result.is_ok() {
            transaction.commit().unwrap();
        }
        result
    };
    let results = thread::scope(|scope| {
        let waiting = scope.spawn(|| end(one, "b"));
        wait_until_blocked(&mut db.client(), pid);
        let result = end(other, "a");
        [waiting.join().unwrap(), result]
    });
    let refused: Vec<_> = results.into_iter().filter(Result::is_err).collect();
    assert_eq!(refused.len(), 1);
    for result in refused {
        result.refused().with_sqlstate("40P01");
    }
    assert_eq!(row_counts(&mut db.client()), (2, 2, 2));
}
