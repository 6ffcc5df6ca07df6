//! A call that is cancelled, or runs into a limit of time, leaves nothing, and its session goes on.

use std::thread;
use std::time::{Duration, Instant};

use ext_registry_tests::{
    Database, Refusal, Refused, Server, backend_pid, finalize, hash, manifest, manifest_of,
    row_counts, wait_until_blocked,
};
use postgres::{Client, Error};

/// What a call must not change in its session.
fn state(client: &mut Client) -> (String, String, String) {
    let row = client
        .query_one(
            "SELECT current_user::text, current_setting('search_path'), current_setting('row_security')",
            &[],
        )
        .unwrap();
    (row.get(0), row.get(1), row.get(2))
}

/// The session answers, has its settings, and publishes.
fn assert_usable(client: &mut Client, before: &(String, String, String), name: &str) {
    assert_eq!(&state(client), before);
    finalize(client, &manifest_of(name, "9.0.0"), &hash(9)).unwrap();
}

/// Runs `work` on one connection until it waits, does `interrupt` to it, and gives what `work` was told.
fn interrupted<T: Send>(
    db: &Database<'_>,
    client: &mut Client,
    work: impl FnOnce(&mut Client) -> Result<T, Error> + Send,
    interrupt: &str,
) -> Result<T, Error> {
    let pid = backend_pid(client);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| work(client));
        let mut observer = db.client();
        wait_until_blocked(&mut observer, pid);
        observer.execute(interrupt, &[&pid]).unwrap();
        waiting.join().unwrap()
    })
}

const CANCEL: &str = "SELECT pg_cancel_backend($1)";

#[test]
fn waiting_for_another_publisher_is_cancelled() {
    for version in ["1.0.0", "1.0.*"] {
        let db = Server::shared().migrated_database();
        let mut winner = db.client();
        finalize(&mut winner, &manifest("0.1.0"), &hash(0)).unwrap();
        let rows = row_counts(&mut winner);
        let mut open = winner.transaction().unwrap();
        finalize(&mut open, &manifest(version), &hash(0)).unwrap();

        let mut waiter = db.client();
        let before = state(&mut waiter);
        let publish = |client: &mut Client| finalize(client, &manifest(version), &hash(1));
        interrupted(&db, &mut waiter, publish, CANCEL)
            .refused()
            .with_sqlstate("57014");
        for (limit, sqlstate) in [("statement_timeout", "57014"), ("lock_timeout", "55P03")] {
            let set = format!("SET {limit} = '50ms'");
            waiter.batch_execute(&set).unwrap();
            publish(&mut waiter).refused().with_sqlstate(sqlstate);
            waiter.batch_execute(&format!("RESET {limit}")).unwrap();
        }
        open.rollback().unwrap();
        assert_eq!(row_counts(&mut db.client()), rows);
        assert_eq!(publish(&mut waiter).unwrap().version, "1.0.0");
        assert_usable(&mut waiter, &before, "after");
    }
}

#[test]
fn a_cancelled_call_is_undone_to_its_savepoint() {
    let db = Server::shared().migrated_database();
    let mut winner = db.client();
    finalize(&mut winner, &manifest("0.1.0"), &hash(0)).unwrap();
    let mut open = winner.transaction().unwrap();
    finalize(&mut open, &manifest("1.0.*"), &hash(0)).unwrap();

    let mut waiter = db.client();
    let before = state(&mut waiter);
    waiter.batch_execute("BEGIN").unwrap();
    finalize(&mut waiter, &manifest("2.0.0"), &hash(1)).unwrap();
    for version in ["1.0.0", "1.0.*"] {
        waiter.batch_execute("SAVEPOINT here").unwrap();
        let publish = |client: &mut Client| finalize(client, &manifest(version), &hash(1));
        interrupted(&db, &mut waiter, publish, CANCEL)
            .refused()
            .with_sqlstate("57014");
        waiter.batch_execute("ROLLBACK TO SAVEPOINT here").unwrap();
        assert_eq!(state(&mut waiter), before);
    }
    waiter.batch_execute("COMMIT").unwrap();
    open.commit().unwrap();
    let listed = waiter
        .query_one(
            "SELECT string_agg(version, ' ' ORDER BY version) FROM extension_version",
            &[],
        )
        .unwrap();
    assert_eq!(listed.get::<_, String>(0), "0.1.0 1.0.0 2.0.0");
    assert_usable(&mut waiter, &before, "after");
}

#[test]
fn the_next_in_the_queue_goes_on_when_one_is_terminated() {
    let db = Server::shared().migrated_database();
    let mut winner = db.client();
    finalize(&mut winner, &manifest("1.0.*"), &hash(0)).unwrap();
    let mut open = winner.transaction().unwrap();
    finalize(&mut open, &manifest("1.0.*"), &hash(0)).unwrap();
    let wildcard = |client: &mut Client| finalize(client, &manifest("1.0.*"), &hash(1));

    thread::scope(|scope| {
        let mut third = db.client();
        let pid = backend_pid(&mut third);
        let waiting = scope.spawn(move || wildcard(&mut third));
        wait_until_blocked(&mut db.client(), pid);
        let terminate = "SELECT pg_terminate_backend($1)";
        assert!(interrupted(&db, &mut db.client(), wildcard, terminate).is_err());
        open.commit().unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().version, "1.0.2");
    });
}

/// The limit must strike while the bundle is hashed, not before or after: it is a fraction of the time that the whole
/// call takes, and smaller again where the machine has become faster meanwhile.
#[test]
fn hashing_a_large_bundle_is_cancelled() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let before = state(&mut client);
    let bundle = vec![7_u8; 16 << 20];
    let manifest = manifest("1.0.0").to_string();
    let statement = client
        .prepare("SELECT FROM ext_finalize_bundle($1::text::jsonb, $2, $3)")
        .unwrap();
    // A wrong hash: known to be wrong only when all of the bundle has been hashed.
    let mut publish = |limit: Duration| -> (Refused, Duration) {
        let limit = limit.as_millis().max(1);
        client
            .batch_execute(&format!("SET statement_timeout = {limit}"))
            .unwrap();
        let started = Instant::now();
        let refused = client
            .query(&statement, &[&manifest, &bundle, &hash(1)])
            .refused();
        let took = started.elapsed();
        client.batch_execute("RESET statement_timeout").unwrap();
        (refused, took)
    };
    let (refused, complete) = publish(Duration::from_secs(300));
    refused.with_code("HASH_MISMATCH");
    let cancelled = (2..12).find_map(|halvings| {
        let (refused, took) = publish(complete / (1 << halvings));
        (refused.sqlstate == "57014").then_some(took)
    });
    let cancelled = cancelled.expect("one of the limits is shorter than hashing takes");
    println!("hashing 16 MB: {complete:.1?}, cancelled after {cancelled:.1?}");
    assert_eq!(row_counts(&mut client), (0, 0, 0));
    assert_usable(&mut client, &before, "after");
}

#[test]
fn reading_is_cancelled() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let before = state(&mut client);
    let published = finalize(&mut client, &manifest("1.0.0"), &hash(1)).unwrap();
    let mut owner = db.client();
    let mut exclusive = owner.transaction().unwrap();
    exclusive
        .batch_execute("LOCK extension_registry, extension_version IN ACCESS EXCLUSIVE MODE")
        .unwrap();
    for call in [
        format!(
            "SELECT * FROM ext_list_versions('{}', 'tenant')",
            published.extension_id
        ),
        "SELECT ext_extension_id('acme', 'widget')".to_owned(),
    ] {
        let read = |client: &mut Client| client.batch_execute(&call);
        interrupted(&db, &mut client, read, CANCEL)
            .refused()
            .with_sqlstate("57014");
        client
            .batch_execute("SET statement_timeout = '50ms'")
            .unwrap();
        client.batch_execute(&call).refused().with_sqlstate("57014");
        client.batch_execute("RESET statement_timeout").unwrap();
    }
    exclusive.rollback().unwrap();
    assert_usable(&mut client, &before, "after");
}
