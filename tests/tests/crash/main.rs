//! Clients publish while the server is killed with SIGKILL and started again. `make soak` kills it more often.

mod publisher;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use ext_registry_tests::{
    Options, Refusal, Server, finalize, hash, manifest_of, soak_size, wait_until,
};
use postgres::Client;
use publisher::{Account, Publisher, WILD};
use uuid::Uuid;

fn durable_server(conf: &[&str]) -> Server {
    Server::start(&Options {
        fsync: true,
        conf: conf.iter().map(|line| (*line).to_owned()).collect(),
        ..Options::default()
    })
}

#[test]
fn acknowledged_publishes_survive() {
    let kills = soak_size("KILLS", 3, 50);
    let clients = soak_size("CRASH_CLIENTS", 6, 16);
    // So many answers between two kills that each client is likely to be in the middle of something.
    let answers_between = soak_size("ANSWERS", 60, 400);
    let server = durable_server(&[]);
    let db = server.migrated_database();
    let answers = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let started = Instant::now();

    let accounts: Vec<Account> = thread::scope(|scope| {
        let publishers: Vec<_> = (0..clients)
            .map(|number| {
                let publisher = Publisher::new(db.config(), number, &answers, &stop);
                scope.spawn(move || publisher.run())
            })
            .collect();
        for _ in 0..kills {
            let before = answers.load(Ordering::Relaxed);
            wait_until("clients publish", || {
                answers.load(Ordering::Relaxed) >= before + answers_between
                    || publishers.iter().any(thread::ScopedJoinHandle::is_finished)
            });
            server.kill9();
            server.restart();
        }
        stop.store(true, Ordering::Relaxed);
        publishers
            .into_iter()
            .map(|publisher| publisher.join().unwrap())
            .collect()
    });

    let total = |count: fn(&Account) -> usize| accounts.iter().map(count).sum::<usize>();
    println!(
        "crash: {kills} kills, {clients} clients, {:.1} s: {} publishes acknowledged, {} answers lost; \
         asked again, {} versions had been committed and {} not",
        started.elapsed().as_secs_f64(),
        total(|a| a.acknowledged.len()),
        total(|a| a.lost),
        total(|a| a.lost_but_committed),
        total(|a| a.lost_and_undone),
    );
    assert!(total(|a| a.lost) > 0, "no kill met a publish");
    let mut client = db.client();
    everything_is_there(&mut client, &accounts);
    for publish in accounts
        .iter()
        .filter_map(|account| account.acknowledged.last())
    {
        finalize(
            &mut client,
            &manifest_of(&publish.name, &publish.version),
            &publish.content_hash,
        )
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", true)
        .with_detail("same_manifest", true)
        .with_detail("same_signature", true);
    }
}

/// Each version has its bundle and its entry; what was acknowledged is there as it was acknowledged; what is there
/// somebody has published.
fn everything_is_there(client: &mut Client, accounts: &[Account]) {
    // Heap and indexes must agree after recovery.
    let mut by_heap = None;
    for plan in [
        "SET enable_seqscan = off",
        "SET enable_seqscan = on; SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off",
    ] {
        client.batch_execute(plan).unwrap();
        let stored = stored(client);
        assert!(
            by_heap.is_none_or(|other| other == stored),
            "heap and indexes differ"
        );
        by_heap = Some(stored);
    }
    let stored = by_heap.unwrap();

    let mut attempted = BTreeSet::new();
    for account in accounts {
        for publish in &account.acknowledged {
            assert_eq!(
                stored.get(&(publish.name.clone(), publish.version.clone())),
                Some(&(publish.version_id, vec![publish.content_hash.clone()])),
                "{publish:?}"
            );
        }
        attempted.extend(account.attempted.iter().cloned());
    }
    for ((name, version), (_, hashes)) in &stored {
        assert_eq!(hashes.len(), 1, "bundles of {name} {version}");
        let known = name == WILD || attempted.contains(&(name.clone(), version.clone()));
        assert!(known, "nobody published {name} {version}");
    }
    let wild = stored.keys().filter(|(name, _)| name == WILD);
    let numbers: BTreeSet<usize> = wild
        .map(|(_, version)| version.strip_prefix("1.0.").unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, (0..numbers.len()).collect());
}

type Stored = BTreeMap<(String, String), (Uuid, Vec<String>)>;

fn stored(client: &mut Client) -> Stored {
    let rows = client
        .query(
            "SELECT r.name, v.version, v.id, array_remove(array_agg(b.content_hash), NULL)
             FROM extension_version v
             JOIN extension_registry r ON r.id = v.registry_id
             LEFT JOIN extension_bundle b ON b.version_id = v.id
             GROUP BY r.id, r.name, v.id, v.version",
            &[],
        )
        .unwrap();
    rows.iter()
        .map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3))))
        .collect()
}

/// A publish that is prepared for a two-phase commit outlives the crash, neither published nor free to take.
#[test]
fn a_prepared_publish_survives() {
    let server = durable_server(&["max_prepared_transactions = 5"]);
    let db = server.migrated_database();
    let mut client = db.client();
    let widget = |version: &str| manifest_of("widget", version);
    // The entry first: who creates one in an open transaction makes everybody else wait.
    finalize(&mut client, &widget("1.0.0"), &hash(1)).unwrap();
    client.batch_execute("BEGIN").unwrap();
    finalize(&mut client, &widget("2.0.0"), &hash(1)).unwrap();
    client
        .batch_execute("PREPARE TRANSACTION 'publish'")
        .unwrap();
    server.kill9();
    server.restart();

    let mut client = db.client();
    client.batch_execute("SET lock_timeout = '50ms'").unwrap();
    finalize(&mut client, &widget("2.0.0"), &hash(1))
        .refused()
        .with_sqlstate("55P03");
    client.batch_execute("COMMIT PREPARED 'publish'").unwrap();
    finalize(&mut client, &widget("2.0.0"), &hash(1))
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", true)
        .with_detail("same_manifest", true)
        .with_detail("same_signature", true);
}
