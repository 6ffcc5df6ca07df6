//! A version that is published: what the call returns and what the tables hold afterwards.

use ext_registry_tests::{Published, Server, finalize, hash, manifest, publish, row_counts};
use postgres::{Client, Row};
use serde_json::json;
use uuid::Uuid;

/// The columns of this version, by name.
fn stored(client: &mut Client, version_id: Uuid) -> Row {
    client
        .query_one(
            "SELECT r.id AS extension_id, r.publisher, r.name, r.display_name, r.description,
                    v.version, v.runtime, v.main_entry, v.api::text, v.api_endpoints::text, v.ui::text,
                    v.capabilities::text, v.assets::text, v.created_at::text AS published_at, v.adopted,
                    b.content_hash, b.signature, b.precompiled::text, b.storage_url, b.size_bytes,
                    b.created_at::text AS bundled_at, b.adopted AS bundle_adopted
             FROM extension_version v
             JOIN extension_registry r ON r.id = v.registry_id
             JOIN extension_bundle b ON b.version_id = v.id
             WHERE v.id = $1",
            &[&version_id],
        )
        .expect("one version with one bundle")
}

fn text(row: &Row, column: &str) -> Option<String> {
    row.get(column)
}

#[test]
fn ext_finalize_version_returns_what_was_stored() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = finalize(&mut client, &manifest("1.2.3"), &hash(7)).unwrap();
    let row = stored(&mut client, published.version_id);
    assert_eq!(
        published,
        Published {
            extension_id: row.get("extension_id"),
            version_id: published.version_id,
            version: row.get("version"),
            content_hash: row.get("content_hash"),
            published_at: row.get("published_at"),
        }
    );
    assert_eq!(
        (
            published.version.as_str(),
            published.content_hash.as_str(),
            text(&row, "publisher").as_deref(),
            text(&row, "name").as_deref(),
        ),
        ("1.2.3", hash(7).as_str(), Some("acme"), Some("widget"))
    );
    assert_eq!(text(&row, "bundled_at"), Some(published.published_at));
    assert!(!row.get::<_, bool>("adopted") && !row.get::<_, bool>("bundle_adopted"));
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn every_part_of_a_manifest_reaches_its_column() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let manifest = r#"{
        "publisher": "Größe & Söhne", "name": "wid/get", "version": "1.2.3-rc.1+build.5", "runtime": "wasm-1",
        "capabilities": ["net", "net", ""],
        "ui": {"type": "iframe", "entry": "ui/index.html", "hooks": {"onLoad": "hooks/load.js"}, "width": 1.50},
        "api": {"endpoints": [{"method": "GET", "path": "/items/:id", "handler": "api.get", "auth": null}], "v": 1},
        "assets": ["logo.svg", "a/..b/c"],
        "precompiled": {"linux-x86_64": "bin/widget.so"}
    }"#;
    let row = client
        .query_one(
            "SELECT version_id, version, content_hash
             FROM ext_finalize_version($1::text::jsonb, $2, 'signed', 'https://store/1', 4096)",
            &[&manifest, &hash(1)],
        )
        .unwrap();
    let row = stored(&mut client, row.get(0));
    for (column, value) in [
        ("publisher", "Größe & Söhne"),
        ("name", "wid/get"),
        ("version", "1.2.3-rc.1+build.5"),
        ("runtime", "wasm-1"),
        ("main_entry", "ui/index.html"),
        (
            "api",
            r#"{"v": 1, "endpoints": [{"auth": null, "path": "/items/:id", "method": "GET", "handler": "api.get"}]}"#,
        ),
        (
            "api_endpoints",
            r#"[{"auth": null, "path": "/items/:id", "method": "GET", "handler": "api.get"}]"#,
        ),
        (
            "ui",
            r#"{"type": "iframe", "entry": "ui/index.html", "hooks": {"onLoad": "hooks/load.js"}, "width": 1.50}"#,
        ),
        ("capabilities", r#"["net", "net", ""]"#),
        ("assets", r#"["logo.svg", "a/..b/c"]"#),
        ("precompiled", r#"{"linux-x86_64": "bin/widget.so"}"#),
        ("signature", "signed"),
        ("storage_url", "https://store/1"),
    ] {
        assert_eq!(text(&row, column).as_deref(), Some(value), "{column}");
    }
    assert_eq!(row.get::<_, Option<i64>>("size_bytes"), Some(4096));
    assert_eq!(
        (text(&row, "display_name"), text(&row, "description")),
        (None, None)
    );
}

fn assert_defaults(row: &Row) {
    for (column, value) in [
        ("main_entry", Some("main")),
        ("api", Some("{}")),
        ("api_endpoints", Some("[]")),
        ("capabilities", Some("[]")),
        ("ui", None),
        ("assets", None),
        ("precompiled", None),
        ("signature", None),
        ("storage_url", None),
    ] {
        assert_eq!(text(row, column).as_deref(), value, "{column}");
    }
    assert_eq!(row.get::<_, Option<i64>>("size_bytes"), None);
}

#[test]
fn a_minimal_manifest_gets_the_defaults() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = publish(&mut client, "1.0.0");
    assert_defaults(&stored(&mut client, published.version_id));
}

#[test]
fn an_optional_field_that_is_null_counts_as_absent() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut manifest = manifest("1.0.0");
    for field in ["capabilities", "ui", "api", "assets", "precompiled"] {
        manifest[field] = json!(null);
    }
    let published = finalize(&mut client, &manifest, &hash(0)).unwrap();
    assert_defaults(&stored(&mut client, published.version_id));
}

#[test]
fn an_api_without_endpoints_is_stored_as_given() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for (patch, api) in [
        r#"{"v": 1}"#,
        r#"{"endpoints": null}"#,
        r#"{"endpoints": []}"#,
    ]
    .iter()
    .enumerate()
    {
        let mut manifest = manifest(&format!("1.0.{patch}"));
        manifest["api"] = serde_json::from_str(api).unwrap();
        let published = finalize(&mut client, &manifest, &hash(0)).unwrap();
        let row = stored(&mut client, published.version_id);
        assert_eq!(text(&row, "api").as_deref(), Some(*api));
        assert_eq!(text(&row, "api_endpoints").as_deref(), Some("[]"));
    }
}

#[test]
fn methods_are_stored_in_upper_case_and_nothing_else_changes() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let methods = ["get", "Post", "pUT", "patch", "delete", "OPTIONS", "head"];
    let endpoints = |methods: &[String]| {
        let list: Vec<String> = methods
            .iter()
            .map(|method| {
                format!(
                    r#"{{"n": 1.10, "big": 1e400, "path": "/get", "text": "get é \"get\"", "method": "{method}", "handler": "get"}}"#
                )
            })
            .collect();
        format!("[{}]", list.join(", "))
    };
    let given = endpoints(&methods.map(str::to_owned));
    let manifest = format!(
        r#"{{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "a-b",
            "api": {{"v": 1.0, "endpoints": {given}}}}}"#
    );
    let row = client
        .query_one(
            "SELECT version_id FROM ext_finalize_version($1::text::jsonb, $2)",
            &[&manifest, &hash(0)],
        )
        .unwrap();
    let version_id: Uuid = row.get(0);
    let expected = endpoints(&methods.map(str::to_uppercase));
    let row = client
        .query_one(
            "SELECT api_endpoints = $2::text::jsonb, api = $3::text::jsonb, api::text
             FROM extension_version WHERE id = $1",
            &[
                &version_id,
                &expected,
                &format!(r#"{{"v": 1.0, "endpoints": {expected}}}"#),
            ],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, true));
    // jsonb compares numbers by value: the digits themselves are kept, too.
    let api: String = row.get(2);
    assert!(
        api.contains(r#""v": 1.0"#) && api.contains(r#""n": 1.10"#),
        "{api}"
    );
    assert!(api.contains(&format!("1{}", "0".repeat(400))), "{api}");
}

#[test]
fn numbers_beyond_a_double_are_stored_unchanged() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let digits = "12345678901234567890123456789012345678901234567890.12345678901234567890";
    let manifest = format!(
        r#"{{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "a-b",
            "ui": {{"type": "iframe", "entry": "e", "a": 1e400, "b": {digits}, "c": 1e-400}}}}"#
    );
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2)",
            &[&manifest, &hash(0)],
        )
        .unwrap();
    let row = client
        .query_one(
            "SELECT ui = $1::text::jsonb -> 'ui', ui ->> 'b', (ui ->> 'a')::numeric = 1e400::numeric
             FROM extension_version",
            &[&manifest],
        )
        .unwrap();
    assert_eq!(
        (row.get(0), row.get::<_, String>(1).as_str(), row.get(2)),
        (true, digits, true)
    );
}

#[test]
fn white_space_around_a_version_is_ignored() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = publish(&mut client, " \t\n1.2.3\r ");
    assert_eq!(published.version, "1.2.3");
    let row = stored(&mut client, published.version_id);
    assert_eq!(text(&row, "version").as_deref(), Some("1.2.3"));
}

#[test]
fn names_may_have_255_characters_of_any_length() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let long = "😀".repeat(255);
    let mut manifest = manifest("1.0.0");
    manifest["publisher"] = json!(long);
    manifest["name"] = json!(long);
    manifest["runtime"] = json!("@".repeat(255));
    manifest["version"] = json!(format!("1.0.0+{}", "9".repeat(249)));
    let published = finalize(&mut client, &manifest, &hash(0)).unwrap();
    let row = stored(&mut client, published.version_id);
    assert_eq!(text(&row, "publisher"), Some(long));
}
