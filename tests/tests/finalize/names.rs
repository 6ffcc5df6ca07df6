//! Publisher, name and runtime: one spelling for one extension.

use ext_registry_tests::{Refusal, Server, finalize, hash, list, manifest, publish, row_counts};
use postgres::Client;
use serde_json::{Value, json};
use uuid::Uuid;

fn with(fields: &[(&str, &str)]) -> Value {
    let mut manifest = manifest("1.0.*");
    for (field, value) in fields {
        manifest[field] = json!(value);
    }
    manifest
}

/// Path and message of the one issue.
#[track_caller]
fn issue(client: &mut Client, manifest: &Value) -> (String, String) {
    let refused = finalize(client, manifest, &hash(0))
        .refused()
        .with_sqlstate("22023")
        .with_code("INVALID_MANIFEST")
        .with_detail("issue_count", 1);
    let text = |field: &str| {
        refused.detail["issues"][0][field]
            .as_str()
            .unwrap()
            .to_owned()
    };
    (text("path"), text("message"))
}

#[test]
fn white_space_around_names_makes_no_other_extension() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let first = publish(&mut client, "1.0.*");
    for (publisher, name, runtime) in [
        (" acme", "widget", "node@20"),
        ("acme", "widget\n", "node@20"),
        ("\u{3000}acme\u{a0}", "\twidget\u{2028}", " node@20\u{85}"),
        ("acme", "widget", "node@20 "),
    ] {
        let given = with(&[
            ("publisher", publisher),
            ("name", name),
            ("runtime", runtime),
        ]);
        let published = finalize(&mut client, &given, &hash(0)).unwrap();
        assert_eq!(published.extension_id, first.extension_id);
        // A version that exists is found under the trimmed names.
        let mut again = given.clone();
        again["version"] = json!(published.version);
        let refused = finalize(&mut client, &again, &hash(0))
            .refused()
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("publisher", "acme")
            .with_detail("name", "widget")
            .with_detail("same_content", true);
        assert!(refused.message.contains(" of acme/widget already exists"));
        client
            .execute(
                "SELECT FROM ext_finalize_bundle($1::text::jsonb, 'x')",
                &[&given.to_string()],
            )
            .unwrap();
    }
    let row = client
        .query_one(
            "SELECT count(*), count(DISTINCT runtime), min(runtime) FROM extension_version",
            &[],
        )
        .unwrap();
    assert_eq!(
        (row.get(0), row.get(1), row.get(2)),
        (9_i64, 1_i64, "node@20")
    );
    assert_eq!(row_counts(&mut client), (1, 9, 9));
}

/// A new entry is stored under the trimmed names; what else the manifest holds is stored as given.
#[test]
fn a_new_entry_has_the_trimmed_names() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut given = with(&[("publisher", " Größe \u{200a}"), ("name", "日本\t")]);
    given["capabilities"] = json!([" a "]);
    given["ui"] = json!({"type": "iframe", "entry": " e ", "n": [1.50, " "]});
    let published = finalize(&mut client, &given, &hash(0)).unwrap();
    let row = client
        .query_one(
            "SELECT r.publisher, r.name, v.main_entry, v.capabilities::text, v.ui = $1::text::jsonb
             FROM extension_registry r JOIN extension_version v ON v.registry_id = r.id",
            &[&given["ui"].to_string()],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), ("Größe", "日本"));
    assert_eq!((row.get(2), row.get(3)), (" e ", r#"[" a "]"#));
    assert!(row.get::<_, bool>(4));
    let found =
        "SELECT ext_extension_id('Größe', '日本'), ext_extension_id(' Größe \u{200a}', '日本\t')";
    let row = client.query_one(found, &[]).unwrap();
    assert_eq!(row.get::<_, Uuid>(0), published.extension_id);
    // The look-up is exact.
    assert_eq!(row.get::<_, Option<Uuid>>(1), None);
}

#[test]
fn an_old_entry_with_the_untrimmed_spelling_is_not_forked() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(
            "INSERT INTO extension_registry (id, publisher, name) VALUES
                 ('00000000-0000-0000-0000-000000000001', ' acme', 'widget'),
                 ('00000000-0000-0000-0000-000000000002', 'acme', 'gadget '),
                 ('00000000-0000-0000-0000-000000000003', ' both ', ' both ');
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, capabilities, created_at)
             SELECT id, id, '1.0.0', 'node@20', 'main', '[]', '2020-01-01' FROM extension_registry",
        )
        .unwrap();
    let before = row_counts(&mut client);
    for (publisher, name, paths) in [
        (" acme", "widget", vec!["publisher"]),
        ("acme", "gadget ", vec!["name"]),
        (" both ", " both ", vec!["publisher", "name"]),
    ] {
        for version in ["1.0.0", "1.0.1", "1.0.*"] {
            let mut given = with(&[
                ("publisher", publisher),
                ("name", name),
                ("runtime", " a-b"),
            ]);
            given["version"] = json!(version);
            let refused = finalize(&mut client, &given, &hash(0))
                .refused()
                .with_sqlstate("22023")
                .with_code("INVALID_MANIFEST")
                .with_detail("issue_count", paths.len())
                .with_message_containing("an old entry is spelled exactly as given");
            let issues = refused.detail["issues"].as_array().unwrap();
            let found: Vec<_> = issues
                .iter()
                .map(|issue| issue["path"].as_str().unwrap())
                .collect();
            assert_eq!(found, paths);
        }
        // Whoever means the other one says so.
        let other = with(&[("publisher", publisher.trim()), ("name", name.trim())]);
        finalize(&mut client, &other, &hash(0)).unwrap();
        // And white space of another kind is nobody's spelling.
        let given = with(&[("publisher", &format!("\t{publisher}")), ("name", name)]);
        assert_eq!(
            finalize(&mut client, &given, &hash(0)).unwrap().version,
            "1.0.1"
        );
    }
    let after = row_counts(&mut client);
    assert_eq!((after.0, after.1), (before.0 + 3, before.1 + 6));
    // The old ones stay listed and final.
    for id in 1..=3 {
        let listed = list(&mut client, Uuid::from_u128(id), None).unwrap();
        assert_eq!((listed.len(), &*listed[0].version), (1, "1.0.0"));
        client
            .execute(
                "DELETE FROM extension_version WHERE registry_id = $1",
                &[&Uuid::from_u128(id)],
            )
            .refused()
            .with_sqlstate("23001");
    }
    // An entry of the trimmed names is no old one, whatever white space the runtime has.
    finalize(&mut client, &with(&[("runtime", " node@20")]), &hash(0)).unwrap();
}

#[test]
fn names_that_are_not_nfc_are_told_the_form_that_is() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for field in ["publisher", "name"] {
        let (path, message) = issue(&mut client, &with(&[(field, " cafe\u{301} ")]));
        assert_eq!(path, field);
        assert_eq!(
            message,
            "must be in Unicode's normal form NFC: U+00E9 instead of U+0065 U+0301, which makes \"caf\u{e9}\""
        );
        finalize(&mut client, &with(&[(field, "caf\u{e9}")]), &hash(0)).unwrap();
    }
    // What has no single character for it is in that form.
    finalize(&mut client, &with(&[("name", "x\u{301}")]), &hash(0)).unwrap();
    finalize(&mut client, &with(&[("runtime", "e\u{301}-")]), &hash(0)).unwrap();
}

/// All that the server knows of: what it calls NFC is taken, and of all others it says the form.
#[test]
fn the_server_decides_what_is_nfc() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let rows = client
        .query(
            "SELECT chr(n), normalize(chr(n), NFC)
             FROM generate_series(192, 195101) n
             WHERE n NOT BETWEEN 55296 AND 57343 AND chr(n) IS NOT NFC NORMALIZED",
            &[],
        )
        .unwrap();
    assert!(rows.len() > 1000, "{}", rows.len());
    for row in rows {
        let (given, nfc): (&str, String) = (row.get(0), row.get(1));
        // White space is ignored, whatever its form.
        if given.trim().is_empty() {
            continue;
        }
        let (_, message) = issue(&mut client, &with(&[("name", given)]));
        assert!(
            message.ends_with(&format!("which makes {}", json!(nfc))),
            "{message}"
        );
    }
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn what_cannot_be_seen_is_refused_with_its_code_point() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for (field, text, message) in [
        (
            "publisher",
            "ac\u{200b}me",
            r#"must not have characters that cannot be seen, such as U+200B: "ac\u200bme""#,
        ),
        (
            "name",
            "a\u{2028}b",
            r#"must not have characters that cannot be seen, such as U+2028: "a\u2028b""#,
        ),
        (
            "runtime",
            "a-\u{2800}",
            r#"must not have characters that cannot be seen, such as U+2800: "a-\u2800""#,
        ),
    ] {
        let found = issue(&mut client, &with(&[(field, text)]));
        assert_eq!(found, (field.to_owned(), message.to_owned()));
    }
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

/// Entries from before the rules: nothing is published to them any more, and nothing of them is lost.
#[test]
fn old_entries_with_hidden_names_stay_listed_and_final() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for (number, name) in ["a\u{200b}b", "cafe\u{301}", "a\u{2028}b"]
        .iter()
        .enumerate()
    {
        let id = Uuid::from_u128(number as u128);
        client
            .execute(
                "INSERT INTO extension_registry (id, publisher, name) VALUES ($1, 'acme', $2)",
                &[&id, name],
            )
            .unwrap();
        client
            .execute(
                "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, capabilities)
                 VALUES ($1, $1, '1.0.0', 'node@20', 'main', '[]')",
                &[&id],
            )
            .unwrap();
        let (path, _) = issue(&mut client, &with(&[("name", name)]));
        assert_eq!(path, "name");
        let row = client
            .query_one("SELECT ext_extension_id('acme', $1)", &[name])
            .unwrap();
        assert_eq!(row.get::<_, Uuid>(0), id);
        assert_eq!(list(&mut client, id, None).unwrap().len(), 1);
        client
            .execute(
                "UPDATE extension_registry SET name = 'seen' WHERE id = $1",
                &[&id],
            )
            .refused()
            .with_sqlstate("23001")
            .with_code("VERSION_IMMUTABLE")
            .with_detail("name", *name);
    }
}
