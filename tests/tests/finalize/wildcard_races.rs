//! Wildcard publishes at the same moment: each gets a number of its own.

use std::thread;

use ext_registry_tests::{
    Refusal, Server, backend_pid, finalize, hash, manifest, manifest_of, publish, row_counts,
    together, wait_until_blocked,
};

const CLIENTS: usize = 12;

/// The patch numbers of `1.2.N` versions, sorted.
fn patches(versions: impl IntoIterator<Item = String>) -> Vec<usize> {
    let mut patches: Vec<usize> = versions
        .into_iter()
        .map(|version| version.strip_prefix("1.2.").unwrap().parse().unwrap())
        .collect();
    patches.sort_unstable();
    patches
}

#[test]
fn concurrent_wildcards_get_all_numbers_from_0() {
    let db = Server::shared().migrated_database();
    for round in 0..4 {
        let name = format!("widget-{round}");
        // A new extension, and one that is there already.
        if round % 2 == 1 {
            finalize(&mut db.client(), &manifest_of(&name, "9.9.9"), &hash(0)).unwrap();
        }
        let versions = together(
            CLIENTS,
            |_| db.client(),
            |number, mut client| {
                finalize(&mut client, &manifest_of(&name, "1.2.*"), &hash(number))
                    .unwrap_or_else(|error| panic!("client {number}: {error:?}"))
                    .version
            },
        );
        assert_eq!(patches(versions), Vec::from_iter(0..CLIENTS));
    }
}

#[test]
fn concurrent_wildcards_go_on_for_many_rounds() {
    const EACH: usize = 25;
    let db = Server::shared().migrated_database();
    let versions = together(
        8,
        |_| db.client(),
        |_, mut client| {
            let published: Vec<_> = (0..EACH)
                .map(|_| publish(&mut client, "1.2.*").version)
                .collect();
            published
        },
    );
    for own in &versions {
        let numbers = patches(own.clone());
        assert!(
            own.iter()
                .zip(&numbers)
                .all(|(v, n)| *v == format!("1.2.{n}")),
            "{own:?}"
        );
    }
    assert_eq!(
        patches(versions.into_iter().flatten()),
        Vec::from_iter(0..8 * EACH)
    );
}

#[test]
fn wildcards_and_given_versions_mix() {
    let db = Server::shared().migrated_database();
    for round in 0..4 {
        let name = format!("widget-{round}");
        let outcomes = together(
            CLIENTS,
            |_| db.client(),
            |number, mut client| {
                let version = if number.is_multiple_of(2) {
                    "1.2.*".to_owned()
                } else {
                    // In the way of the wildcards.
                    format!("1.2.{}", number / 2)
                };
                let result = finalize(&mut client, &manifest_of(&name, &version), &hash(number));
                (version, result)
            },
        );
        let mut won = Vec::new();
        for (version, result) in outcomes {
            match result {
                Ok(published) => won.push(published.version),
                lost => {
                    assert_ne!(version, "1.2.*", "a wildcard never loses");
                    lost.refused()
                        .with_sqlstate("23505")
                        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
                        .with_detail("version", version);
                }
            }
        }
        let numbers = patches(won);
        let mut distinct = numbers.clone();
        distinct.dedup();
        assert_eq!(numbers, distinct, "nobody shares a number");
        let row = db
            .client()
            .query_one(
                "SELECT count(*) FROM extension_version v JOIN extension_registry r ON r.id = v.registry_id
                 WHERE r.name = $1",
                &[&name],
            )
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), numbers.len() as i64);
    }
}

/// Publishes `1.2.*` while another transaction is open that has published `taken`; ends that one when this waits.
fn wildcard_waits(taken: &str, exists: bool, commit: bool) -> String {
    let db = Server::shared().migrated_database();
    if exists {
        publish(&mut db.client(), "0.0.0");
    }
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    publish(&mut holder, taken);
    let mut waiter = db.client();
    let pid = backend_pid(&mut waiter);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| finalize(&mut waiter, &manifest("1.2.*"), &hash(1)).unwrap());
        wait_until_blocked(&mut db.client(), pid);
        if commit {
            holder.commit().unwrap();
        } else {
            holder.rollback().unwrap();
        }
        waiting.join().unwrap().version
    })
}

#[test]
fn a_wildcard_waiting_for_one_that_rolls_back_takes_its_number() {
    for exists in [true, false] {
        for taken in ["1.2.*", "1.2.0"] {
            assert_eq!(
                wildcard_waits(taken, exists, false),
                "1.2.0",
                "{taken} {exists}"
            );
        }
    }
}

#[test]
fn a_wildcard_waiting_for_one_that_commits_takes_the_next_number() {
    for exists in [true, false] {
        for taken in ["1.2.*", "1.2.0"] {
            assert_eq!(
                wildcard_waits(taken, exists, true),
                "1.2.1",
                "{taken} {exists}"
            );
        }
    }
}

#[test]
fn a_wildcard_of_another_extension_does_not_wait() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    publish(&mut holder, "1.2.*");
    let mut other = db.client();
    other.batch_execute("SET lock_timeout = '5s'").unwrap();
    finalize(&mut other, &manifest_of("gadget", "1.2.*"), &hash(0)).unwrap();
    holder.commit().unwrap();
    assert_eq!(row_counts(&mut client), (2, 2, 2));
}

#[test]
fn a_given_version_does_not_wait_for_a_wildcard() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    publish(&mut holder, "1.2.*");
    let mut other = db.client();
    other.batch_execute("SET lock_timeout = '5s'").unwrap();
    publish(&mut other, "1.2.7");
    // The transaction goes on from what is committed by now.
    assert_eq!(publish(&mut holder, "1.2.*").version, "1.2.8");
    holder.commit().unwrap();
}

/// Many more than a fixed number of tries would be.
#[test]
fn a_wildcard_that_loses_every_race_wins_in_the_end() {
    const LOST: usize = 20;
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let mut holders: Vec<_> = (0..LOST).map(|_| db.client()).collect();
    let mut holding: Vec<_> = holders
        .iter_mut()
        .enumerate()
        .map(|(patch, client)| {
            let mut transaction = client.transaction().unwrap();
            publish(&mut transaction, &format!("1.2.{patch}"));
            transaction
        })
        .collect();
    let mut waiter = db.client();
    let pid = backend_pid(&mut waiter);
    let mut watcher = db.client();
    let version = thread::scope(|scope| {
        let waiting = scope.spawn(|| publish(&mut waiter, "1.2.*").version);
        for holder in holding.drain(..) {
            let own = "SELECT pg_backend_pid()";
            let mut holder = holder;
            let in_front: i32 = holder.query_one(own, &[]).unwrap().get(0);
            // It waits for each of them in turn.
            loop {
                let blocking = "SELECT $2 = ANY (pg_blocking_pids($1))";
                let row = watcher.query_one(blocking, &[&pid, &in_front]).unwrap();
                if row.get(0) {
                    break;
                }
                assert!(!waiting.is_finished());
            }
            holder.commit().unwrap();
        }
        waiting.join().unwrap()
    });
    assert_eq!(version, format!("1.2.{LOST}"));
}

/// They wait in line for the entry. With a lock for each series this would be a deadlock for one of them.
#[test]
fn transactions_that_publish_several_series_in_opposite_orders_both_succeed() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    let (mut client, mut other) = (db.client(), db.client());
    let pid = backend_pid(&mut other);
    let mut holder = client.transaction().unwrap();
    publish(&mut holder, "1.0.*");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut transaction = other.transaction().unwrap();
            for series in ["1.1.*", "1.0.*"] {
                publish(&mut transaction, series);
            }
            transaction.commit().unwrap();
        });
        wait_until_blocked(&mut db.client(), pid);
        publish(&mut holder, "1.1.*");
        holder.commit().unwrap();
        waiting.join().unwrap();
    });
    assert_eq!(row_counts(&mut client), (1, 5, 5));
}
