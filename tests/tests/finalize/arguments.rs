//! Arguments that are wrong, and forms of the hash that are right.

use ext_registry_tests::{Refusal, Server, finalize, hash, manifest, row_counts};

#[test]
fn null_argument_names_the_argument() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let given = manifest("1.0.0").to_string();
    for (call, argument) in [
        ("ext_finalize_version(NULL, $2)", "manifest"),
        (
            "ext_finalize_version($1::text::jsonb, NULL)",
            "content_hash",
        ),
        ("ext_finalize_version(NULL, NULL)", "manifest"),
        ("ext_finalize_bundle(NULL, 'x')", "manifest"),
        ("ext_finalize_bundle($1::text::jsonb, NULL)", "bundle"),
        ("ext_finalize_bundle($1::text::jsonb, NULL, $2)", "bundle"),
    ] {
        // Both parameters are mentioned, so that every call has the same two.
        let statement = format!("SELECT $1::text, $2::text FROM {call}");
        client
            .query(&statement, &[&given, &hash(0)])
            .refused()
            .with_sqlstate("22004")
            .with_code("NULL_ARGUMENT")
            .with_detail("argument", argument)
            .with_message_containing(argument);
    }
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn optional_arguments_may_be_null() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2, NULL, NULL, NULL)",
            &[&manifest("1.0.0").to_string(), &hash(0)],
        )
        .unwrap();
    client
        .execute(
            "SELECT FROM ext_finalize_bundle($1::text::jsonb, 'x', NULL, NULL, NULL)",
            &[&manifest("1.0.1").to_string()],
        )
        .unwrap();
    assert_eq!(row_counts(&mut client), (1, 2, 2));
}

#[test]
fn arguments_may_be_given_by_name() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .execute(
            "SELECT FROM ext_finalize_version(
                 size_bytes => 9223372036854775807, manifest => $1::text::jsonb, storage_url => 'url',
                 signature => 'signed', content_hash => $2)",
            &[&manifest("1.0.0").to_string(), &hash(0)],
        )
        .unwrap();
    client
        .execute(
            "SELECT FROM ext_finalize_bundle(
                 storage_url => 'url', signature => 'signed', declared_hash => NULL, bundle => 'x',
                 manifest => $1::text::jsonb)",
            &[&manifest("1.0.1").to_string()],
        )
        .unwrap();
    let row = client
        .query_one(
            "SELECT bool_and(signature = 'signed' AND storage_url = 'url'), max(size_bytes) FROM extension_bundle",
            &[],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, i64::MAX));
}

#[test]
fn invalid_argument_names_the_argument() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for size in [-1, i64::MIN] {
        client
            .execute(
                "SELECT FROM ext_finalize_version($1::text::jsonb, $2, size_bytes => $3)",
                &[&manifest("1.0.0").to_string(), &hash(0), &size],
            )
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_ARGUMENT")
            .with_detail("argument", "size_bytes")
            .with_message_containing("size_bytes");
    }
    assert_eq!(row_counts(&mut client), (0, 0, 0));
    client
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2, size_bytes => 0)",
            &[&manifest("1.0.0").to_string(), &hash(0)],
        )
        .unwrap();
}

#[test]
fn a_hash_is_stored_in_lower_case_with_its_prefix() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let digits = "0123456789abcdef".repeat(4);
    for (patch, given) in [
        digits.clone(),
        digits.to_uppercase(),
        format!("sha256:{digits}"),
        format!("sha256:{}", digits.to_uppercase()),
    ]
    .iter()
    .enumerate()
    {
        let published = finalize(&mut client, &manifest(&format!("1.0.{patch}")), given).unwrap();
        assert_eq!(published.content_hash, format!("sha256:{digits}"));
    }
    let row = client
        .query_one("SELECT count(*), count(DISTINCT content_hash), min(content_hash) FROM extension_bundle", &[])
        .unwrap();
    assert_eq!(
        (row.get(0), row.get(1), row.get(2)),
        (4_i64, 1_i64, format!("sha256:{digits}"))
    );
}

#[test]
fn invalid_content_hash_repeats_what_was_given() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let digits = "a".repeat(64);
    for given in [
        String::new(),
        "sha256:".to_owned(),
        "a".repeat(63),
        "a".repeat(65),
        format!("{}g", "a".repeat(63)),
        format!("sha512:{digits}"),
        format!("sha256:sha256:{digits}"),
        format!(" {digits}"),
        format!("{digits}\n"),
        format!("sha256: {digits}"),
        "é".repeat(32),
        format!("{}é", "a".repeat(62)),
        "\"}\\".to_owned(),
    ] {
        for call in [
            "ext_finalize_version($1::text::jsonb, $2)",
            "ext_finalize_bundle($1::text::jsonb, 'x', $2)",
        ] {
            let statement = format!("SELECT FROM {call}");
            client
                .execute(&statement, &[&manifest("1.0.0").to_string(), &given])
                .refused()
                .with_sqlstate("22023")
                .with_code("INVALID_CONTENT_HASH")
                .with_detail("given", given.as_str());
        }
    }
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn a_hash_without_end_is_cut_short_in_the_error() {
    let db = Server::shared().migrated_database();
    let refused = finalize(&mut db.client(), &manifest("1.0.0"), &"é".repeat(5_000_000))
        .refused()
        .with_code("INVALID_CONTENT_HASH");
    assert!(refused.detail_text.unwrap().len() < 1000);
    assert!(refused.message.len() < 1000);
}
