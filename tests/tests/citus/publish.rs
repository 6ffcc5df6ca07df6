//! Publishing and listing through every node, one after the other and at once.

use std::collections::HashSet;

use ext_registry_tests::{Refusal, finalize, hash, list, manifest, manifest_of, publish, together};
use uuid::Uuid;

use crate::cluster::Cluster;

/// Trimmed names find the entry from every node, and an old entry of the untrimmed spelling is found by each.
#[test]
fn names_are_trimmed_on_every_node() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let insert = "INSERT INTO extension_registry (id, publisher, name, created_at, updated_at)
        VALUES ($1, ' old', 'widget', now(), now())";
    let old = Uuid::from_u128(1);
    cluster.client().execute(insert, &[&old]).unwrap();
    let given = |publisher: &str| {
        let mut given = manifest("1.0.*");
        given["publisher"] = publisher.into();
        given["runtime"] = " a-b ".into();
        given
    };
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        let published = finalize(&mut client, &given("\tacme "), &hash(node)).unwrap();
        assert_eq!(published.version, format!("1.0.{node}"));
        finalize(&mut client, &given(" old"), &hash(node))
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_MANIFEST")
            .with_message_containing("an old entry is spelled exactly as given");
    }
    assert_eq!(cluster.assert_replicas_agree(), [2, 3, 3]);
}

#[test]
fn publish_and_list_from_every_node() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let mut last = None;
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        let published = finalize(&mut client, &manifest("1.0.*"), &hash(node)).unwrap();
        assert_eq!(published.version, format!("1.0.{node}"));
        let twice = finalize(&mut client, &manifest(&published.version), &hash(node)).refused();
        twice
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("same_content", true)
            .with_table("public", "extension_version")
            .with_constraint("extension_version_registry_id_version_unique");
        last = Some(published);
    }
    assert_eq!(cluster.assert_replicas_agree(), [1, 3, 3]);

    let last = last.unwrap();
    let mut client = cluster.client();
    for tenant in 0..8 {
        client
            .execute(
                "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id) VALUES ($1, $2, $3, $4)",
                &[&Uuid::new_v4(), &format!("tenant {tenant}"), &last.extension_id, &last.version_id],
            )
            .unwrap();
    }
    for node in 0..cluster.nodes() {
        let mut client = cluster.node(node);
        // More often than it takes to get a generic plan.
        for tenant in 0..10 {
            let name = format!("tenant {tenant}");
            let listed = list(&mut client, last.extension_id, Some(&name)).unwrap();
            let versions: Vec<_> = listed.iter().map(|row| row.version.as_str()).collect();
            assert_eq!(versions, ["1.0.2", "1.0.1", "1.0.0"]);
            let installed: Vec<_> = listed.iter().map(|row| row.installed).collect();
            assert_eq!(installed, [tenant < 8, false, false], "{name}");
            assert!(listed.iter().all(|row| row.bundle_count == 1));
        }
        let listed = list(&mut client, last.extension_id, None).unwrap();
        assert!(listed.len() == 3 && listed.iter().all(|row| !row.installed));
        assert!(
            list(&mut client, Uuid::new_v4(), Some("tenant 1"))
                .unwrap()
                .is_empty()
        );
        let page = client
            .query(
                "SELECT version FROM ext_list_versions(ext_extension_id('acme', 'widget'), 'tenant 1')
                 WHERE (published_at, version_id) < ($1::text::timestamptz, $2) LIMIT 1",
                &[&last.published_at, &last.version_id],
            )
            .unwrap();
        assert_eq!(page[0].get::<_, &str>(0), "1.0.1");
    }
}

#[test]
fn a_version_published_in_a_transaction_goes_with_it() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let mut client = cluster.client();
    let mut transaction = client.transaction().unwrap();
    publish(&mut transaction, "1.0.0");
    transaction.rollback().unwrap();
    assert_eq!(cluster.assert_replicas_agree(), [0, 0, 0]);
    let mut transaction = client.transaction().unwrap();
    publish(&mut transaction, "1.0.0");
    publish(&mut transaction, "1.1.0");
    transaction.commit().unwrap();
    assert_eq!(cluster.assert_replicas_agree(), [1, 2, 2]);
}

/// Neither a deadlock nor a lost number, whatever is published at once and through which node.
#[test]
fn races_have_one_winner_each_and_no_deadlock() {
    const CLIENTS: usize = 8;
    const ROUNDS: usize = 4;
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let connect = |number| cluster.node(number % cluster.nodes());
    let results = together(CLIENTS, connect, |number, mut client| {
        let mut won = Vec::new();
        let mut numbered = Vec::new();
        for round in 0..ROUNDS {
            // The same version of the same new extension, by all of them.
            let contested = manifest_of(&format!("contested {round}"), "1.0.0");
            match finalize(&mut client, &contested, &hash(number)) {
                Ok(_) => won.push(round),
                lost => drop(lost.refused().with_sqlstate("23505")),
            }
            let own = manifest(&format!("2.{number}.{round}"));
            finalize(&mut client, &own, &hash(number)).unwrap();
            let next = finalize(&mut client, &manifest("1.0.*"), &hash(number)).unwrap();
            numbered.push(next.version);
        }
        (won, numbered)
    });
    let mut winners: Vec<_> = results.iter().flat_map(|(won, _)| won).collect();
    winners.sort();
    assert_eq!(
        winners,
        (0..ROUNDS).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    let numbers: HashSet<_> = results.iter().flat_map(|(_, numbered)| numbered).collect();
    assert_eq!(numbers.len(), CLIENTS * ROUNDS);
    for number in 0..CLIENTS * ROUNDS {
        assert!(numbers.contains(&format!("1.0.{number}")), "1.0.{number}");
    }
    let versions = i64::try_from(ROUNDS + 2 * CLIENTS * ROUNDS).unwrap();
    let entries = i64::try_from(ROUNDS + 1).unwrap();
    assert_eq!(
        cluster.assert_replicas_agree(),
        [entries, versions, versions]
    );
}
