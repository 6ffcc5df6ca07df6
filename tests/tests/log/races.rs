//! Publishers and sealers at once. Exactly what happened is asserted: each committed row has one leaf, and every
//! checkpoint is the beginning of every later one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use ct_merkle::ConsistencyProof;
use ext_registry_tests::{
    Refusal, Server, backend_pid, finalize, hash, manifest_of, publish, soak_size, together,
    wait_until_blocked,
};
use sha2::Sha256;

use crate::world::{Seal, leaves, publish_many, seal, try_seal, verify};

#[test]
fn sealers_and_publishers_at_once() {
    let each = soak_size("PUBLISHES", 20, 200);
    let db = Server::shared().migrated_database();
    let publishing = AtomicUsize::new(8);
    let seals: Vec<Vec<Seal>> = together(
        16,
        |_| db.client(),
        |number, mut client| {
            let mut seals = Vec::new();
            if number < 8 {
                for version in 0..each {
                    let manifest =
                        manifest_of(&format!("widget-{number}"), &format!("{version}.0.0"));
                    finalize(&mut client, &manifest, &hash(version)).unwrap();
                }
                publishing.fetch_sub(1, Ordering::SeqCst);
            } else {
                while publishing.load(Ordering::SeqCst) > 0 {
                    seals.push(seal(&mut client));
                }
            }
            seals
        },
    );
    let mut client = db.client();
    let last = seal(&mut client);
    let rows = 2 * 8 * each;
    assert_eq!(last.size, rows as i64);
    assert_eq!(verify(&mut client), Vec::<String>::new());
    let distinct: BTreeSet<_> = leaves(&mut client)
        .into_iter()
        .map(|(version, bundle, _)| (version, bundle))
        .collect();
    assert_eq!(distinct.len(), rows);

    // What was appended adds up: no two sealers have appended the same.
    let mut all: Vec<Seal> = seals.into_iter().flatten().chain([last]).collect();
    all.sort_by_key(|seal| seal.size);
    assert_eq!(
        all.iter().map(|seal| seal.appended).sum::<i64>(),
        rows as i64
    );
    all.dedup_by(|a, b| (a.size, &a.root) == (b.size, &b.root));
    let sizes: BTreeSet<i64> = all.iter().map(|seal| seal.size).collect();
    assert_eq!(sizes.len(), all.len(), "two roots of one size");
    for pair in all.windows(2).filter(|pair| pair[0].size > 0) {
        let row = client
            .query_one(
                "SELECT ext_consistency_proof($1, $2)",
                &[&pair[0].size, &pair[1].size],
            )
            .unwrap();
        let proof = row.get::<_, Vec<Vec<u8>>>(0).concat();
        let proof = ConsistencyProof::<Sha256>::try_from_bytes(proof).unwrap();
        pair[1]
            .their_root()
            .verify_consistency(&pair[0].their_root(), &proof)
            .unwrap();
    }
    // Within one publisher the order of the log is the order of its publishes.
    let disordered: i64 = client
        .query_one(
            "SELECT count(*) FROM (
                 SELECT v.created_at < lag(v.created_at) OVER (PARTITION BY v.registry_id ORDER BY l.leaf_index) AS late
                 FROM extension_log_leaf l JOIN extension_version v ON v.id = l.version_id
                 WHERE l.bundle_id IS NULL
             ) s WHERE late",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(disordered, 0);
}

/// Nothing that publishes waits for a seal that is under way, not even for a moment.
#[test]
fn a_publisher_does_not_wait_for_a_sealer() {
    let db = Server::shared().migrated_database();
    let (mut sealer, mut publisher, mut observer) = (db.client(), db.client(), db.client());
    publish_many(&mut publisher, 0, 10);
    let mut sealing = sealer.transaction().unwrap();
    assert_eq!(seal(&mut sealing).appended, 20);
    publisher.batch_execute("SET lock_timeout = '1ms'").unwrap();
    publish(&mut publisher, "100.0.0");
    publisher
        .query(
            "SELECT * FROM ext_version_leaf((SELECT id FROM extension_version LIMIT 1))",
            &[],
        )
        .unwrap();
    assert_eq!(verify(&mut publisher), Vec::<String>::new());
    // Another sealer does, and then finds what has come since.
    std::thread::scope(|scope| {
        let mut other = db.client();
        let pid = backend_pid(&mut other);
        let waiting = scope.spawn(move || seal(&mut other));
        wait_until_blocked(&mut observer, pid);
        sealing.commit().unwrap();
        let second = waiting.join().unwrap();
        assert_eq!((second.size, second.appended), (22, 2));
    });
    assert_eq!(verify(&mut observer), Vec::<String>::new());
}

/// A sealer that loses its connection or rolls back leaves nothing behind.
#[test]
fn an_aborted_seal_leaves_nothing() {
    let db = Server::shared().migrated_database();
    let (mut sealer, mut client) = (db.client(), db.client());
    publish_many(&mut client, 0, 300);
    let pid = backend_pid(&mut sealer);
    let mut sealing = sealer.transaction().unwrap();
    assert_eq!(seal(&mut sealing).size, 600);
    client
        .execute("SELECT pg_terminate_backend($1, 60000)", &[&pid])
        .unwrap();
    assert!(sealing.commit().is_err());
    assert!(leaves(&mut client).is_empty());
    let sealed = seal(&mut client);
    assert_eq!((sealed.size, sealed.appended), (600, 600));
    assert_eq!(verify(&mut client), Vec::<String>::new());
}

/// Above READ COMMITTED the snapshot may be older than another seal: then it is a serialization failure, to be retried.
#[test]
fn an_old_snapshot_does_not_append_twice() {
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let db = Server::shared().migrated_database();
        let (mut client, mut other) = (db.client(), db.client());
        publish_many(&mut client, 0, 3);
        client
            .batch_execute(&format!(
                "BEGIN ISOLATION LEVEL {level}; SELECT 1 FROM extension_version"
            ))
            .unwrap();
        assert_eq!(seal(&mut other).appended, 6);
        try_seal(&mut client).refused().with_sqlstate("40001");
        client.batch_execute("ROLLBACK").unwrap();
        assert_eq!(seal(&mut client).appended, 0);
        assert_eq!(verify(&mut client), Vec::<String>::new());
    }
}
