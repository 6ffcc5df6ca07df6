//! What makes an extension and a version the same one, their keys, and the order in which they were published.

use std::collections::HashSet;

use ext_registry_tests::{
    Published, Server, finalize, hash, list, manifest, manifest_of, publish, row_counts,
};
use serde_json::json;
use uuid::Uuid;

#[test]
fn versions_are_the_same_only_when_the_strings_are() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let versions = [
        "1.0.0",
        "1.0.0+a",
        "1.0.0+A",
        "1.0.0+b",
        "1.0.0-rc.1",
        "1.0.0-RC.1",
        "0.0.0",
        "18446744073709551615.18446744073709551615.18446744073709551615",
    ];
    for version in versions {
        assert_eq!(publish(&mut client, version).version, version);
    }
    assert_eq!(row_counts(&mut client), (1, 8, 8));
}

#[test]
fn the_same_content_may_have_several_versions() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let one = finalize(&mut client, &manifest("1.0.0"), &hash(5)).unwrap();
    let other = finalize(&mut client, &manifest("1.0.1"), &hash(5)).unwrap();
    assert_eq!(one.content_hash, other.content_hash);
    assert_eq!(one.extension_id, other.extension_id);
    assert_ne!(one.version_id, other.version_id);
}

#[test]
fn publisher_and_name_together_are_an_extension() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for (publisher, name) in [
        ("acme", "widget"),
        ("Acme", "widget"),
        ("acme", "Widget"),
        ("widget", "acme"),
        ("acme widget", "widget"),
        ("acme/widget", "x"),
        ("acme", "widget/x"),
    ] {
        let mut manifest = manifest("1.0.0");
        manifest["publisher"] = json!(publisher);
        manifest["name"] = json!(name);
        let published = finalize(&mut client, &manifest, &hash(0)).unwrap();
        let row = client
            .query_one("SELECT ext_extension_id($1, $2)", &[&publisher, &name])
            .unwrap();
        assert_eq!(row.get::<_, Uuid>(0), published.extension_id);
    }
    assert_eq!(row_counts(&mut client), (7, 7, 7));
}

#[test]
fn a_registry_entry_that_exists_is_used_and_never_updated() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let id = Uuid::from_u128(42);
    client
        .execute(
            "INSERT INTO extension_registry (id, publisher, name, display_name, description)
             VALUES ($1, 'acme', 'widget', 'Widget', 'The widget')",
            &[&id],
        )
        .unwrap();
    let whole_row = "SELECT r::text || xmin || ctid FROM extension_registry r";
    let before: String = client.query_one(whole_row, &[]).unwrap().get(0);
    for version in ["1.0.0", "1.0.1", "1.0.*"] {
        assert_eq!(publish(&mut client, version).extension_id, id);
    }
    let after: String = client.query_one(whole_row, &[]).unwrap().get(0);
    assert_eq!(before, after);
}

#[test]
fn keys_of_versions_and_bundles_are_uuids_of_version_7_that_grow() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let ids: Vec<Uuid> = (0..20)
        .map(|patch| publish(&mut client, &format!("1.0.{patch}")).version_id)
        .collect();
    assert!(ids.is_sorted(), "{ids:?}");
    let row = client
        .query_one(
            "SELECT count(*), bool_and(substr(id::text, 15, 1) = '7' AND substr(id::text, 20, 1) IN ('8','9','a','b'))
             FROM (SELECT id FROM extension_version UNION SELECT id FROM extension_bundle) AS keys",
            &[],
        )
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get(1)), (40, true));
}

/// Apps put the first 8 digits of an extension's id into host names, and take UUIDs of versions 1 to 5 only.
#[test]
fn ids_of_extensions_are_random_uuids_of_version_4() {
    const EXTENSIONS: usize = 30;
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut first_digits = HashSet::new();
    for number in 0..EXTENSIONS {
        let manifest = manifest_of(&format!("widget-{number}"), "1.0.*");
        let id: Uuid = if number % 2 == 0 {
            let published = finalize(&mut client, &manifest, &hash(1)).unwrap();
            published.extension_id
        } else {
            let sql = "SELECT extension_id FROM ext_finalize_bundle($1::text::jsonb, 'bundle')";
            let row = client.query_one(sql, &[&manifest.to_string()]).unwrap();
            row.get(0)
        };
        assert_eq!(id.get_version_num(), 4, "{id}");
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122, "{id}");
        first_digits.insert(id.as_fields().0);
    }
    assert_eq!(first_digits.len(), EXTENSIONS);
}

#[test]
fn published_at_is_the_moment_of_the_call() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    let clock = "SELECT clock_timestamp()::text";
    let before: String = transaction.query_one(clock, &[]).unwrap().get(0);
    let published = publish(&mut transaction, "1.0.0");
    let row = transaction
        .query_one(
            "SELECT now() < $1::text::timestamptz
                AND $1::text::timestamptz BETWEEN $2::text::timestamptz AND clock_timestamp()",
            &[&published.published_at, &before],
        )
        .unwrap();
    assert!(row.get::<_, bool>(0), "{before} {published:?}");
}

#[test]
fn publishes_of_one_transaction_list_in_the_order_in_which_they_were_made() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    let mut made: Vec<Published> = ["3.0.0", "1.0.0", "2.0.0", "1.0.*", "0.0.1"]
        .iter()
        .map(|version| publish(&mut transaction, version))
        .collect();
    transaction.commit().unwrap();
    let listed = list(&mut client, made[0].extension_id, None).unwrap();
    made.reverse();
    let made: Vec<_> = made.into_iter().map(|p| p.version).collect();
    let listed: Vec<_> = listed.into_iter().map(|l| l.version).collect();
    assert_eq!(made, listed);
    assert_eq!(listed, ["0.0.1", "1.0.1", "2.0.0", "1.0.0", "3.0.0"]);
}

#[test]
fn publishes_of_one_statement_list_in_the_order_in_which_they_were_made() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .execute(
            "SELECT FROM generate_series(1, 200) AS n, ext_finalize_version(
                 jsonb_build_object('publisher', 'acme', 'name', 'widget', 'version', '1.0.' || n, 'runtime', 'a-b'),
                 $1)",
            &[&hash(0)],
        )
        .unwrap();
    let extension_id = client
        .query_one("SELECT ext_extension_id('acme', 'widget')", &[])
        .unwrap()
        .get(0);
    let listed: Vec<String> = list(&mut client, extension_id, None)
        .unwrap()
        .into_iter()
        .map(|l| l.version)
        .collect();
    let expected: Vec<String> = (1..=200).rev().map(|n| format!("1.0.{n}")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn other_extensions_are_left_alone() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let widget = publish(&mut client, "1.0.0");
    let gadget = finalize(&mut client, &manifest_of("gadget", "1.0.0"), &hash(0)).unwrap();
    assert_ne!(widget.extension_id, gadget.extension_id);
    assert_eq!(
        list(&mut client, widget.extension_id, None).unwrap().len(),
        1
    );
}
