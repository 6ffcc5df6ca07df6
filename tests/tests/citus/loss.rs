//! A worker that does not answer. The coordinator is told another port for it, so that to this database it is gone.

use ext_registry_tests::{Refusal, finalize, hash, list, manifest, publish};
use uuid::Uuid;

use crate::cluster::Cluster;

/// A port where nobody listens.
const NOWHERE: u16 = 1;

fn tell_port(cluster: &Cluster, worker: usize, from: u16, to: u16) {
    let changed = cluster
        .client()
        .execute(
            "UPDATE pg_dist_node SET nodeport = $1 WHERE nodeport = $2",
            &[&i32::from(to), &i32::from(from)],
        )
        .unwrap();
    assert_eq!(changed, 1, "worker {worker}");
}

#[test]
fn without_a_worker_nothing_is_published_and_what_is_published_is_listed_and_sealed() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let published = publish(&mut cluster.client(), "1.0.0");
    let mut tenants = Vec::new();
    for number in 0..24 {
        let tenant = format!("tenant {number}");
        let mut client = cluster.client();
        client
            .execute(
                "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id) VALUES ($1, $2, $3, $4)",
                &[&Uuid::new_v4(), &tenant, &published.extension_id, &published.version_id],
            )
            .unwrap();
        let row = client
            .query_one(
                "SELECT nodeport FROM citus_shards
                 WHERE shardid = get_shard_id_for_distribution_column('tenant_extension_install', $1::text)",
                &[&tenant],
            )
            .unwrap();
        tenants.push((tenant, row.get::<_, i32>(0)));
    }
    let lost = 2;
    let port = cluster.port(lost);
    tell_port(&cluster, lost, port, NOWHERE);

    let mut client = cluster.client();
    // A class of errors that says: try again later.
    finalize(&mut client, &manifest("1.1.0"), &hash(1))
        .refused()
        .with_sqlstate("08006");
    assert_eq!(
        list(&mut client, published.extension_id, None)
            .unwrap()
            .len(),
        1
    );
    let mut homes = [0, 0];
    for (tenant, home) in &tenants {
        let listed = list(&mut client, published.extension_id, Some(tenant));
        if *home == i32::from(port) {
            homes[0] += 1;
            listed.refused().with_sqlstate("08006");
        } else {
            homes[1] += 1;
            assert!(listed.unwrap()[0].installed, "{tenant}");
        }
    }
    assert!(homes.iter().all(|tenants| *tenants > 0), "{homes:?}");
    let check = cluster
        .ext_migrate(&["check", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(check["findings"][0]["code"], "NODE_SILENT", "{check}");

    // The log is the coordinator's own.
    cluster.ext_migrate(&["seal"]).succeeded();
    cluster.ext_migrate(&["audit"]).succeeded();

    tell_port(&cluster, lost, NOWHERE, port);
    let mut client = cluster.client();
    finalize(&mut client, &manifest("1.1.0"), &hash(1)).unwrap();
    assert_eq!(cluster.assert_replicas_agree(), [1, 2, 2]);
}
