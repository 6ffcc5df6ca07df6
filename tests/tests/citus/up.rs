//! `up` on a coordinator with nothing in it.

use serde_json::json;

use crate::cluster::Cluster;

#[test]
fn up_distributes_tables_that_hold_nothing() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let up = cluster
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(up["citus"]["layout"], "distributed", "{up}");
    assert_eq!(up["citus"]["workers"], cluster.nodes() - 1);

    let rows = cluster
        .client()
        .query(
            "SELECT table_name::text, citus_table_type, distribution_column FROM citus_tables ORDER BY table_name::text",
            &[],
        )
        .unwrap();
    let layout: Vec<(String, String, String)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        ("extension_bundle", "reference", "<none>"),
        ("extension_registry", "reference", "<none>"),
        ("extension_version", "reference", "<none>"),
        ("tenant_extension_install", "distributed", "tenant_id"),
    ]
    .map(|(table, kind, column)| (table.to_owned(), kind.to_owned(), column.to_owned()));
    assert_eq!(layout, expected);

    let check = cluster
        .ext_migrate(&["check", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(check["findings"], json!([]), "{check}");
    let plan = cluster
        .ext_migrate(&["plan", "--exit-code", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&plan["state"], &plan["drift"]),
        (&json!("current"), &json!([])),
        "{plan}"
    );
    let status = cluster
        .ext_migrate(&["status", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(status["citus"]["layout"], "distributed");

    let again = cluster
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&again["applied"], &again["mended"]),
        (&json!([]), &json!([])),
        "{again}"
    );
    assert_eq!(again["proof"], json!(null));
    let distribute = cluster
        .ext_migrate(&["distribute", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(distribute["steps"], json!([]));
}

#[test]
fn every_shard_has_every_guard_of_its_table() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        // Citus hides shards from its clients.
        client
            .batch_execute("SET citus.override_table_visibility = off")
            .unwrap();
        let rows = client
            .query(
                "SELECT array_agg(regexp_replace(t.tgname, '_[0-9]+$', '') || ' ' || t.tgenabled::text ORDER BY t.tgname),
                        count(DISTINCT c.oid)
                 FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
                 WHERE c.relname ~ '^extension_(registry|version|bundle)(_[0-9]+)?$'
                 GROUP BY c.relname ~ '[0-9]$'
                 ORDER BY c.relname ~ '[0-9]$'",
                &[],
            )
            .unwrap();
        let guards = |row: &postgres::Row| row.get::<_, Vec<String>>(0);
        let [tables, shards] = rows.as_slice() else {
            panic!("node {node} has tables and shards: {rows:?}");
        };
        assert_eq!((tables.get::<_, i64>(1), shards.get::<_, i64>(1)), (3, 3));
        assert_eq!(guards(tables), guards(shards), "node {node}");
        assert!(
            guards(shards).iter().all(|guard| guard.ends_with(" A")),
            "node {node}"
        );
    }
}

#[test]
fn an_owner_without_superuser_does_it_all() {
    let Some(mut cluster) = Cluster::new() else {
        return;
    };
    let owner = cluster.create_role("owner");
    let publisher = cluster.create_role("publisher");
    let reader = cluster.create_role("reader");
    let sealer = cluster.create_role("sealer");
    let auditor = cluster.create_role("auditor");
    cluster
        .client()
        .batch_execute(&format!("DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {owner}', current_database()); END $$"))
        .unwrap();
    let owned = |arguments: &[&str]| cluster.ext_migrate_on(0, Some(&owner), arguments);
    owned(&["up", "--schema", "registry"]).succeeded();
    owned(&[
        "grant",
        "--schema",
        "registry",
        "--publisher",
        &publisher,
        "--reader",
        &reader,
        "--sealer",
        &sealer,
        "--auditor",
        &auditor,
    ])
    .succeeded();
    let check = owned(&["check", "--schema", "registry", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(check["findings"], json!([]), "{check}");

    let mut client = cluster.client_as(&publisher);
    client.batch_execute("SET search_path = registry").unwrap();
    let published = ext_registry_tests::publish(&mut client, "1.0.0");
    let insert =
        "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'a', 'b')";
    assert_eq!(
        client
            .execute(insert, &[])
            .unwrap_err()
            .code()
            .unwrap()
            .code(),
        "42501"
    );
    let mut client = cluster.client_as(&reader);
    client.batch_execute("SET search_path = registry").unwrap();
    for tenant in [None, Some("berlin"), Some("oslo")] {
        let listed = ext_registry_tests::list(&mut client, published.extension_id, tenant).unwrap();
        assert_eq!(listed.len(), 1, "{tenant:?}");
    }
    for (role, command) in [(&sealer, "seal"), (&auditor, "audit")] {
        cluster
            .ext_migrate_on(0, Some(role), &[command, "--schema", "registry"])
            .succeeded();
    }
}

#[test]
fn a_worker_is_refused() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    for (arguments, code) in [
        (&["up"][..], 1),
        (&["distribute"], 1),
        (&["distribute", "--yes"], 1),
        (&["plan"], 1),
        (&["check"], 8),
    ] {
        let refused = cluster.ext_migrate_on(1, None, arguments).exited(code);
        let words = refused.stdout + &refused.stderr;
        assert!(
            words.contains("connect to the coordinator"),
            "{arguments:?}: {words}"
        );
    }
}
