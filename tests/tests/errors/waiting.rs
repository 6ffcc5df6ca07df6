//! Errors of a call that waits: cancelled, out of time, in a deadlock, overtaken.

use std::thread;

use ext_registry_tests::{
    Database, backend_pid, finalize as publish, hash, manifest, wait_until_blocked,
};
use postgres::Client;

use crate::server;
use crate::told::{INSERT, assert_alike, assert_told_alike, finalize, registry, told};

/// The owner's trigger takes a lock and counts.
const TRIGGER: &str = "
    CREATE TABLE counted (versions integer);
    INSERT INTO counted VALUES (0);
    CREATE FUNCTION owners() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(2);
        UPDATE public.counted SET versions = versions + 1;
        RETURN NEW;
    END $$;
    CREATE TRIGGER owners BEFORE INSERT ON extension_version FOR EACH ROW EXECUTE FUNCTION owners()";

#[test]
fn out_of_time_and_cancelled() {
    let db = registry();
    let mut client = db.client();
    client.batch_execute(TRIGGER).unwrap();
    let mut holder = db.client();
    let mut open = holder.transaction().unwrap();
    open.batch_execute("SELECT pg_advisory_xact_lock(2)")
        .unwrap();
    for (limit, sqlstate) in [("statement_timeout", "57014"), ("lock_timeout", "55P03")] {
        let set = format!("SET {limit} = '100ms'");
        // Each of them has the whole time.
        client.batch_execute(&set).unwrap();
        assert_told_alike(&mut client, &[("sqlstate", sqlstate)]);
        client.batch_execute(&format!("RESET {limit}")).unwrap();
    }

    let pid = backend_pid(&mut client);
    let mut observer = db.client();
    let mut cancelled = |statement: &str| {
        thread::scope(|scope| {
            let waiting = scope.spawn(|| told(&mut client, statement));
            wait_until_blocked(&mut observer, pid);
            observer
                .execute("SELECT pg_cancel_backend($1)", &[&pid])
                .unwrap();
            waiting.join().unwrap()
        })
    };
    let plain = cancelled(INSERT);
    assert_eq!(plain["sqlstate"], "57014");
    let inner = plain["inner"].as_str().unwrap();
    assert!(inner.contains("pg_advisory_xact_lock(2)"), "{inner}");
    assert_alike(plain, cancelled(&finalize()));
}

/// Another publish of the version is not over.
#[test]
fn out_of_time_behind_another_publisher() {
    let db = registry();
    let mut client = db.client();
    let mut winner = db.client();
    let mut open = winner.transaction().unwrap();
    publish(&mut open, &manifest("1.0.0"), &hash(0)).unwrap();
    client.batch_execute("SET lock_timeout = '50ms'").unwrap();
    let insert = INSERT.replace(
        "FROM extension_registry",
        "FROM extension_registry ON CONFLICT (registry_id, version) DO NOTHING",
    );
    let plain = told(&mut client, &insert);
    assert_eq!(plain["sqlstate"], "55P03");
    assert_alike(plain, told(&mut client, &finalize()));
}

/// Runs `work` on a connection that closes the circle of a deadlock, and is the one that is told so.
fn in_a_deadlock<T>(
    db: &Database<'_>,
    client: &mut Client,
    work: impl FnOnce(&mut Client) -> T,
) -> T {
    let mut other = db.client();
    other
        .batch_execute("SET deadlock_timeout = '1h'; BEGIN; SELECT pg_advisory_xact_lock(2)")
        .unwrap();
    client
        .batch_execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
        .unwrap();
    let pid = backend_pid(&mut other);
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            other
                .batch_execute("SELECT pg_advisory_xact_lock(1) AS for_the_log; COMMIT")
                .unwrap();
        });
        wait_until_blocked(&mut db.client(), pid);
        let result = work(client);
        client.batch_execute("ROLLBACK").unwrap();
        first.join().unwrap();
        result
    })
}

#[test]
fn a_deadlock() {
    let db = registry();
    let mut client = db.client();
    client.batch_execute(TRIGGER).unwrap();
    client
        .batch_execute("SET deadlock_timeout = '10ms'")
        .unwrap();
    let mut told_in_a_deadlock = |statement: &str| {
        let mut told = in_a_deadlock(&db, &mut client, |client| told(client, statement));
        // Numbers of the processes.
        let detail = told["detail"].take();
        let without = detail
            .as_str()
            .unwrap()
            .replace(|c: char| c.is_ascii_digit(), "");
        told["detail"] = without.into();
        told
    };
    let plain = told_in_a_deadlock(INSERT);
    assert_eq!(plain["sqlstate"], "40P01");
    assert_eq!(plain["hint"], "See server log for query details.");
    assert_alike(plain, told_in_a_deadlock(&finalize()));

    // The queries are in the log, for those who run the server.
    let error = in_a_deadlock(&db, &mut client, |client| {
        client.batch_execute(&finalize()).unwrap_err()
    });
    assert_eq!(error.code().unwrap().code(), "40P01");
    let log = server().log();
    let ours = log.rsplit("deadlock detected").next().unwrap();
    assert!(
        ours.contains(": SELECT pg_advisory_xact_lock(1) AS for_the_log"),
        "{ours}"
    );
}

#[test]
fn overtaken_above_read_committed() {
    let db = registry();
    let mut client = db.client();
    client.batch_execute(TRIGGER).unwrap();
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM counted")
        .unwrap();
    db.client()
        .batch_execute("UPDATE counted SET versions = 7")
        .unwrap();
    assert_told_alike(&mut client, &[("sqlstate", "40001")]);
}
