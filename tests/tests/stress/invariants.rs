//! What must hold when everybody is done.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;
use uuid::Uuid;

use crate::client::{CONTESTED, Duplicate, Ledger, Success, WILD};

/// Compares the answers of all clients with each other and with the tables.
pub fn hold(client: &mut Client, ledgers: &[Ledger], rounds: usize) {
    let total = Ledger::total(ledgers);
    let stored = stored(client);
    let mut told = BTreeMap::new();
    for success in &total.successes {
        let key = (success.name.clone(), success.version.clone());
        let earlier = told.insert(key, success);
        assert!(
            earlier.is_none(),
            "two clients were told that they published {success:?}"
        );
    }

    nothing_lost_nothing_more(&told, &stored);
    one_winner_per_contested_version(&total, rounds, ledgers.len());
    for duplicate in &total.duplicates {
        complete(
            duplicate,
            told[&(duplicate.name.clone(), duplicate.version.clone())],
        );
    }
    // Wildcards are never refused: a duplicate is always about a version that was named.
    assert!(
        total
            .duplicates
            .iter()
            .all(|duplicate| !duplicate.version.contains('*'))
    );
    consecutive(&stored, WILD);
    one_entry_for_each_name(client, rounds);
}

type Stored = BTreeMap<(String, String), (Uuid, Vec<String>)>;

/// Extension and version, with the version's id and the hashes of its bundles; read without an index.
fn stored(client: &mut Client) -> Stored {
    client
        .batch_execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        .unwrap();
    let rows = client
        .query(
            "SELECT r.name, v.version, v.id, array_remove(array_agg(b.content_hash), NULL)
             FROM extension_version v
             LEFT JOIN extension_registry r ON r.id = v.registry_id
             LEFT JOIN extension_bundle b ON b.version_id = v.id
             GROUP BY r.name, v.version, v.id",
            &[],
        )
        .unwrap();
    let count = rows.len();
    let stored: Stored = rows
        .iter()
        .map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3))))
        .collect();
    assert_eq!(stored.len(), count, "a version is there twice");
    stored
}

/// Every success is stored as it was told, with one bundle, and nothing is stored that nobody was told.
fn nothing_lost_nothing_more(told: &BTreeMap<(String, String), &Success>, stored: &Stored) {
    for (key, success) in told {
        assert_eq!(
            stored.get(key),
            Some(&(success.version_id, vec![success.content_hash.clone()])),
            "{success:?}"
        );
    }
    let unknown: Vec<_> = stored
        .keys()
        .filter(|key| !told.contains_key(*key))
        .collect();
    assert!(unknown.is_empty(), "nobody was told of {unknown:?}");
}

fn one_winner_per_contested_version(total: &Ledger, rounds: usize, clients: usize) {
    for round in 0..rounds {
        let version = format!("1.{round}.0");
        let contested = |name: &str, of: &str| name == CONTESTED && of == version;
        let won = total
            .successes
            .iter()
            .filter(|s| contested(&s.name, &s.version))
            .count();
        let lost = total
            .duplicates
            .iter()
            .filter(|d| contested(&d.name, &d.version))
            .count();
        assert_eq!((won, lost), (1, clients - 1), "of {version}");
    }
}

/// The error has every field, and each says what the winner was told.
fn complete(duplicate: &Duplicate, winner: &Success) {
    let refused = duplicate
        .refused
        .clone()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_table("public", "extension_version")
        .with_constraint("extension_version_registry_id_version_unique")
        .with_message_containing("already exists")
        .with_message_containing(&duplicate.version)
        .with_detail("publisher", "acme")
        .with_detail("name", duplicate.name.as_str())
        .with_detail("version", duplicate.version.as_str())
        .with_detail(
            "same_content",
            duplicate.offered_hash == winner.content_hash,
        )
        .with_detail("same_manifest", true)
        .with_detail("same_signature", true);
    let existing = &refused.detail["existing"];
    assert_eq!(existing["version_id"], winner.version_id.to_string());
    assert_eq!(existing["version"], duplicate.version);
    assert_eq!(existing["content_hash"], winner.content_hash);
    assert!(existing["published_at"].is_string(), "{refused:#?}");
    assert!(refused.detail["extension_id"].is_string(), "{refused:#?}");
}

/// 1.0.0, 1.0.1, … without a gap, where only wildcards publish.
fn consecutive(stored: &Stored, name: &str) {
    let numbers: BTreeSet<u64> = stored
        .keys()
        .filter(|(of, _)| of == name)
        .map(|(_, version)| version.strip_prefix("1.0.").unwrap().parse().unwrap())
        .collect();
    let expected: BTreeSet<u64> = (0..numbers.len() as u64).collect();
    assert_eq!(numbers, expected);
    assert!(!numbers.is_empty());
}

fn one_entry_for_each_name(client: &mut Client, rounds: usize) {
    let row = client
        .query_one(
            "SELECT count(*), count(DISTINCT (publisher, name)) FROM extension_registry",
            &[],
        )
        .unwrap();
    let expected = rounds as i64 + 4;
    assert_eq!((row.get(0), row.get(1)), (expected, expected));
}
