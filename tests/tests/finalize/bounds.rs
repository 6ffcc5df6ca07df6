//! Signature, storage URL and the texts of errors have bounds, and an error is one line for every reader of lines.

use ext_registry_tests::{Refusal, Server, finalize, hash, manifest, row_counts};
use serde_json::json;

const CALLS: [&str; 2] = [
    "ext_finalize_version($1::text::jsonb, repeat('a', 64), ARGUMENT => $2)",
    "ext_finalize_bundle($1::text::jsonb, 'x', ARGUMENT => $2)",
];

#[test]
fn signature_and_storage_url_have_a_longest() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let given = manifest("1.0.*").to_string();
    for call in CALLS {
        for (argument, longest) in [("signature", 64 * 1024), ("storage_url", 8 * 1024)] {
            let statement = format!("SELECT FROM {}", call.replace("ARGUMENT", argument));
            // Bytes are counted; the largest that fits may be compressed, or not.
            for letter in ["x", "é"] {
                let text = letter.repeat(longest / letter.len());
                client.execute(&statement, &[&given, &text]).unwrap();
                for longer in [text.clone() + "x", text.repeat(2), text.repeat(100)] {
                    client
                        .execute(&statement, &[&given, &longer])
                        .refused()
                        .with_sqlstate("22023")
                        .with_code("INVALID_ARGUMENT")
                        .with_detail("argument", argument)
                        .with_message_containing(&format!("at most {longest} bytes"));
                }
            }
        }
    }
    assert_eq!(row_counts(&mut client), (1, 8, 8));
}

#[test]
fn a_storage_url_has_no_control_characters() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let given = manifest("1.0.*").to_string();
    for call in CALLS {
        let statement = format!("SELECT FROM {}", call.replace("ARGUMENT", "storage_url"));
        for control in [
            "\n", "\r", "\t", "\u{1}", "\u{1b}", "\u{7f}", "\u{80}", "\u{85}", "\u{9f}",
        ] {
            for url in [
                format!("s3://a{control}b"),
                format!("é{control}"),
                control.to_owned(),
            ] {
                client
                    .execute(&statement, &[&given, &url])
                    .refused()
                    .with_sqlstate("22023")
                    .with_code("INVALID_ARGUMENT")
                    .with_detail("argument", "storage_url")
                    .with_message_containing("no control characters");
            }
        }
        for url in ["", "s3://bücket/日本 %20?x=1#y", "file:///tmp/'\"\\"] {
            client.execute(&statement, &[&given, &url]).unwrap();
        }
    }
    // A signature may be PEM: lines are its form.
    let pem = "-----BEGIN-----\r\n\u{85}\n-----END-----\n";
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, repeat('a', 64), $2)",
            &[&given, &pem],
        )
        .unwrap();
}

/// Python's splitlines, Unicode's newline guidelines and JavaScript know more line ends than `\n`.
#[test]
fn an_error_is_one_line_for_every_reader_of_lines() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let ends = "\n\r\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}";
    let mut fields = manifest("1.0.0");
    fields[ends] = json!(1);
    fields["precompiled"] = json!({ends: {}, "..": ends});
    fields["publisher"] = json!(format!("a{ends}b"));
    fields["ui"] = json!({"type": ends, "entry": format!("{ends}/..")});
    let refused_manifest = finalize(&mut client, &fields, &hash(0)).refused();
    let refused_hash = finalize(&mut client, &manifest("1.0.0"), ends)
        .refused()
        .with_detail("given", ends);
    for refused in [refused_manifest.with_code("INVALID_MANIFEST"), refused_hash] {
        for text in [refused.message, refused.detail_text.unwrap()] {
            let broken = |c: char| ends.contains(c) || c.is_control();
            assert!(!text.contains(broken), "{text:?}");
        }
    }
}

#[test]
fn issues_are_counted_and_the_first_hundred_told() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let value = "v".repeat(10_000);
    for (count, told) in [(99, 99), (100, 100), (101, 100), (5_000, 100)] {
        let mut given = manifest("1.0.0");
        given["assets"] = json!(vec![7; count]);
        let refused = finalize(&mut client, &given, &hash(0))
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_MANIFEST")
            .with_detail("issue_count", count);
        let issues = refused.detail["issues"].as_array().unwrap();
        assert_eq!(issues.len(), told);
        assert_eq!(issues[told - 1]["path"], format!("assets[{}]", told - 1));
        assert!(
            refused
                .message
                .ends_with(&format!("; and {} more", count - 3))
        );
    }
    // What is long is cut.
    let mut given = manifest("1.0.0");
    given[&value] = json!(1);
    given["runtime"] = json!(value);
    given["version"] = json!(format!("1.{value}"));
    let refused = finalize(&mut client, &given, &hash(0)).refused();
    assert!(refused.detail_text.unwrap().len() < 2_000 && refused.message.len() < 2_000);
    for issue in refused.detail["issues"].as_array().unwrap() {
        for text in [&issue["path"], &issue["message"]] {
            assert!(text.as_str().unwrap().chars().count() <= 255, "{issue}");
        }
    }
    assert_eq!(refused.detail["issues"][0]["path"], "v".repeat(252) + "...");
}

/// The guards tell names and versions that an older app inserted as it liked.
#[test]
fn a_guards_detail_is_one_line_too() {
    let ends = "\u{85}\u{2028}\u{2029}\u{c}\n\"\\";
    let utf8 = Server::shared().migrated_database();
    let ascii =
        Server::shared().database_with("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    ascii.ext_migrate(&["up"]).succeeded();
    for db in [utf8, ascii] {
        let mut client = db.client();
        for statement in [
            "INSERT INTO extension_registry (id, publisher, name)
             VALUES ('00000000-0000-0000-0000-000000000001', $1, $1)",
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, capabilities, created_at)
             SELECT id, id, $1, 'node@20', 'main', '[]', now() FROM extension_registry",
            "INSERT INTO extension_bundle (id, version_id, content_hash, created_at)
             SELECT id, id, 'sha256:' || repeat('a', 64), now() FROM extension_version WHERE version = $1",
        ] {
            client.execute(statement, &[&ends]).unwrap();
        }
        for (statement, field) in [
            ("UPDATE extension_registry SET name = 'other'", "name"),
            ("DELETE FROM extension_registry", "publisher"),
            ("UPDATE extension_version SET runtime = 'x-y'", "version"),
            ("DELETE FROM extension_bundle", "version"),
        ] {
            let refused = client
                .execute(statement, &[])
                .refused()
                .with_sqlstate("23001")
                .with_code("VERSION_IMMUTABLE")
                .with_detail(field, ends);
            let detail = refused.detail_text.unwrap();
            let escaped = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
            let encoding: String = client
                .query_one("SHOW server_encoding", &[])
                .unwrap()
                .get(0);
            // Where nobody knows what a character is, nobody can escape one.
            assert!(
                encoding == "SQL_ASCII" || detail.chars().all(escaped),
                "{detail:?}"
            );
        }
    }
}
