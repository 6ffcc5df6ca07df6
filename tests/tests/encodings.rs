//! Databases that are not UTF-8.

use ext_registry_tests::{
    Database, Refusal, Server, finalize, hash, list, manifest, manifest_of, publish, row_counts,
};
use serde_json::json;

fn database(encoding: &str) -> Database<'static> {
    let db = Server::shared().database_with(&format!(
        "TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
    ));
    db.ext_migrate(&["up"]).succeeded();
    db
}

#[test]
fn a_latin1_database_publishes_and_lists_names_that_are_not_ascii() {
    let db = database("LATIN1");
    let mut client = db.client();
    let mut manifest = manifest_of("Größe", "1.0.0");
    manifest["publisher"] = json!("Søren & Çağ".replace('ğ', "g"));
    manifest["assets"] = json!(["é.svg"]);
    manifest["api"] = json!({"endpoints": [{"method": "get", "path": "/é", "handler": "ü"}]});
    let published = finalize(&mut client, &manifest, &hash(0)).unwrap();
    let row = client
        .query_one(
            "SELECT r.publisher, r.name, v.assets::text, v.api::text, v.api_endpoints = v.api -> 'endpoints'
             FROM extension_registry r JOIN extension_version v ON v.registry_id = r.id",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, String>(0), manifest["publisher"]);
    assert_eq!(row.get::<_, String>(1), "Größe");
    assert_eq!(row.get::<_, String>(2), r#"["é.svg"]"#);
    assert_eq!(
        row.get::<_, String>(3),
        r#"{"endpoints": [{"path": "/é", "method": "GET", "handler": "ü"}]}"#
    );
    assert!(row.get::<_, bool>(4));
    assert_eq!(
        list(&mut client, published.extension_id, Some("té"))
            .unwrap()
            .len(),
        1
    );
    let row = client
        .query_one(
            "SELECT ext_extension_id($1, 'Größe')",
            &[&manifest["publisher"].as_str()],
        )
        .unwrap();
    assert_eq!(row.get::<_, uuid::Uuid>(0), published.extension_id);
    // The next one finds the same entry.
    manifest["version"] = json!("1.0.*");
    let next = finalize(&mut client, &manifest, &hash(0)).unwrap();
    assert_eq!(
        (next.extension_id, next.version.as_str()),
        (published.extension_id, "1.0.1")
    );
    assert_eq!(row_counts(&mut client), (1, 2, 2));
}

#[test]
fn errors_in_a_latin1_database_mean_the_same() {
    let db = database("LATIN1");
    for client_encoding in ["UTF8", "LATIN1"] {
        let mut client = db.client();
        // The driver takes what it gets for UTF-8, so that only ASCII can be right in both.
        client
            .batch_execute(&format!("SET client_encoding = {client_encoding}"))
            .unwrap();
        let escaped = r#"{"publisher": "acm\u00e9", "name": "Gr\u00f6\u00dfe", "version": "1.0.0", "runtime": "a-b"}"#;
        let publish = |client: &mut postgres::Client, manifest: &str| {
            client.execute(
                "SELECT FROM ext_finalize_version($1::text::jsonb, $2)",
                &[&manifest, &hash(0)],
            )
        };
        let _ = publish(&mut client, escaped);
        let refused = publish(&mut client, escaped)
            .refused()
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("publisher", "acmé")
            .with_detail("name", "Größe")
            .with_detail("same_content", true)
            .with_message_containing("already exists")
            .with_table("public", "extension_version");
        assert!(refused.detail_text.unwrap().is_ascii());

        let refused = publish(
            &mut client,
            r#"{"publisher": "acm\u00e9", "name": "b", "version": "1.0.0", "runtime": "\u00fc", "\u00e9": 1}"#,
        )
        .refused()
        .with_code("INVALID_MANIFEST");
        let paths: Vec<_> = refused.detail["issues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["path"].as_str().unwrap())
            .collect();
        assert_eq!(paths, [r#"["é"]"#, "runtime"]);
    }
    finalize(&mut db.client(), &manifest("1.0.0"), "é")
        .refused()
        .with_code("INVALID_CONTENT_HASH")
        .with_detail("given", "é");
}

#[test]
fn what_latin1_cannot_hold_is_refused_by_postgres() {
    let db = database("LATIN1");
    let mut client = db.client();
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2)",
            &[&manifest_of("日本", "1.0.0").to_string(), &hash(0)],
        )
        .refused()
        .with_sqlstate("22P05");
    let escaped =
        r#"{"publisher": "\u65e5\u672c", "name": "b", "version": "1.0.0", "runtime": "a-b"}"#;
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2)",
            &[&escaped, &hash(0)],
        )
        .refused();
    assert_eq!(row_counts(&mut client), (0, 0, 0));
    publish(&mut client, "1.0.0");
}

#[test]
fn a_sql_ascii_database_takes_utf8_as_it_comes() {
    let db = database("SQL_ASCII");
    let mut client = db.client();
    let mut given = manifest_of("Größe 日本 😀", "1.0.0");
    given["publisher"] = json!("Søren");
    let published = finalize(&mut client, &given, &hash(0)).unwrap();
    let refused = finalize(&mut client, &given, &hash(1))
        .refused()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("publisher", "Søren")
        .with_detail("name", "Größe 日本 😀")
        .with_detail("extension_id", published.extension_id.to_string());
    assert!(refused.detail_text.unwrap().is_ascii());
    assert!(refused.message.is_ascii());
    let row = client
        .query_one("SELECT ext_extension_id('Søren', 'Größe 日本 😀')", &[])
        .unwrap();
    assert_eq!(row.get::<_, uuid::Uuid>(0), published.extension_id);
    let listed = list(&mut client, published.extension_id, Some("té")).unwrap();
    assert_eq!(listed.len(), 1);
    given["version"] = json!("1.0.*");
    given["api"] = json!({"endpoints": [{"method": "get", "path": "/日本", "handler": "é"}]});
    assert_eq!(
        finalize(&mut client, &given, &hash(0)).unwrap().version,
        "1.0.1"
    );
    let row = client
        .query_one(
            "SELECT api::text FROM extension_version WHERE version = '1.0.1'",
            &[],
        )
        .unwrap();
    assert_eq!(
        row.get::<_, String>(0),
        r#"{"endpoints": [{"path": "/日本", "method": "GET", "handler": "é"}]}"#
    );
}

#[test]
fn bytes_that_are_no_utf8_are_refused_in_a_sql_ascii_database() {
    let db = database("SQL_ASCII");
    let mut client = db.client();
    // LATIN1's é, made by the server.
    let refused = client
        .execute(
            r#"SELECT FROM ext_finalize_version(
                   (E'{"publisher": "acm\xe9", "name": "b", "version": "1.0.0", "runtime": "a-b"}')::jsonb, $1)"#,
            &[&hash(0)],
        )
        .refused()
        .with_sqlstate("22023")
        .with_code("INVALID_MANIFEST");
    assert_eq!(refused.detail["issues"][0]["message"], "must be UTF-8 text");
    client
        .execute(
            r#"SELECT FROM ext_finalize_version($1::text::jsonb, E'\xe9')"#,
            &[&manifest("1.0.0").to_string()],
        )
        .refused()
        .with_code("INVALID_CONTENT_HASH");
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn a_client_with_another_encoding_is_understood() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let given = manifest_of("Größe", "1.0.0");
    finalize(&mut client, &given, &hash(0)).unwrap();
    // psql speaks LATIN1 here; the server converts.
    let output = db
        .program("psql")
        .env("PGCLIENTENCODING", "LATIN1")
        .args([
            "-XAtc",
            "SELECT ext_extension_id('acme', name) IS NOT NULL, name FROM extension_registry",
        ])
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"t|Gr\xf6\xdfe\n");
}
