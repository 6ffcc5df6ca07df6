//! What changes published rows is refused through every node, and on the shards themselves.

use ext_registry_tests::{Folder, Refusal, hash, publish};
use postgres::Client;
use uuid::Uuid;

use crate::cluster::Cluster;

/// Statement, and the table and operation in DETAIL. What cannot be said of a shard comes last.
const REFUSED: &[(&str, &str, &str)] = &[
    ("UPDATE extension_version SET runtime = 'x'", "extension_version", "UPDATE"),
    ("DELETE FROM extension_version", "extension_version", "DELETE"),
    ("UPDATE extension_bundle SET signature = 'x'", "extension_bundle", "UPDATE"),
    ("DELETE FROM extension_bundle", "extension_bundle", "DELETE"),
    ("UPDATE extension_registry SET name = 'x'", "extension_registry", "UPDATE"),
    ("DELETE FROM extension_registry", "extension_registry", "DELETE"),
    ("TRUNCATE extension_bundle", "extension_bundle", "TRUNCATE"),
    ("TRUNCATE extension_version CASCADE", "extension_version", "TRUNCATE"),
    ("TRUNCATE extension_registry CASCADE", "extension_registry", "TRUNCATE"),
    (
        "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')
         ON CONFLICT (publisher, name) DO UPDATE SET name = 'x'",
        "extension_registry",
        "UPDATE",
    ),
    (
        "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, adopted)
         SELECT gen_random_uuid(), id, '0.1.0', 'node@20', 'main', true FROM extension_registry",
        "extension_version",
        "INSERT",
    ),
];

fn assert_refused(client: &mut Client, statement: &str, table: &str, operation: &str) {
    client
        .batch_execute(statement)
        .refused()
        .with_sqlstate("23001")
        .with_code("VERSION_IMMUTABLE")
        .with_detail("table", table)
        .with_detail("operation", operation);
}

#[test]
fn published_rows_stay_whatever_node_is_asked() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    publish(&mut cluster.client(), "1.0.0");
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        for (statement, table, operation) in REFUSED {
            assert_refused(&mut client, statement, table, operation);
        }
        // The settings that silence ordinary triggers.
        client
            .batch_execute("SET session_replication_role = replica")
            .unwrap();
        for (statement, table, operation) in &REFUSED[..9] {
            assert_refused(&mut client, statement, table, operation);
        }
    }
    assert_eq!(cluster.assert_replicas_agree(), [1, 1, 1]);
}

/// As ORMs and upserts of old apps write.
const UNCHANGED: &[&str] = &[
    "UPDATE extension_version SET version = version, runtime = runtime, api = api, created_at = created_at",
    "UPDATE extension_bundle SET content_hash = content_hash, signature = signature, adopted = adopted",
    "UPDATE extension_registry SET publisher = publisher, name = name",
    "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')
     ON CONFLICT (publisher, name) DO UPDATE SET name = excluded.name",
];

#[test]
fn an_update_that_changes_nothing_passes_whatever_node_is_asked() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    publish(&mut cluster.client(), "1.0.0");
    assert_saved(&cluster);
    assert_eq!(cluster.assert_replicas_agree(), [1, 1, 1]);
    cluster.ext_migrate(&["check"]).succeeded();
}

/// The triggers of the shards are made anew too, and the functions for shards are there throughout.
#[test]
fn tables_that_an_earlier_release_has_distributed() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    Folder::first(12).up(&cluster.target(0, None)).succeeded();
    let up = cluster.ext_migrate(&["up", "--format", "json"]).succeeded();
    assert_eq!(up.json()["applied"][0]["version"], 13);
    publish(&mut cluster.client(), "1.0.0");
    assert_saved(&cluster);
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        for (statement, table, operation) in REFUSED {
            assert_refused(&mut client, statement, table, operation);
        }
    }
    assert_eq!(cluster.assert_replicas_agree(), [1, 1, 1]);
    cluster.ext_migrate(&["check"]).succeeded();
}

fn assert_saved(cluster: &Cluster) {
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        for statement in UNCHANGED {
            client
                .batch_execute(statement)
                .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
    }
}

#[test]
fn a_version_has_one_bundle() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let published = publish(&mut cluster.client(), "1.0.0");
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        let mut insert = |number: usize, adopted: bool| {
            client.execute(
                "INSERT INTO extension_bundle (id, version_id, content_hash, adopted) VALUES ($1, $2, $3, $4)",
                &[&Uuid::new_v4(), &published.version_id, &hash(number), &adopted],
            )
        };
        insert(1, false)
            .refused()
            .with_sqlstate("23001")
            .with_detail("table", "extension_bundle")
            .with_detail("version", "1.0.0");
        insert(1, true).refused().with_sqlstate("23001");
        // The same pair again is Postgres' own.
        insert(0, false).refused().with_sqlstate("23505");
    }
    assert_eq!(cluster.assert_replicas_agree(), [1, 1, 1]);
}

#[test]
fn an_older_app_publishes_in_two_statements() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let published = publish(&mut cluster.client(), "1.0.0");
    let mut client = cluster.client();
    let version = Uuid::new_v4();
    client
        .execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             VALUES ($1, $2, '1.1.0', 'node@20', 'main')",
            &[&version, &published.extension_id],
        )
        .unwrap();
    let mut bundle = |number| {
        client.execute(
            "INSERT INTO extension_bundle (id, version_id, content_hash) VALUES ($1, $2, $3)",
            &[&Uuid::new_v4(), &version, &hash(number)],
        )
    };
    bundle(1).unwrap();
    bundle(2).refused().with_sqlstate("23001");
    // Also the times that the tables give by themselves are the same on every node.
    assert_eq!(cluster.assert_replicas_agree(), [1, 2, 2]);
}

#[test]
fn shards_are_guarded_too() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    publish(&mut cluster.client(), "1.0.0");
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        client
            .batch_execute("SET citus.enable_manual_changes_to_shards = on")
            .unwrap();
        for (statement, table, operation) in &REFUSED[..9] {
            let statement = statement.replacen(table, &cluster.shard(table), 1);
            assert_refused(&mut client, &statement, table, operation);
        }
    }
    assert_eq!(cluster.assert_replicas_agree(), [1, 1, 1]);
}

#[test]
fn an_entry_without_versions_may_go() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let mut client = cluster.client();
    client
        .batch_execute(
            "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'empty');
             UPDATE extension_registry SET description = 'nothing yet';
             DELETE FROM extension_registry",
        )
        .unwrap();
    assert_eq!(cluster.assert_replicas_agree(), [0, 0, 0]);
}
