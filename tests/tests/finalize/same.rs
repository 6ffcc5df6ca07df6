//! What a duplicate has in common with what is published: `same_content`, `same_manifest`, `same_signature`.

use ext_registry_tests::{Refusal, Refused, Server, finalize, hash, row_counts};
use postgres::Client;
use serde_json::{Value, json};
use uuid::Uuid;

/// A manifest in which everything says something.
const FULL: &str = r#"{
    "publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "wasm-1",
    "capabilities": ["net", "fs"],
    "ui": {"type": "iframe", "entry": "ui/index.html", "hooks": {"onLoad": "load.js"}, "width": 1.50},
    "api": {"endpoints": [{"method": "get", "path": "/items", "handler": "api.get"}], "limit": 1e400},
    "assets": ["logo.svg"],
    "precompiled": {"linux": "widget.so"}
}"#;

/// Calls one of the two functions with content that is always the same.
#[derive(Clone, Copy, Debug)]
enum Function {
    Version,
    Bundle,
}

const BOTH: [Function; 2] = [Function::Version, Function::Bundle];

impl Function {
    fn call(
        self,
        client: &mut Client,
        manifest: &str,
        signature: Option<&str>,
    ) -> Result<Uuid, postgres::Error> {
        let sql = match self {
            Self::Version => {
                "SELECT version_id FROM ext_finalize_version($1::text::jsonb,
                     encode(sha256('bundle'), 'hex'), $2)"
            }
            Self::Bundle => {
                "SELECT version_id FROM ext_finalize_bundle($1::text::jsonb, 'bundle', NULL, $2)"
            }
        };
        let row = client.query_one(sql, &[&manifest, &signature])?;
        Ok(row.get(0))
    }
}

/// Content, manifest, signature; and the HINT says that it is published only where all three are the same.
#[track_caller]
fn assert_same(refused: Refused, same: [bool; 3]) {
    let refused = refused
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", same[0])
        .with_detail("same_manifest", same[1])
        .with_detail("same_signature", same[2]);
    let hint = refused.hint.as_deref().unwrap();
    assert_eq!(hint.contains("is published"), same == [true; 3], "{hint}");
}

/// Publishes one manifest, and is refused with the other one.
#[track_caller]
fn compare(published: &str, again: &str, same_manifest: bool) {
    for function in BOTH {
        for other in BOTH {
            let db = Server::shared().migrated_database();
            let mut client = db.client();
            function.call(&mut client, published, Some("s")).unwrap();
            let refused = other.call(&mut client, again, Some("s")).refused();
            assert_same(refused, [true, same_manifest, true]);
            assert_eq!(row_counts(&mut client), (1, 1, 1));
        }
    }
}

fn changed(change: impl FnOnce(&mut Value)) -> String {
    // The number is none of serde's.
    let mut manifest: Value = serde_json::from_str(&FULL.replace("1e400", "1.25")).unwrap();
    change(&mut manifest);
    manifest.to_string().replace("1.25", "1e400")
}

#[test]
fn the_same_call_again_is_the_same() {
    compare(FULL, FULL, true);
    let smallest =
        r#"{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "wasm-1"}"#;
    compare(smallest, smallest, true);
}

#[test]
fn what_is_stored_alike_is_the_same_however_it_is_written() {
    let rewritten = FULL
        .replace("\"get\"", "\"Get\"")
        .replace("1.50", "15e-1")
        .replace("\"1.0.0\"", "\" 1.0.0\\n\"");
    compare(FULL, &rewritten, true);
    let smallest =
        r#"{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "wasm-1"}"#;
    let spelled_out = r#"{"runtime": "wasm-1", "version": "1.0.0", "name": "widget", "publisher": "acme",
        "api": null, "capabilities": [], "ui": null, "assets": null, "precompiled": null}"#;
    compare(smallest, spelled_out, true);
    compare(spelled_out, smallest, true);
}

#[test]
fn every_part_of_the_manifest_is_compared() {
    for change in [
        (|m| m["runtime"] = json!("wasm-2")) as fn(&mut Value),
        |m| m["runtime"] = json!("WASM-1"),
        |m| m["ui"]["entry"] = json!("ui/other.html"),
        |m| m["ui"]["width"] = json!(1.75),
        |m| m["ui"] = Value::Null,
        |m| m["api"]["endpoints"][0]["method"] = json!("PUT"),
        |m| m["api"]["endpoints"] = json!([]),
        |m| m["api"]["limit"] = json!(1),
        |m| m["api"] = Value::Null,
        |m| m["capabilities"] = json!(["fs", "net"]),
        |m| m["capabilities"] = Value::Null,
        |m| m["assets"] = json!(["logo.png"]),
        |m| m["assets"] = Value::Null,
        |m| m["assets"] = json!([]),
        |m| m["precompiled"]["linux"] = json!("other.so"),
        |m| m["precompiled"] = Value::Null,
        |m| m["precompiled"] = json!({}),
    ] {
        let other = changed(change);
        let db = Server::shared().migrated_database();
        let mut client = db.client();
        Function::Version.call(&mut client, FULL, None).unwrap();
        let refused = Function::Bundle.call(&mut client, &other, None).refused();
        assert_eq!(refused.detail["same_manifest"], false, "{other}");
        assert_same(refused, [true, false, true]);
    }
    // And what is only in the first one.
    compare(&changed(|m| m["precompiled"] = Value::Null), FULL, false);
    compare(&changed(|m| m["ui"] = Value::Null), FULL, false);
}

#[test]
fn the_signature_is_compared_byte_for_byte() {
    for function in BOTH {
        for (published, again, same) in [
            (None, None, true),
            (Some("s"), Some("s"), true),
            (Some("s"), Some("S"), false),
            (Some("s"), Some("s "), false),
            (Some("s"), None, false),
            (None, Some("s"), false),
            (None, Some(""), false),
        ] {
            let db = Server::shared().migrated_database();
            let mut client = db.client();
            function.call(&mut client, FULL, published).unwrap();
            let refused = function.call(&mut client, FULL, again).refused();
            assert_same(refused, [true, true, same]);
        }
    }
}

#[test]
fn storage_url_and_size_do_not_matter() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    Function::Bundle.call(&mut client, FULL, None).unwrap();
    let refused = client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, encode(sha256('bundle'), 'hex'), NULL, 'https://x', 7)",
            &[&FULL],
        )
        .refused();
    assert_same(refused, [true; 3]);
}

/// An old version with several bundles: the one with this hash is compared, else the one that the list shows.
#[test]
fn of_several_bundles_the_one_with_the_hash_is_compared() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(&format!(
            r#"SET session_replication_role = replica;
             INSERT INTO extension_registry (id, publisher, name)
             VALUES ('00000000-0000-4000-8000-000000000001', 'acme', 'widget');
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, adopted)
             VALUES ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001',
                     '1.0.0', 'wasm-1', 'main', true);
             INSERT INTO extension_bundle
                 (id, version_id, content_hash, precompiled, signature, created_at, adopted)
             SELECT gen_random_uuid(), '00000000-0000-4000-8000-000000000002', hash,
                    precompiled::jsonb, signature, created_at::timestamptz, true
             FROM (VALUES ('{old}', '{{"os": "old"}}', 'old', '2020-01-01'),
                          ('{upper}', '{{"os": "upper"}}', 'upper', '2020-01-02'),
                          ('{shown}', NULL, NULL, '2020-01-03'))
                  bundle (hash, precompiled, signature, created_at);
             SET session_replication_role = origin"#,
            old = hash(1),
            upper = hash(0xABC)[7..].to_uppercase(),
            shown = hash(3),
        ))
        .unwrap();
    for (content, os, signature, same) in [
        (hash(1), Some("old"), Some("old"), [true, true, true]),
        (hash(1), Some("old"), Some("upper"), [true, true, false]),
        (hash(1), Some("upper"), Some("old"), [true, false, true]),
        (hash(1), None, None, [true, false, false]),
        (
            hash(0xABC),
            Some("upper"),
            Some("upper"),
            [true, true, true],
        ),
        (hash(3), None, None, [true, true, true]),
        (hash(4), None, None, [false, true, true]),
        (hash(4), Some("old"), Some("old"), [false, false, false]),
    ] {
        let mut manifest =
            json!({"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "wasm-1"});
        if let Some(os) = os {
            manifest["precompiled"] = json!({"os": os});
        }
        let refused = client
            .execute(
                "SELECT FROM ext_finalize_version($1::text::jsonb, $2, $3)",
                &[&manifest.to_string(), &content, &signature],
            )
            .refused();
        assert_eq!(refused.detail["existing"]["content_hash"], hash(3));
        assert_same(refused, same);
    }
}

/// Two calls at once, one of them a plain duplicate of the other: the loser may take the answer for its own.
#[test]
fn a_concurrent_publish_of_something_else_is_not_the_same() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut holder = client.transaction().unwrap();
    let manifest: Value = serde_json::from_str(
        r#"{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "wasm-1"}"#,
    )
    .unwrap();
    finalize(&mut holder, &manifest, &hash(1)).unwrap();
    let mut waiter = db.client();
    let pid = ext_registry_tests::backend_pid(&mut waiter);
    let mut other = manifest.clone();
    other["capabilities"] = json!(["net"]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| finalize(&mut waiter, &other, &hash(1)).refused());
        ext_registry_tests::wait_until_blocked(&mut db.client(), pid);
        holder.commit().unwrap();
        assert_same(waiting.join().unwrap(), [true, false, true]);
    });
}
