//! `check` looks at every node, and `up` mends what it finds there.

use postgres::Client;
use serde_json::Value;

use crate::cluster::Cluster;

/// Codes of the findings of `check`.
fn findings(cluster: &Cluster, code: i32) -> Vec<Value> {
    let check = cluster
        .ext_migrate(&["check", "--format", "json"])
        .exited(code)
        .json();
    let findings = check["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["code"].clone())
        .collect()
}

/// As somebody would who works on one node alone.
fn on_this_node(client: &mut Client, statement: &str) {
    client
        .batch_execute("SET citus.enable_manual_changes_to_shards = on; SET citus.enable_ddl_propagation = off")
        .unwrap();
    client.batch_execute(statement).unwrap();
}

#[test]
fn a_guard_missing_on_one_shard_is_found_and_made_again() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let shard = cluster.shard("extension_version");
    let (_, number) = shard.rsplit_once('_').unwrap();
    let mut worker = cluster.node(2);
    on_this_node(
        &mut worker,
        &format!(
            "DROP TRIGGER extension_version_immutable_{number} ON {shard};
             ALTER TABLE {shard} DISABLE TRIGGER extension_version_immutable_truncate_{number}"
        ),
    );
    assert_eq!(
        findings(&cluster, 8),
        ["SHARD_GUARD_MISSING", "SHARD_GUARD_MISSING"]
    );
    cluster.ext_migrate(&["up"]).succeeded();
    assert_eq!(findings(&cluster, 0), Vec::<Value>::new());
}

#[test]
fn a_function_changed_on_one_node_is_found_and_put_right() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    on_this_node(
        &mut cluster.node(1),
        "CREATE OR REPLACE FUNCTION extension_version_immutable() RETURNS trigger LANGUAGE plpgsql
         AS 'BEGIN RETURN NEW; END'",
    );
    assert_eq!(findings(&cluster, 8), ["SHARD_GUARD_FUNCTION"]);
    cluster.ext_migrate(&["up"]).succeeded();
    assert_eq!(findings(&cluster, 0), Vec::<Value>::new());
}

#[test]
fn rights_and_defaults_that_make_replicas_differ_are_found() {
    let Some(mut cluster) = Cluster::new() else {
        return;
    };
    let app = cluster.create_role("app");
    cluster.ext_migrate(&["up"]).succeeded();
    let mut client = cluster.client();
    client
        .batch_execute(&format!("GRANT INSERT ON extension_version TO {app}"))
        .unwrap();
    client
        .batch_execute(
            "ALTER TABLE extension_version ALTER COLUMN created_at SET DEFAULT CURRENT_TIMESTAMP",
        )
        .unwrap();
    assert_eq!(
        findings(&cluster, 8),
        ["WRITE_RIGHT", "DEFAULT_PER_REPLICA"]
    );
}
