//! Many clients at the same moment.

use std::collections::BTreeSet;

use ext_registry_tests::{
    Database, Published, Refusal, Refused, Server, finalize, hash, list, manifest, manifest_of,
    publish, row_counts, together,
};
use postgres::Client;
use serde_json::json;

const CLIENTS: usize = 12;
const ROUNDS: usize = 5;

type Outcome = Result<Published, Box<Refused>>;

fn outcome(result: Result<Published, postgres::Error>) -> Outcome {
    match result {
        Ok(published) => Ok(published),
        refused => Err(Box::new(refused.refused())),
    }
}

/// Connected, and with the plans of the functions made: a race is then about the rows alone.
fn warm_client(db: &Database<'_>) -> Client {
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    finalize(&mut transaction, &manifest_of("warm-up", "1.0.*"), &hash(0)).unwrap();
    transaction.rollback().unwrap();
    client
}

/// One has won, and every other was told by whom.
#[track_caller]
fn assert_one_winner(outcomes: &[Outcome], name: &str, content: impl Fn(usize) -> String) {
    let winners: Vec<usize> = (0..outcomes.len())
        .filter(|number| outcomes[*number].is_ok())
        .collect();
    let [winner] = winners[..] else {
        panic!("{} winners: {outcomes:#?}", winners.len())
    };
    let won = outcomes[winner].as_ref().unwrap();
    assert_eq!(won.content_hash, content(winner));
    for (number, lost) in outcomes.iter().enumerate() {
        let Err(lost) = lost else { continue };
        let lost = Refused::clone(lost)
            .with_sqlstate("23505")
            .with_message_containing(&won.version)
            .with_message_containing("already exists")
            .with_table("public", "extension_version")
            .with_constraint("extension_version_registry_id_version_unique");
        assert_eq!(
            lost.detail,
            json!({
                "code": "EXTENSION_VERSION_ALREADY_EXISTS",
                "extension_id": won.extension_id.to_string(),
                "publisher": "acme",
                "name": name,
                "version": won.version,
                "existing": {
                    "version_id": won.version_id.to_string(),
                    "version": won.version,
                    "content_hash": won.content_hash,
                    "published_at": format!("{}:00", won.published_at.replace(' ', "T")),
                },
                "same_content": content(number) == won.content_hash,
                "same_manifest": true,
                "same_signature": true,
            })
        );
    }
}

#[test]
fn of_clients_that_publish_the_same_version_one_succeeds() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "0.0.0");
    for round in 0..ROUNDS {
        let manifest = manifest(&format!("1.0.{round}"));
        // Half of them with the same content.
        let content = |number: usize| hash(if number.is_multiple_of(2) { 0 } else { number });
        let outcomes = together(
            CLIENTS,
            |_| warm_client(&db),
            |number, mut client| outcome(finalize(&mut client, &manifest, &content(number))),
        );
        assert_one_winner(&outcomes, "widget", content);
    }
    let rounds = ROUNDS as i64;
    assert_eq!(row_counts(&mut db.client()), (1, rounds + 1, rounds + 1));
}

#[test]
fn of_clients_that_publish_the_first_version_of_an_extension_one_succeeds() {
    let db = Server::shared().migrated_database();
    for round in 0..ROUNDS {
        let name = format!("widget-{round}");
        let manifest = manifest_of(&name, "1.0.0");
        let content = |number: usize| hash(number / 2);
        let outcomes = together(
            CLIENTS,
            |_| warm_client(&db),
            |number, mut client| outcome(finalize(&mut client, &manifest, &content(number))),
        );
        assert_one_winner(&outcomes, &name, content);
    }
    let rounds = ROUNDS as i64;
    assert_eq!(row_counts(&mut db.client()), (rounds, rounds, rounds));
}

/// Connections that have never called the functions: library, catalogs and plans are all to be loaded.
#[test]
fn fresh_connections_race_as_well() {
    let db = Server::shared().migrated_database();
    for round in 0..2 {
        let manifest = manifest(&format!("1.0.{round}"));
        let outcomes = together(
            CLIENTS,
            |_| db.client(),
            |number, mut client| outcome(finalize(&mut client, &manifest, &hash(number))),
        );
        assert_one_winner(&outcomes, "widget", hash);
    }
}

#[test]
fn clients_that_create_the_same_extension_with_different_versions_all_succeed() {
    let db = Server::shared().migrated_database();
    for round in 0..ROUNDS {
        let name = format!("widget-{round}");
        let published = together(
            CLIENTS,
            |_| warm_client(&db),
            |number, mut client| {
                finalize(
                    &mut client,
                    &manifest_of(&name, &format!("1.{number}.0")),
                    &hash(0),
                )
                .unwrap_or_else(|error| panic!("client {number}: {error:?}"))
            },
        );
        let ids: BTreeSet<_> = published.iter().map(|p| p.extension_id).collect();
        assert_eq!(ids.len(), 1, "one registry row");
        let extension_id = published[0].extension_id;
        let mut client = db.client();
        let row = client
            .query_one(
                "SELECT count(*) FROM extension_registry WHERE publisher = 'acme' AND name = $1",
                &[&name],
            )
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), 1);
        let listed: BTreeSet<_> = list(&mut client, extension_id, None)
            .unwrap()
            .into_iter()
            .map(|l| (l.version_id, l.version, l.bundle_count))
            .collect();
        let expected: BTreeSet<_> = published
            .into_iter()
            .map(|p| (p.version_id, p.version, 1))
            .collect();
        assert_eq!(listed, expected);
    }
    let clients = (ROUNDS * CLIENTS) as i64;
    assert_eq!(
        row_counts(&mut db.client()),
        (ROUNDS as i64, clients, clients)
    );
}

#[test]
fn clients_that_publish_many_versions_in_different_orders_share_them_out() {
    const VERSIONS: usize = 30;
    let db = Server::shared().migrated_database();
    let won = together(
        8,
        |_| warm_client(&db),
        |number, mut client| {
            let mut won = Vec::new();
            for step in 0..VERSIONS {
                let patch = if number.is_multiple_of(2) {
                    step
                } else {
                    VERSIONS - 1 - step
                };
                let manifest = manifest(&format!("1.0.{patch}"));
                match outcome(finalize(&mut client, &manifest, &hash(number))) {
                    Ok(published) => won.push(published.version),
                    Err(lost) => {
                        lost.with_sqlstate("23505")
                            .with_code("EXTENSION_VERSION_ALREADY_EXISTS");
                    }
                }
            }
            won
        },
    );
    let won: Vec<String> = won.into_iter().flatten().collect();
    assert_eq!(won.len(), VERSIONS);
    assert_eq!(won.iter().collect::<BTreeSet<_>>().len(), VERSIONS);
    let versions = VERSIONS as i64;
    assert_eq!(row_counts(&mut db.client()), (1, versions, versions));
}

#[test]
fn both_functions_race_with_each_other() {
    let db = Server::shared().migrated_database();
    let given = manifest("1.0.0");
    let bundle_hash: String = db
        .client()
        .query_one("SELECT 'sha256:' || encode(sha256('bundle'), 'hex')", &[])
        .unwrap()
        .get(0);
    let outcomes = together(
        CLIENTS,
        |_| warm_client(&db),
        |number, mut client| {
            if number.is_multiple_of(2) {
                return outcome(finalize(&mut client, &given, &hash(1)));
            }
            let row = client.query_one(
                "SELECT extension_id, version_id, version, content_hash, published_at::text
                 FROM ext_finalize_bundle($1::text::jsonb, 'bundle')",
                &[&given.to_string()],
            );
            outcome(row.map(|row| Published {
                extension_id: row.get(0),
                version_id: row.get(1),
                version: row.get(2),
                content_hash: row.get(3),
                published_at: row.get(4),
            }))
        },
    );
    let content = |number: usize| {
        if number.is_multiple_of(2) {
            hash(1)
        } else {
            bundle_hash.clone()
        }
    };
    assert_one_winner(&outcomes, "widget", content);
}
