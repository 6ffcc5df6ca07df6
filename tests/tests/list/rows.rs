//! Which rows the list has, in which order, with which fields.

use ext_registry_tests::{Listed, Server, finalize, hash, list, manifest, manifest_of, publish};
use postgres::Client;
use uuid::Uuid;

use crate::old_data::{EXTENSION, OldVersion, bring};

fn versions(client: &mut Client, extension_id: Uuid) -> Vec<String> {
    list(client, extension_id, None)
        .unwrap()
        .into_iter()
        .map(|listed| listed.version)
        .collect()
}

#[test]
fn ext_list_versions_gives_every_version_newest_first_with_its_fields() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut published = Vec::new();
    for (number, version) in ["2.0.0", "1.0.0", "1.0.*", "1.0.0-rc.1+b"]
        .iter()
        .enumerate()
    {
        published.push(finalize(&mut client, &manifest(version), &hash(number)).unwrap());
    }
    finalize(&mut client, &manifest_of("gadget", "3.0.0"), &hash(0)).unwrap();
    published.reverse();
    let expected: Vec<Listed> = published
        .iter()
        .map(|p| Listed {
            version_id: p.version_id,
            version: p.version.clone(),
            published_at: Some(p.published_at.clone()),
            content_hash: Some(p.content_hash.clone()),
            installed: false,
            bundle_count: 1,
        })
        .collect();
    assert_eq!(
        list(&mut client, published[0].extension_id, None).unwrap(),
        expected
    );
    // Without the second argument.
    let rows = client
        .query(
            "SELECT * FROM ext_list_versions($1)",
            &[&published[0].extension_id],
        )
        .unwrap();
    let names: Vec<&str> = rows[0]
        .columns()
        .iter()
        .map(|column| column.name())
        .collect();
    assert_eq!(
        names,
        [
            "version_id",
            "version",
            "published_at",
            "content_hash",
            "installed",
            "bundle_count"
        ]
    );
    assert_eq!(rows.len(), 4);
}

#[test]
fn ties_are_ordered_by_version_id_descending_and_rows_without_time_are_last() {
    let db = Server::shared().migrated_database();
    let old = |id, version, created_at| OldVersion {
        id,
        version,
        created_at,
        bundles: &[],
    };
    bring(
        &db,
        &[
            old(5, "none-5", "NULL"),
            old(1, "tie-1", "'2020-01-01'"),
            old(9, "older-9", "'2019-01-01'"),
            old(3, "tie-3", "'2020-01-01'"),
            old(7, "none-7", "NULL"),
            old(2, "tie-2", "'2020-01-01'"),
            old(4, "newer-4", "'2020-01-01 00:00:00.000001'"),
            old(8, "infinite-8", "'infinity'"),
            old(6, "ancient-6", "'-infinity'"),
        ],
    );
    assert_eq!(
        versions(&mut db.client(), EXTENSION),
        [
            "infinite-8",
            "newer-4",
            "tie-3",
            "tie-2",
            "tie-1",
            "older-9",
            "ancient-6",
            "none-7",
            "none-5"
        ]
    );
}

#[test]
fn a_version_with_several_bundles_is_one_row_with_the_newest_hash() {
    let db = Server::shared().migrated_database();
    let (day1, day2) = ("'2020-01-01'", "'2020-01-02'");
    // In every order of insertion; ties go to the greater hash, byte by byte; no time at all comes last.
    let orders: [(&[(&str, &str)], &str); 6] = [
        (&[("a", day1), ("b", day2)], "b"),
        (&[("b", day2), ("a", day1)], "b"),
        (&[("a", day2), ("c", day2), ("b", day2)], "c"),
        (&[("z", "NULL"), ("a", day1)], "a"),
        (&[("y", "NULL"), ("z", "NULL"), ("x", "NULL")], "z"),
        (&[("B", day1), ("a", day1), ("é", day1), ("Z", day1)], "é"),
    ];
    let names: Vec<String> = (0..orders.len()).map(|n| format!("1.0.{n}")).collect();
    let old: Vec<OldVersion<'_>> = orders
        .iter()
        .zip(&names)
        .zip(1..)
        .map(|(((bundles, _), version), id)| OldVersion {
            id,
            version,
            created_at: day1,
            bundles,
        })
        .collect();
    bring(&db, &old);
    let listed = list(&mut db.client(), EXTENSION, None).unwrap();
    assert_eq!(listed.len(), orders.len());
    for (row, (bundles, newest)) in listed.iter().rev().zip(&orders) {
        assert_eq!(row.content_hash.as_deref(), Some(*newest), "{row:?}");
        assert_eq!(row.bundle_count as usize, bundles.len(), "{row:?}");
    }
}

#[test]
fn a_version_without_bundle_has_no_hash_and_count_0() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let extension_id = publish(&mut client, "1.0.0").extension_id;
    client
        .execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             VALUES (gen_random_uuid(), $1, '1.0.1', 'a-b', 'main')",
            &[&extension_id],
        )
        .unwrap();
    let listed = list(&mut client, extension_id, None).unwrap();
    assert_eq!(
        (
            listed[0].version.as_str(),
            listed[0].content_hash.as_deref(),
            listed[0].bundle_count
        ),
        ("1.0.1", None, 0)
    );
    assert_eq!(listed[1].bundle_count, 1);
}

#[test]
fn an_extension_without_versions_and_an_unknown_one_have_no_rows() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    let empty = Uuid::from_u128(42);
    client
        .execute(
            "INSERT INTO extension_registry (id, publisher, name) VALUES ($1, 'acme', 'empty')",
            &[&empty],
        )
        .unwrap();
    for tenant in [None, Some("t")] {
        assert_eq!(list(&mut client, empty, tenant).unwrap(), []);
        assert_eq!(list(&mut client, Uuid::from_u128(7), tenant).unwrap(), []);
    }
    for call in [
        "ext_list_versions(NULL)",
        "ext_list_versions(NULL, 't')",
        "ext_list_versions(NULL, NULL)",
    ] {
        let rows = client.query(&format!("SELECT * FROM {call}"), &[]).unwrap();
        assert!(rows.is_empty(), "{call}");
    }
}

#[test]
fn ext_extension_id_finds_by_publisher_and_name() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let widget = publish(&mut client, "1.0.0").extension_id;
    let mut id_of = |publisher: Option<&str>, name: Option<&str>| -> Option<Uuid> {
        client
            .query_one("SELECT ext_extension_id($1, $2)", &[&publisher, &name])
            .unwrap()
            .get(0)
    };
    assert_eq!(id_of(Some("acme"), Some("widget")), Some(widget));
    for (publisher, name) in [
        (Some("acme"), Some("Widget")),
        (Some("acme"), Some("widget ")),
        (Some("widget"), Some("acme")),
        (Some("acme"), Some("")),
        (Some("acme"), None),
        (None, Some("widget")),
        (None, None),
    ] {
        assert_eq!(id_of(publisher, name), None, "{publisher:?} {name:?}");
    }
}

#[test]
fn a_caller_filters_sorts_joins_and_aggregates_as_with_a_table() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for patch in 0..10 {
        finalize(
            &mut client,
            &manifest(&format!("1.0.{patch}")),
            &hash(patch % 3),
        )
        .unwrap();
    }
    let mut one = |query: &str| -> String {
        let query = query.replace(
            "LIST",
            "ext_list_versions(ext_extension_id('acme', 'widget'))",
        );
        client.query_one(&query, &[]).unwrap().get(0)
    };
    for (query, expected) in [
        ("SELECT version FROM LIST WHERE version = '1.0.3'", "1.0.3"),
        (
            "SELECT version FROM LIST ORDER BY published_at LIMIT 1",
            "1.0.0",
        ),
        (
            "SELECT version FROM LIST ORDER BY version DESC LIMIT 1",
            "1.0.9",
        ),
        ("SELECT version FROM LIST OFFSET 4 LIMIT 1", "1.0.5"),
        (
            "SELECT count(*)::text FROM LIST WHERE NOT installed AND bundle_count = 1",
            "10",
        ),
        ("SELECT count(DISTINCT content_hash)::text FROM LIST", "3"),
        (
            "SELECT string_agg(l.version, ',') FROM LIST l
             JOIN extension_version v ON v.id = l.version_id WHERE v.version LIKE '%.2'",
            "1.0.2",
        ),
        (
            "SELECT max(l.version) FROM extension_registry r, ext_list_versions(r.id, NULL) l",
            "1.0.9",
        ),
        (
            "SELECT (SELECT l.version FROM ext_list_versions(r.id) l LIMIT 1) FROM extension_registry r",
            "1.0.9",
        ),
        (
            "SELECT (ext_list_versions(id)).version FROM extension_registry LIMIT 1",
            "1.0.9",
        ),
    ] {
        assert_eq!(one(query), expected, "{query}");
    }
}

#[test]
fn reading_works_in_a_read_only_transaction_and_takes_no_transaction_id() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let extension_id = publish(&mut client, "1.0.0").extension_id;
    let mut transaction = client.build_transaction().read_only(true).start().unwrap();
    assert_eq!(
        list(&mut transaction, extension_id, Some("t"))
            .unwrap()
            .len(),
        1
    );
    let row = transaction
        .query_one(
            "SELECT ext_extension_id('acme', 'widget'), pg_current_xact_id_if_assigned() IS NULL",
            &[],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (extension_id, true));
}

#[test]
fn a_version_is_listed_once_its_transaction_has_committed() {
    let db = Server::shared().migrated_database();
    let (mut publisher, mut reader) = (db.client(), db.client());
    let extension_id = publish(&mut publisher, "1.0.0").extension_id;
    let mut transaction = publisher.transaction().unwrap();
    publish(&mut transaction, "1.0.1");
    assert_eq!(versions(&mut reader, extension_id), ["1.0.0"]);
    assert_eq!(list(&mut transaction, extension_id, None).unwrap().len(), 2);
    transaction.commit().unwrap();
    assert_eq!(versions(&mut reader, extension_id), ["1.0.1", "1.0.0"]);
}
