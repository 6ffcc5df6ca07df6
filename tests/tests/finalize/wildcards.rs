//! `MAJOR.MINOR.*`: the next patch number.

use ext_registry_tests::{
    Refusal, Server, finalize, hash, list, manifest, manifest_of, publish, row_counts,
};
use postgres::Client;

fn next(client: &mut Client, wildcard: &str) -> String {
    publish(client, wildcard).version
}

#[test]
fn the_first_number_is_0_and_the_next_one_more() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for expected in ["1.2.0", "1.2.1", "1.2.2"] {
        assert_eq!(next(&mut client, "1.2.*"), expected);
    }
    assert_eq!(next(&mut client, " 1.2.*\n"), "1.2.3");
}

#[test]
fn the_highest_number_counts_and_gaps_stay() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for version in ["1.2.9", "1.2.10", "1.2.3"] {
        publish(&mut client, version);
    }
    assert_eq!(next(&mut client, "1.2.*"), "1.2.11");
    publish(&mut client, "1.2.99");
    publish(&mut client, "1.2.100");
    assert_eq!(next(&mut client, "1.2.*"), "1.2.101");
}

#[test]
fn other_series_do_not_count() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for version in ["1.20.7", "11.2.7", "1.3.7", "2.2.7", "0.1.2", "1.0.2"] {
        publish(&mut client, version);
    }
    finalize(&mut client, &manifest_of("gadget", "1.2.7"), &hash(0)).unwrap();
    assert_eq!(next(&mut client, "1.2.*"), "1.2.0");
    assert_eq!(next(&mut client, "1.20.*"), "1.20.8");
    assert_eq!(next(&mut client, "0.1.*"), "0.1.3");
}

#[test]
fn pre_releases_do_not_count() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for version in [
        "1.2.5-rc.1",
        "1.2.9-1",
        "1.2.9-0.3.7",
        "1.2.9--+b",
        "1.2.7-a+b",
    ] {
        publish(&mut client, version);
    }
    assert_eq!(next(&mut client, "1.2.*"), "1.2.0");
    publish(&mut client, "1.2.1");
    assert_eq!(next(&mut client, "1.2.*"), "1.2.2");
}

#[test]
fn build_metadata_does_not_matter() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.2.4+linux");
    publish(&mut client, "1.2.3");
    assert_eq!(next(&mut client, "1.2.*"), "1.2.5");
    publish(&mut client, "1.2.7+a-b.c");
    assert_eq!(next(&mut client, "1.2.*"), "1.2.8");
}

#[test]
fn old_versions_that_are_no_semver_do_not_count() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.2.1");
    for (number, version) in [
        "1.2", "1.2.x", "1.2.", "1.2.09", "01.2.9", "1.02.9", "1.2.9.1", "v1.2.9", " 1.2.9",
        "1.2.9 ", "1.2.9-", "1.2.9+", "1.2.9_1", "1.2.٩", "",
    ]
    .iter()
    .enumerate()
    {
        client
            .execute(
                "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
                 SELECT gen_random_uuid(), id, $1, 'a-b', 'main' FROM extension_registry",
                &[version],
            )
            .unwrap_or_else(|error| panic!("{number}: {error:?}"));
    }
    assert_eq!(next(&mut client, "1.2.*"), "1.2.2");
}

#[test]
fn numbers_of_wildcards_end_below_2_to_the_53() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.2.9007199254740990");
    assert_eq!(next(&mut client, "1.2.*"), "1.2.9007199254740991");
    let refused = finalize(&mut client, &manifest("1.2.*"), &hash(0))
        .refused()
        .with_sqlstate("22023")
        .with_code("INVALID_MANIFEST")
        .with_message_containing("no patch number left")
        .with_message_containing("9007199254740991");
    assert_eq!(refused.detail["issues"][0]["path"], "version");
    let series = "18446744073709551615.18446744073709551615";
    assert_eq!(
        next(&mut client, &format!("{series}.*")),
        format!("{series}.0")
    );
}

#[test]
fn a_number_published_by_mistake_does_not_end_a_series() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "6.0.18446744073709551615");
    assert_eq!(next(&mut client, "6.0.*"), "6.0.0");
    publish(&mut client, "6.0.9007199254740992");
    publish(&mut client, "6.0.18446744073709551614+b");
    publish(&mut client, "6.0.41");
    assert_eq!(next(&mut client, "6.0.*"), "6.0.42");
    assert_eq!(row_counts(&mut client), (1, 6, 6));
}

#[test]
fn several_in_one_transaction_count_on() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    for expected in ["1.2.0", "1.2.1", "1.2.2"] {
        assert_eq!(publish(&mut transaction, "1.2.*").version, expected);
    }
    transaction.rollback().unwrap();
    assert_eq!(next(&mut client, "1.2.*"), "1.2.0");
}

#[test]
fn several_in_one_statement_count_on() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let rows = client
        .query(
            "SELECT (ext_finalize_version($1::text::jsonb, $2)).version FROM generate_series(1, 5)",
            &[&manifest("1.2.*").to_string(), &hash(0)],
        )
        .unwrap();
    let versions: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(versions, ["1.2.0", "1.2.1", "1.2.2", "1.2.3", "1.2.4"]);
}

#[test]
fn the_version_found_is_what_is_stored_listed_and_final() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.2.6");
    let published = publish(&mut client, "1.2.*");
    assert_eq!(published.version, "1.2.7");
    let listed = list(&mut client, published.extension_id, None).unwrap();
    assert_eq!(listed[0].version, "1.2.7");
    assert_eq!(listed[0].version_id, published.version_id);
    finalize(&mut client, &manifest("1.2.7"), &hash(1))
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("version", "1.2.7");
    assert_eq!(row_counts(&mut client), (1, 2, 2));
}

/// Rows and index entries that Postgres has read from `extension_version` since the transaction began.
const READ: &str = "
    SELECT sum(pg_stat_get_xact_tuples_returned(oid))::bigint
    FROM pg_class
    WHERE oid = 'extension_version'::regclass
       OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'extension_version'::regclass)";

#[test]
fn the_next_number_is_found_without_reading_every_version() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let extension_id = publish(&mut client, "1.2.0").extension_id;
    client
        .execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), $1, '1.2.' || n || suffix, 'a-b', 'main'
             FROM generate_series(1, 20000) n, unnest(ARRAY['', '-rc.1']) suffix",
            &[&extension_id],
        )
        .unwrap();
    // Whether the planner knows the table or not.
    for analyze in ["SELECT", "ANALYZE extension_version"] {
        let mut client = db.client();
        client.batch_execute(analyze).unwrap();
        // The first call also plans, which reads the ends of indexes.
        publish(&mut client, "1.2.*");
        let mut transaction = client.transaction().unwrap();
        let before: i64 = transaction.query_one(READ, &[]).unwrap().get(0);
        publish(&mut transaction, "1.2.*");
        let after: i64 = transaction.query_one(READ, &[]).unwrap().get(0);
        assert!(after - before < 20, "{analyze}: {} read", after - before);
    }
}
