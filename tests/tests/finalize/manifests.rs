//! INVALID_MANIFEST: a manifest that is wrong is refused with all its issues. The rules one by one are tested with
//! the crate that has them.

use ext_registry_tests::{Refusal, Refused, Server, finalize, hash, manifest, row_counts};
use postgres::Client;
use serde_json::{Value, json};

fn refuse(client: &mut Client, manifest: &str) -> Refused {
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2)",
            &[&manifest, &hash(0)],
        )
        .refused()
        .with_sqlstate("22023")
        .with_code("INVALID_MANIFEST")
}

fn paths(refused: &Refused) -> Vec<&str> {
    let issues = refused.detail["issues"].as_array().expect("issues");
    issues
        .iter()
        .map(|issue| {
            let message = issue["message"].as_str().expect("a message");
            assert!(!message.is_empty());
            issue["path"].as_str().expect("a path")
        })
        .collect()
}

#[test]
fn invalid_manifest_lists_all_issues_with_their_paths() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let refused = refuse(
        &mut client,
        r#"{"publisher": "", "name": 7, "version": "1.2", "runtime": "plain", "licence": "MIT",
            "capabilities": [1, "ok", null], "assets": ["a/../b"],
            "ui": {"type": "window", "hooks": {"onLoad": "../x"}},
            "api": {"endpoints": [{"method": "FETCH", "path": "items", "handler": "h"}, {"path": "/../x"}]},
            "precompiled": {"linux": 1}}"#,
    );
    let mut found = paths(&refused);
    found.sort_unstable();
    let mut expected = vec![
        "publisher",
        "name",
        "version",
        "runtime",
        "licence",
        "capabilities[0]",
        "capabilities[2]",
        "assets[0]",
        "ui.type",
        "ui.entry",
        "ui.hooks.onLoad",
        "api.endpoints[0].method",
        "api.endpoints[0].path",
        "api.endpoints[1].method",
        "api.endpoints[1].path",
        "api.endpoints[1].handler",
        "precompiled.linux",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected, "{refused:#?}");
    assert!(
        refused.message.starts_with("invalid manifest: "),
        "{refused:#?}"
    );
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn every_invalid_manifest_is_refused() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let with = |field: &str, value: Value| {
        let mut manifest = manifest("1.0.0");
        manifest[field] = value;
        manifest
    };
    let endpoint = |endpoint: Value| with("api", json!({"endpoints": [endpoint]}));
    let ui = |ui: Value| with("ui", ui);
    let wrong: Vec<(Value, &str)> = vec![
        (json!({}), "publisher"),
        (json!([]), ""),
        (json!("text"), ""),
        (json!(1), ""),
        (json!(null), ""),
        (with("publisher", json!(null)), "publisher"),
        (with("publisher", json!(" \t")), "publisher"),
        (with("publisher", json!("a\nb")), "publisher"),
        (with("publisher", json!("a\u{7f}")), "publisher"),
        (with("publisher", json!("a\u{85}b")), "publisher"),
        (with("publisher", json!("x".repeat(256))), "publisher"),
        (with("name", json!("")), "name"),
        (with("name", json!("é".repeat(256))), "name"),
        (with("name", json!(["widget"])), "name"),
        (with("runtime", json!("")), "runtime"),
        (with("runtime", json!("node20")), "runtime"),
        (with("runtime", json!("-".repeat(256))), "runtime"),
        (with("version", json!("")), "version"),
        (with("version", json!("   ")), "version"),
        (with("version", json!("1")), "version"),
        (with("version", json!("1.2")), "version"),
        (with("version", json!("v1.2.3")), "version"),
        (with("version", json!("01.2.3")), "version"),
        (with("version", json!("1.2.3-01")), "version"),
        (with("version", json!("1.2.3-")), "version"),
        (with("version", json!("1.2.3+")), "version"),
        (with("version", json!("1.2.3 4")), "version"),
        (
            with("version", json!("1.2.18446744073709551616")),
            "version",
        ),
        (with("version", json!("1.*")), "version"),
        (with("version", json!("1.*.*")), "version"),
        (with("version", json!("*")), "version"),
        (with("version", json!("1.2.3.*")), "version"),
        (with("version", json!("1.2-rc.*")), "version"),
        (with("version", json!("1.02.*")), "version"),
        (with("version", json!("latest")), "version"),
        (with("version", json!(1)), "version"),
        (
            with("version", json!(format!("1.0.0+{}", "9".repeat(250)))),
            "version",
        ),
        (with("capabilities", json!("net")), "capabilities"),
        (with("capabilities", json!([["net"]])), "capabilities[0]"),
        (with("assets", json!({})), "assets"),
        (with("assets", json!([".."])), "assets[0]"),
        (with("assets", json!(["ok", "a\\..\\b"])), "assets[1]"),
        (with("precompiled", json!([])), "precompiled"),
        (
            with("precompiled", json!({"linux": "../x"})),
            "precompiled.linux",
        ),
        (ui(json!("iframe")), "ui"),
        (ui(json!({"type": "iframe"})), "ui.entry"),
        (ui(json!({"entry": "x"})), "ui.type"),
        (ui(json!({"type": "iframe", "entry": ""})), "ui.entry"),
        (ui(json!({"type": "iframe", "entry": "../x"})), "ui.entry"),
        (
            ui(json!({"type": "iframe", "entry": "x".repeat(256)})),
            "ui.entry",
        ),
        (
            ui(json!({"type": "iframe", "entry": "x", "hooks": []})),
            "ui.hooks",
        ),
        (with("api", json!([])), "api"),
        (with("api", json!({"endpoints": {}})), "api.endpoints"),
        (endpoint(json!("GET /")), "api.endpoints[0]"),
        (
            endpoint(json!({"path": "/", "handler": "h"})),
            "api.endpoints[0].method",
        ),
        (
            endpoint(json!({"method": "TRACE", "path": "/", "handler": "h"})),
            "api.endpoints[0].method",
        ),
        (
            endpoint(json!({"method": "GET", "path": "", "handler": "h"})),
            "api.endpoints[0].path",
        ),
        (
            endpoint(json!({"method": "GET", "path": "/a/..", "handler": "h"})),
            "api.endpoints[0].path",
        ),
        (
            endpoint(json!({"method": "GET", "path": "/"})),
            "api.endpoints[0].handler",
        ),
        (with("Publisher", json!("x")), "Publisher"),
        (with("", json!("x")), "[\"\"]"),
    ];
    for (manifest, path) in wrong {
        let refused = finalize(&mut client, &manifest, &hash(0))
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_MANIFEST");
        assert!(paths(&refused).contains(&path), "{manifest}: {refused:#?}");
        client
            .execute(
                "SELECT FROM ext_finalize_bundle($1::text::jsonb, 'x')",
                &[&manifest.to_string()],
            )
            .refused()
            .with_code("INVALID_MANIFEST");
    }
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn a_manifest_may_have_a_mebibyte_and_no_more() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let padded = |version: &str, size: usize| {
        let mut manifest = manifest(version);
        manifest["capabilities"] = json!([""]);
        // As jsonb prints it: with a space after each comma and colon.
        let row = db
            .client()
            .query_one(
                "SELECT length($1::text::jsonb::text)",
                &[&manifest.to_string()],
            )
            .unwrap();
        let used = row.get::<_, i32>(0) as usize;
        manifest["capabilities"] = json!(["x".repeat(size - used)]);
        manifest
    };
    let limit = 1024 * 1024;
    finalize(&mut client, &padded("1.0.0", limit), &hash(0)).unwrap();
    let refused = finalize(&mut client, &padded("1.0.1", limit + 1), &hash(0))
        .refused()
        .with_code("INVALID_MANIFEST")
        .with_message_containing("1048576 bytes");
    assert_eq!(paths(&refused), [""]);
}

#[test]
fn a_manifest_that_is_far_too_long_is_refused_quickly() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(
            "CREATE TABLE huge AS
             SELECT jsonb_build_object('publisher', 'acme', 'name', 'widget', 'version', '1.0.0', 'runtime', 'a-b',
                 'capabilities', jsonb_build_array(repeat('x', 60000000))) AS manifest",
        )
        .unwrap();
    client
        .execute(
            "SELECT FROM huge, ext_finalize_version(manifest, $1)",
            &[&hash(0)],
        )
        .refused()
        .with_sqlstate("22023")
        .with_code("INVALID_MANIFEST")
        .with_message_containing("1048576 bytes");
}

#[test]
fn nesting_has_a_limit() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let nested = |version: &str, levels: usize| {
        // The manifest and its api are levels, too.
        format!(
            r#"{{"publisher": "acme", "name": "widget", "version": "{version}", "runtime": "a-b",
                "api": {{"deep": {}{}}}}}"#,
            "[".repeat(levels - 2),
            "]".repeat(levels - 2)
        )
    };
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2)",
            &[&nested("1.0.0", 64), &hash(0)],
        )
        .unwrap();
    for levels in [65, 129, 1000, 3000] {
        let refused = refuse(&mut client, &nested("1.0.1", levels));
        assert_eq!(paths(&refused), [""], "{levels}");
        assert!(refused.message.contains("64 levels"), "{refused:#?}");
    }
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn what_is_no_json_is_refused_by_postgres() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for (text, sqlstate) in [
        ("{", "22P02"),
        (r#"{"publisher": "\u0000"}"#, "22P05"),
        (r#"{"publisher": "\ud800"}"#, "22P02"),
    ] {
        client
            .execute(
                "SELECT FROM ext_finalize_version($1::text::jsonb, $2)",
                &[&text, &hash(0)],
            )
            .refused()
            .with_sqlstate(sqlstate);
    }
}

#[test]
fn a_message_shows_texts_of_the_manifest_on_one_line() {
    let db = Server::shared().migrated_database();
    let mut manifest = manifest("1.0.0");
    manifest["runtime"] = json!("a\n\u{1b}[31m\"b");
    manifest["x\ny"] = json!(1);
    let refused = finalize(&mut db.client(), &manifest, &hash(0)).refused();
    assert!(!refused.message.contains(char::is_control), "{refused:#?}");
    assert_eq!(paths(&refused), [r#"["x\ny"]"#, "runtime", "runtime"]);
}
