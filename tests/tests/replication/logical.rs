//! A guarded subscriber of a guarded publisher.

use std::fs;

use ext_registry_tests::{
    Contents, Database, Options, Server, assert_guarded, finalize, hash, manifest, wait_until,
    workspace_root,
};
use postgres::Client;

fn publisher() -> Server {
    Server::start(&Options {
        conf: vec!["wal_level = logical".to_owned()],
        ..Options::default()
    })
}

/// The statement of doc/backup.md for this side.
fn documented(side: &str) -> String {
    let page = fs::read_to_string(workspace_root().join("doc/backup.md")).unwrap();
    let (_, block) = page.split_once(&format!("```sql {side}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

fn subscribe(publisher: &Database, subscriber: &Database) {
    publisher
        .client()
        .batch_execute(&documented("publisher"))
        .unwrap();
    let server = publisher.server();
    let connection = format!(
        "host={} port={} dbname={} user=postgres",
        server.sockets().display(),
        server.port(),
        publisher.name()
    );
    let statement = documented("subscriber").replace("host=… dbname=… user=…", &connection);
    subscriber.client().batch_execute(&statement).unwrap();
}

/// Waits until the subscriber has all that the publisher has committed so far.
fn wait_for(publisher: &mut Client, subscriber: &mut Client) {
    wait_until("all tables are copied", || {
        let row = subscriber
            .query_one(
                "SELECT count(*) = 4 FROM pg_subscription_rel WHERE srsubstate = 'r'",
                &[],
            )
            .unwrap();
        row.get(0)
    });
    let now = publisher
        .query_one("SELECT pg_current_wal_lsn()::text", &[])
        .unwrap();
    let now: &str = now.get(0);
    wait_until("the subscriber has caught up", || {
        let row = publisher
            .query_one(
                "SELECT count(*) > 0 FROM pg_stat_replication WHERE replay_lsn >= $1::text::pg_lsn",
                &[&now],
            )
            .unwrap();
        row.get(0)
    });
}

/// A database that is subscribed cannot be dropped, and the publisher goes first.
fn unsubscribe(subscriber: &mut Client) {
    for statement in [
        "ALTER SUBSCRIPTION registry DISABLE",
        "ALTER SUBSCRIPTION registry SET (slot_name = NONE)",
        "DROP SUBSCRIPTION registry",
    ] {
        subscriber.batch_execute(statement).unwrap();
    }
}

#[test]
fn tables_from_a_dump_and_rows_from_the_publisher() {
    let server = publisher();
    let publisher = server.registry_of_many_years();
    let dump = publisher.program("pg_dump").arg("--schema-only").output();
    let subscriber = Server::shared().empty_database();
    let mut client = subscriber.client();
    let dump = String::from_utf8(dump.unwrap().stdout).unwrap();
    // Newer releases of pg_dump fence their output for psql.
    let sql: Vec<_> = dump
        .lines()
        .filter(|line| !line.starts_with('\\'))
        .collect();
    client.batch_execute(&sql.join("\n")).unwrap();
    client.batch_execute("RESET ALL").unwrap();
    let _ = subscriber.ext_migrate(&["up"]).succeeded();
    subscribe(&publisher, &subscriber);

    let mut origin = publisher.client();
    wait_for(&mut origin, &mut client);
    Contents::of(&mut origin).assert_are_in(&mut client);

    // All that the app does goes on.
    finalize(&mut origin, &manifest("3.0.0"), &hash(3)).unwrap();
    origin
        .batch_execute(
            "UPDATE extension_registry SET display_name = 'Widget' WHERE name = 'widget';
             UPDATE extension_version SET runtime = runtime, api = api;
             UPDATE extension_bundle SET content_hash = content_hash;
             UPDATE tenant_extension_install SET is_enabled = false WHERE tenant_id = 'tenant 3';
             DELETE FROM tenant_extension_install WHERE tenant_id = 'tenant 4'",
        )
        .unwrap();
    wait_for(&mut origin, &mut client);
    let contents = Contents::of(&mut origin);
    client
        .batch_execute("ALTER SUBSCRIPTION registry DISABLE")
        .unwrap();
    contents.assert_live_in(&subscriber);
    unsubscribe(&mut client);
}

/// Its tables have another primary key of installs than the adopted ones of the publisher.
#[test]
fn a_subscriber_that_up_has_made() {
    let server = publisher();
    let publisher = server.registry_of_many_years();
    let subscriber = Server::shared().migrated_database();
    let (mut origin, mut client) = (publisher.client(), subscriber.client());
    origin
        .batch_execute("ALTER TABLE tenant_extension_install REPLICA IDENTITY FULL")
        .unwrap();
    subscribe(&publisher, &subscriber);
    wait_for(&mut origin, &mut client);
    origin
        .batch_execute(
            "UPDATE tenant_extension_install SET is_enabled = false WHERE tenant_id = 'tenant 3';
             DELETE FROM tenant_extension_install WHERE tenant_id = 'tenant 4'",
        )
        .unwrap();
    wait_for(&mut origin, &mut client);
    Contents::of(&mut origin).assert_are_in(&mut client);
    let _ = subscriber.ext_migrate(&["check"]).succeeded();
    unsubscribe(&mut client);
}

/// History that somebody has changed on a publisher without guards does not arrive.
#[test]
fn the_guards_of_the_subscriber_refuse_what_the_publisher_lets_through() {
    let server = publisher();
    let publisher = server.registry_of_many_years();
    let subscriber = Server::shared().migrated_database();
    let (mut origin, mut client) = (publisher.client(), subscriber.client());
    subscribe(&publisher, &subscriber);
    wait_for(&mut origin, &mut client);
    let contents = Contents::of(&mut origin);
    origin
        .batch_execute(
            "ALTER TABLE extension_version DISABLE TRIGGER ALL;
             UPDATE extension_version SET runtime = 'deno@2' WHERE version = '1.14.0';
             ALTER TABLE extension_version ENABLE TRIGGER ALL",
        )
        .unwrap();
    let refusal = "UPDATE on extension_version refused for version 1.14.0";
    // Only this subscriber is refused so; clients of other tests, and their subscribers, write to the same log.
    let context = "during message type \"UPDATE\" for replication target relation \"public.extension_version\"";
    wait_until("the server of the subscriber has said so", || {
        let log = Server::shared().log();
        log.contains(refusal) && log.contains(context)
    });
    contents.assert_are_in(&mut client);
    assert_guarded(&mut client);

    // Behind it the subscription goes on.
    let log = Server::shared().log();
    let (_, place) = log.split_once(context).unwrap();
    let (_, place) = place.split_once("finished at ").unwrap();
    let place = place.lines().next().unwrap();
    client
        .batch_execute(&format!(
            "ALTER SUBSCRIPTION registry SKIP (lsn = '{place}')"
        ))
        .unwrap();
    finalize(&mut origin, &manifest("3.0.0"), &hash(3)).unwrap();
    wait_for(&mut origin, &mut client);
    let row = client
        .query_one(
            "SELECT count(*) FROM extension_version WHERE runtime = 'deno@2' OR version = '3.0.0'",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    unsubscribe(&mut client);
}

/// Above READ COMMITTED a guard cannot see whether an entry has versions, and foreign keys sleep in the worker.
#[test]
fn a_subscriber_that_applies_at_repeatable_read_waits_for_read_committed() {
    let server = publisher();
    let publisher = server.registry_of_many_years();
    let subscriber = Server::shared().migrated_database();
    let (mut origin, mut client) = (publisher.client(), subscriber.client());
    let isolation = |clause: &str| {
        let name = subscriber.name();
        Server::shared().administer(&format!("ALTER DATABASE {name} {clause}"));
    };
    isolation("SET default_transaction_isolation = 'repeatable read'");
    origin
        .batch_execute("INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'empty')")
        .unwrap();
    subscribe(&publisher, &subscriber);
    wait_for(&mut origin, &mut client);
    origin
        .batch_execute("DELETE FROM extension_registry WHERE name = 'empty'")
        .unwrap();
    wait_until("the subscription has stopped", || {
        let row = client
            .query_one(
                "SELECT apply_error_count > 0
                 FROM pg_stat_subscription_stats t JOIN pg_subscription s ON s.oid = t.subid
                 WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
                &[],
            )
            .unwrap();
        row.get(0)
    });
    isolation("RESET default_transaction_isolation");
    wait_for(&mut origin, &mut client);
    Contents::of(&mut origin).assert_are_in(&mut client);
    unsubscribe(&mut client);
}
