//! The log: tables of the coordinator alone, of rows that every node has.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ct_merkle::{InclusionProof, RootHash};
use ext_registry_tests::old_schema::{old_rows, old_schema};
use ext_registry_tests::{
    Folder, Outcome, Refusal, finalize, hash, manifest, publish, workspace_root,
};
use openssl::pkey::PKey;
use postgres::Client;
use serde_json::json;
use sha2::Sha256;

use crate::cluster::Cluster;

const ORIGIN: &str = "registry.example.com/versions";

/// A signer's key, and what an auditor keeps.
struct Files(Folder);

impl Files {
    fn new() -> Self {
        let files = Self(Folder::of(&[]));
        let key = PKey::generate_ed25519().unwrap();
        let pem = files.path("log.pem");
        fs::write(&pem, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        fs::set_permissions(&pem, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(files.path("log.pub"), key.public_key_to_pem().unwrap()).unwrap();
        files
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.0.path())
    }

    /// Seals and signs; gives the size of the tree.
    #[track_caller]
    fn seal(&self, cluster: &Cluster) -> i64 {
        let key = self.path("log.pem");
        let arguments = [
            "seal", "--key", &key, "--origin", ORIGIN, "--format", "json",
        ];
        let report = cluster.ext_migrate(&arguments).succeeded().json();
        report["tree_size"].as_i64().unwrap()
    }

    /// As an auditor does it who has kept a checkpoint, and keeps this one.
    fn audit(&self, cluster: &Cluster) -> Outcome {
        let (kept, key) = (self.path("kept"), self.path("log.pub"));
        let mut arguments = vec!["audit", "--public-key", &key, "--keep", &kept];
        if fs::exists(&kept).unwrap() {
            arguments.extend(["--checkpoint", &kept]);
        }
        arguments.extend(["--format", "json"]);
        cluster.ext_migrate(&arguments)
    }
}

#[track_caller]
fn verify(client: &mut Client) -> Vec<String> {
    let rows = client.query("SELECT finding FROM ext_verify_log()", &[]);
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

#[track_caller]
fn assert_nothing_to_find(cluster: &Cluster) {
    let arguments = ["check", "--format", "json"];
    let check = cluster.ext_migrate(&arguments).succeeded().json();
    assert_eq!(check["findings"], json!([]), "{check}");
    assert_eq!(verify(&mut cluster.client()), Vec::<String>::new());
}

/// Verified by an implementation that is not ours, from the row and by the documented query.
#[track_caller]
fn assert_included(client: &mut Client, index: i64) {
    let data = include_str!("../log/leaves.sql")
        .replace("sha256('\\x00'::bytea || convert_to(", "convert_to(")
        .replace("'UTF8'))", "'UTF8')");
    let row = client
        .query_one(
            &format!(
                "SELECT c.root, c.tree_size, d.leaf_hash, ext_inclusion_proof(l.leaf_index)
                 FROM ext_log_checkpoint() c, extension_log_leaf l
                 JOIN ({data}) d
                     ON d.version_id = l.version_id AND d.bundle_id IS NOT DISTINCT FROM l.bundle_id
                 WHERE l.leaf_index = $1"
            ),
            &[&index],
        )
        .unwrap();
    let root: [u8; 32] = row.get::<_, Vec<u8>>(0).try_into().unwrap();
    let size: i64 = row.get(1);
    let proof = row.get::<_, Vec<Vec<u8>>>(3).concat();
    RootHash::<Sha256>::new(root.into(), size as u64)
        .verify_inclusion(
            &row.get::<_, Vec<u8>>(2),
            index as u64,
            &InclusionProof::from_bytes(proof),
        )
        .unwrap();
}

#[test]
fn what_any_node_publishes_is_sealed_on_the_coordinator() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let files = Files::new();
    for node in 0..cluster.nodes() {
        publish(&mut cluster.node(node), &format!("{node}.0.0"));
    }
    let mut size = 2 * i64::try_from(cluster.nodes()).unwrap();
    assert_eq!(files.seal(&cluster), size);
    files.audit(&cluster).succeeded();
    // More than are fetched at once.
    let mut worker = cluster.node(1);
    worker
        .batch_execute(
            "SELECT ext_finalize_version(
                 jsonb_build_object('publisher', 'acme', 'name', 'widget', 'version', n || '.1.0', 'runtime', 'node@20'),
                 repeat('b', 64))
             FROM generate_series(1, 200) n",
        )
        .unwrap();
    size += 400;
    assert_eq!(files.seal(&cluster), size);
    files.audit(&cluster).succeeded();
    assert_nothing_to_find(&cluster);
    let mut client = cluster.client();
    for index in [0, size / 2, size - 1] {
        assert_included(&mut client, index);
    }
    let tiles = files.path("tiles");
    cluster.ext_migrate(&["export-tiles", &tiles]).succeeded();
    assert!(fs::exists(format!("{tiles}/tile/0/000")).unwrap());

    // Published and sealed in one transaction, across more than one node.
    let mut transaction = client.transaction().unwrap();
    publish(&mut transaction, "9.9.9");
    let row = transaction
        .query_one("SELECT appended FROM ext_seal_log()", &[])
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
    transaction.commit().unwrap();
    assert_eq!(files.seal(&cluster), size + 2);
    files.audit(&cluster).succeeded();
    assert_nothing_to_find(&cluster);
    let row = client
        .query_one(
            "SELECT count(*) FROM citus_tables WHERE table_name::text LIKE 'extension_log_%'",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[test]
fn a_worker_says_where_the_log_is() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let mut worker = cluster.node(1);
    publish(&mut worker, "1.0.0");
    for call in [
        "ext_seal_log()",
        "ext_version_leaf(gen_random_uuid())",
        "ext_log_checkpoint()",
        "ext_sign_checkpoint(2, 'a AAAAAAAA')",
        "ext_inclusion_proof(0)",
        "ext_consistency_proof(0)",
        "ext_log_tile(0, 0)",
        "ext_verify_log()",
    ] {
        worker
            .query(&format!("SELECT * FROM {call}"), &[])
            .refused()
            .with_sqlstate("55000")
            .with_code("LOG_ON_COORDINATOR");
    }
    let files = Files::new();
    for (arguments, code) in [
        (&["seal"][..], "LOG_ON_COORDINATOR"),
        (&["audit"], "on Citus the coordinator has it"),
        (
            &["export-tiles", &files.path("tiles")],
            "on Citus the coordinator has it",
        ),
    ] {
        let refused = cluster.ext_migrate_on(1, None, arguments).exited(1);
        assert!(refused.stderr.contains(code), "{}", refused.stderr);
    }
}

#[test]
fn a_sealed_registry_is_distributed_and_goes_on_with_its_log() {
    let Some(cluster) = Cluster::without_citus() else {
        return;
    };
    let mut client = cluster.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client.batch_execute(old_rows()).unwrap();
    cluster.ext_migrate(&["up"]).succeeded();
    let files = Files::new();
    let sealed = files.seal(&cluster);
    publish(&mut client, "9.0.0");
    files.audit(&cluster).succeeded();

    cluster.add_citus();
    assert_eq!(files.seal(&cluster), sealed + 2);
    files.audit(&cluster).succeeded();
    cluster.ext_migrate(&["distribute", "--yes"]).succeeded();
    files.audit(&cluster).succeeded();
    assert_nothing_to_find(&cluster);
    publish(&mut cluster.node(2), "9.1.0");
    assert_eq!(files.seal(&cluster), sealed + 4);
    files.audit(&cluster).succeeded();
    assert_nothing_to_find(&cluster);
}

#[test]
fn a_registry_that_is_distributed_gets_the_log() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    // Up to V11, as 1.0.0 has them.
    Folder::first(11)
        .ext_migrate(&cluster.target(0, None), &["up"])
        .succeeded();
    publish(&mut cluster.node(1), "1.0.0");
    let up = cluster
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(up["citus"]["layout"], "distributed", "{up}");
    let files = Files::new();
    assert_eq!(files.seal(&cluster), 2);
    files.audit(&cluster).succeeded();
    assert_nothing_to_find(&cluster);
    let mut client = cluster.client();
    for table in ["leaf", "tile", "checkpoint", "signature"] {
        client
            .batch_execute(&format!("TRUNCATE extension_log_{table} CASCADE"))
            .refused()
            .with_sqlstate("23001")
            .with_code("VERSION_IMMUTABLE");
    }
}

/// As a superuser does it who knows where the rows are: on the shard of one node, with its guards off.
fn tamper(cluster: &Cluster, node: usize, sql: &str) {
    let shard = cluster.shard("extension_version");
    cluster
        .node(node)
        .batch_execute(&format!(
            "SET citus.enable_manual_changes_to_shards = on; SET citus.override_table_visibility = off;
             ALTER TABLE {shard} DISABLE TRIGGER USER;
             {}",
            sql.replace("extension_version", &shard)
        ))
        .unwrap();
}

#[test]
fn what_is_changed_on_the_coordinator_is_found() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    let files = Files::new();
    publish(&mut cluster.client(), "1.0.0");
    finalize(&mut cluster.node(1), &manifest("1.1.0"), &hash(1)).unwrap();
    files.seal(&cluster);
    files.audit(&cluster).succeeded();
    let change = "UPDATE extension_version SET runtime = 'node@21' WHERE version = '1.1.0'";
    tamper(&cluster, 0, change);
    assert_eq!(verify(&mut cluster.client()), ["CHANGED"]);
    let audit = files.audit(&cluster).exited(9).json();
    assert_eq!(audit["counts"], json!({"CHANGED": 1}), "{audit}");
}

/// The audit reads the coordinator's rows; doc/log.md has the query that compares the others with them.
#[test]
fn what_is_changed_on_a_worker_alone_is_found_by_comparing_replicas() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    cluster.ext_migrate(&["up"]).succeeded();
    publish(&mut cluster.client(), "1.0.0");
    let files = Files::new();
    files.seal(&cluster);
    let page = fs::read_to_string(workspace_root().join("doc/log.md")).unwrap();
    let (_, block) = page.split_once("```sql citus\n").unwrap();
    let (query, _) = block.split_once("```").unwrap();
    let digests = || {
        let rows = cluster.client().query(query, &[]).unwrap();
        assert_eq!(rows.len(), 3 * cluster.nodes());
        let mut digests: Vec<(String, String)> =
            rows.iter().map(|row| (row.get(0), row.get(2))).collect();
        digests.sort();
        digests.dedup();
        digests
    };
    assert_eq!(digests().len(), 3);
    tamper(
        &cluster,
        1,
        "UPDATE extension_version SET runtime = 'node@21'",
    );
    files.audit(&cluster).succeeded();
    let digests = digests();
    let tables: Vec<_> = digests.iter().map(|(table, _)| table.as_str()).collect();
    let version = "extension_version";
    assert_eq!(
        tables,
        ["extension_bundle", "extension_registry", version, version]
    );
}
