//! Databases that are not UTF-8: characters they do not have, bytes that mean nothing, lengths they count in bytes.

use ext_registry_tests::{Refusal, Server, hash};
use uuid::Uuid;

use crate::call::Call;
use crate::ground::{Answer, Ground};

fn manifest(field: &str, text: &str) -> String {
    let mut manifest = serde_json::json!({
        "publisher": "p", "name": "n", "version": "1.0.*", "runtime": "a@b",
        "ui": {"type": "iframe", "entry": "e"},
    });
    let pointer = format!("/{}", field.replace('.', "/"));
    *manifest.pointer_mut(&pointer).expect("a field of it") = text.into();
    manifest.to_string()
}

/// `varchar(255)` counts what the database takes for a character: in SQL_ASCII that is a byte.
#[test]
fn sql_ascii_counts_bytes() {
    let mut ground = Ground::in_encoding("SQL_ASCII");
    for field in ["publisher", "name", "runtime", "ui.entry"] {
        // 255 characters, one byte too many; then exactly 255 bytes.
        ground
            .call(&Call::of(manifest(
                field,
                &format!("a-{}x", "é".repeat(127) + &"y".repeat(125)),
            )))
            .with_issues(&[field]);
        ground
            .call(&Call::of(manifest(field, &"é-".repeat(86))))
            .with_issues(&[field]);
        ground
            .call(&Call::of(manifest(
                field,
                &format!("a-{}b", "é".repeat(126)),
            )))
            .published();
    }
    // With the other issues, not instead of them.
    let wrong = manifest("publisher", &"é".repeat(200)).replace("a@b", "ab");
    ground
        .call(&Call::of(wrong))
        .with_issues(&["publisher", "runtime"]);
}

#[test]
fn other_encodings_count_characters() {
    for (encoding, letter) in [
        ("LATIN1", "é"),
        ("EUC_JP", "日"),
        ("EUC_TW", "日"),
        ("UTF8", "😀"),
    ] {
        let mut ground = Ground::in_encoding(encoding);
        for field in ["publisher", "name", "runtime", "ui.entry"] {
            let text = |count: usize| manifest(field, &format!("-{}", letter.repeat(count - 1)));
            let call = |ground: &mut Ground, text: String| {
                let mut call = Call::of("");
                call.manifest = Some(in_encoding(ground, &text));
                ground.call(&call)
            };
            call(&mut ground, text(255)).published();
            call(&mut ground, text(256)).with_issues(&[field]);
        }
    }
}

/// The bytes of a text in the encoding of the database.
fn in_encoding(ground: &mut Ground, text: &str) -> Vec<u8> {
    let convert = "SELECT convert_to(convert_from($1, 'UTF8'), getdatabaseencoding())";
    ground
        .client
        .query_one(convert, &[&text.as_bytes()])
        .expect("it has these characters")
        .get(0)
}

/// Methods in lower case make finalize write `api` itself: it has to arrive in the database's encoding.
#[test]
fn a_rewritten_api_keeps_its_letters() {
    for encoding in ["UTF8", "SQL_ASCII", "LATIN1", "EUC_JP"] {
        let mut ground = Ground::in_encoding(encoding);
        let text = r#"{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b","api":{"endpoints":[
            {"method":"get","path":"/LETTER","handler":"LETTER"}],"n":1e400,"LETTER":"\"\\"}}"#;
        let text = text.replace("LETTER", if encoding == "EUC_JP" { "日" } else { "é" });
        let bytes = if encoding == "SQL_ASCII" {
            text.into_bytes()
        } else {
            in_encoding(&mut ground, &text)
        };
        ground.call(&Call::of(bytes)).published();
    }
}

/// Only the start of a hash is repeated: the cut may fall inside a character.
#[test]
fn a_long_hash_may_be_cut_inside_a_character() {
    for (encoding, character) in [
        ("UTF8", "日".as_bytes()),
        ("EUC_JP", b"\xc6\xfc"),
        ("EUC_JP", b"\x8f\xb0\xa1"),
        ("EUC_TW", b"\x8e\xa1\xc4\xe3"),
        ("LATIN1", b"\xe9"),
        ("SQL_ASCII", b"\xe9"),
        ("WIN1252", b"\x81"),
    ] {
        let mut ground = Ground::in_encoding(encoding);
        for shift in 0..4 {
            for function in [None, Some(Some(b"bundle".to_vec()))] {
                let mut call =
                    Call::of(r#"{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b"}"#);
                call.hash = Some([&b"x".repeat(shift), &character.repeat(150)[..]].concat());
                call.bundle = function;
                ground
                    .call(&call)
                    .refused()
                    .with_sqlstate("22023")
                    .with_code("INVALID_CONTENT_HASH");
            }
        }
    }
}

/// Bytes that the database takes but that no Unicode character stands for.
#[test]
fn text_that_unicode_does_not_have_is_an_issue() {
    for (encoding, bytes) in [
        ("WIN1252", &b"\x81"[..]),
        ("EUC_JP", b"\xa9\xa1"),
        ("SQL_ASCII", b"\xe9"),
    ] {
        let mut ground = Ground::in_encoding(encoding);
        let text = manifest("publisher", "HERE");
        let (before, after) = text.split_once("HERE").unwrap();
        let bytes = [before.as_bytes(), bytes, after.as_bytes()].concat();
        ground.call(&Call::of(bytes)).with_issues(&[""]);
        ground
            .call(&Call::of(manifest("publisher", "plain")))
            .published();
    }
}

/// What the client sends and the database does not have is refused between the two.
#[test]
fn characters_that_the_database_does_not_have() {
    for (encoding, missing) in [
        ("LATIN1", "日"),
        ("LATIN1", "€"),
        ("EUC_JP", "😀"),
        ("WIN1252", "\u{81}"),
    ] {
        let mut ground = Ground::in_encoding(encoding);
        for argument in 0..4 {
            let mut texts = [
                manifest("name", "n"),
                "a".repeat(64),
                "signed".to_owned(),
                "url".to_owned(),
            ];
            texts[argument] = texts[argument].replacen(['a', 's', 'u'], missing, 1);
            ground
                .client
                .execute(
                    "SELECT FROM ext_finalize_version($1::text::jsonb, $2, $3, $4)",
                    &[&texts[0], &texts[1], &texts[2], &texts[3]],
                )
                .refused()
                .with_sqlstate("22P05");
        }
        // In an escape it is the jsonb input that refuses it.
        let escaped = missing
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect::<String>();
        let text = manifest("name", "HERE").replace("HERE", &escaped);
        ground.call(&Call::of(text)).refused_before("22P05");
    }
}

/// A schema's name is text of the database too.
#[test]
fn a_schema_with_letters_of_the_encoding() {
    for (encoding, schema) in [
        ("LATIN1", "Schéma öf"),
        ("EUC_JP", "日本"),
        ("SQL_ASCII", "Schéma"),
        ("WIN1252", "€ö"),
    ] {
        let db = Server::shared().database_with(&format!(
            "TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        ));
        db.ext_migrate(&["up", "--schema", schema]).succeeded();
        let mut client = db.client();
        client
            .batch_execute(&format!("SET search_path = \"{schema}\""))
            .unwrap();
        let publish = "SELECT extension_id, version FROM ext_finalize_version($1::text::jsonb, $2)";
        for version in ["1.0.0", "1.0.*"] {
            let text = manifest("version", version);
            client
                .query_one(publish, &[&text, &hash(0)])
                .unwrap_or_else(|error| panic!("{encoding}: {error:?}"));
        }
        let refused = client
            .query_one(publish, &[&manifest("version", "1.0.0"), &hash(0)])
            .refused()
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_table(schema, "extension_version");
        let extension: Uuid = refused.detail["extension_id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let listed = client
            .query("SELECT version FROM ext_list_versions($1)", &[&extension])
            .unwrap();
        assert_eq!(listed.len(), 2);
        client
            .execute("UPDATE extension_version SET runtime = 'x-y'", &[])
            .refused()
            .with_sqlstate("23001")
            .with_code("VERSION_IMMUTABLE")
            .with_table(schema, "extension_version");
        client
            .batch_execute("DROP TABLE extension_bundle CASCADE")
            .unwrap();
        client
            .query_one(publish, &[&manifest("version", "2.0.0"), &hash(0)])
            .refused()
            .with_sqlstate("42P01")
            .with_code("REGISTRY_NOT_MIGRATED")
            .with_detail("schema", schema);
    }
}

/// The duplicate of a name with letters: they are in DETAIL as they were given.
#[test]
fn a_duplicate_says_its_names_in_every_encoding() {
    for (encoding, name) in [
        ("UTF8", "é😀"),
        ("LATIN1", "é"),
        ("EUC_JP", "日本"),
        ("SQL_ASCII", "é"),
    ] {
        let mut ground = Ground::in_encoding(encoding);
        let text = manifest("publisher", name).replace("1.0.*", "1.0.0");
        let bytes = if encoding == "SQL_ASCII" {
            text.into_bytes()
        } else {
            in_encoding(&mut ground, &text)
        };
        ground.call(&Call::of(bytes.clone())).published();
        match ground.call(&Call::of(bytes)) {
            Answer::Refused(refused) => {
                assert_eq!(
                    refused.detail["publisher"], name,
                    "{encoding}: {refused:#?}"
                );
            }
            other => panic!("{encoding}: {other:?}"),
        }
    }
}

/// Names are trimmed and looked through in every encoding; only in UTF8 the server knows of forms.
#[test]
fn names_in_every_encoding() {
    for (encoding, space, letter, hidden) in [
        ("UTF8", "\u{3000}", "é", Some("\u{200b}")),
        ("LATIN1", "\u{a0}", "é", Some("\u{ad}")),
        ("WIN1252", "\u{a0}", "€", Some("\u{ad}")),
        ("EUC_JP", "\u{3000}", "日", None),
        ("SQL_ASCII", "\u{3000}", "é\u{301}", Some("\u{2028}")),
    ] {
        let mut ground = Ground::in_encoding(encoding);
        let bytes = |ground: &mut Ground, text: &str| match encoding {
            "SQL_ASCII" => text.as_bytes().to_vec(),
            _ => in_encoding(ground, text),
        };
        for field in ["publisher", "name", "runtime"] {
            let text = bytes(
                &mut ground,
                &manifest(field, &format!("{space} -{letter}\t{space}")),
            );
            ground.call(&Call::of(text)).published();
            let column = match field {
                "runtime" => {
                    "(SELECT runtime FROM extension_version ORDER BY created_at DESC LIMIT 1)"
                        .to_owned()
                }
                _ => {
                    format!("(SELECT max({field}) FROM extension_registry WHERE {field} LIKE '-%')")
                }
            };
            let stored: Vec<u8> = ground
                .client
                .query_one(
                    &format!("SELECT convert_to({column}, getdatabaseencoding())"),
                    &[],
                )
                .unwrap()
                .get(0);
            assert_eq!(
                stored,
                bytes(&mut ground, &format!("-{letter}")),
                "{encoding}: {field}"
            );
            if let Some(hidden) = hidden {
                let text = bytes(&mut ground, &manifest(field, &format!("-{hidden}{letter}")));
                ground.call(&Call::of(text)).with_issues(&[field]);
            }
        }
        // An old entry of the untrimmed spelling is found in any of them.
        let name = format!("{space}{letter}");
        let insert = "INSERT INTO extension_registry (id, publisher, name)
            VALUES (gen_random_uuid(), 'p', convert_from($1, getdatabaseencoding()))";
        let given = bytes(&mut ground, &name);
        ground.client.execute(insert, &[&given]).unwrap();
        let text = bytes(&mut ground, &manifest("name", &name));
        ground.call(&Call::of(text)).with_issues(&["name"]);
    }
}

/// Control characters of a URL in the encoding of the database.
#[test]
fn control_characters_of_a_url_in_every_encoding() {
    for (encoding, control, letter) in [
        ("LATIN1", &b"\x85"[..], &b"\xe9"[..]),
        ("SQL_ASCII", b"\xc2\x85", b"\xe9"),
        ("SQL_ASCII", b"\xe9\n", b"\x85"),
        ("EUC_JP", b"\xc6\xfc\x7f", b"\xc6\xfc"),
        // A byte that means nothing hides nothing after it.
        ("WIN1252", b"\x81\x1b", b"\x85"),
    ] {
        let mut ground = Ground::in_encoding(encoding);
        let mut call = Call::of(manifest("name", "n"));
        call.storage_url = Some(letter.to_vec());
        ground.call(&call).published();
        call.storage_url = Some(control.to_vec());
        ground
            .call(&call)
            .refused()
            .with_code("INVALID_ARGUMENT")
            .with_detail("argument", "storage_url");
    }
}
