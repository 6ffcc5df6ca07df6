//! `ext_finalize_bundle`: the server hashes the bytes.

use ext_registry_tests::{Published, Refusal, Server, finalize, hash, manifest, row_counts};
use postgres::{Client, Error};

fn finalize_bundle(
    client: &mut Client,
    version: &str,
    bundle: &[u8],
    declared: Option<&str>,
) -> Result<Published, Error> {
    let row = client.query_one(
        "SELECT extension_id, version_id, version, content_hash, published_at::text
         FROM ext_finalize_bundle($1::text::jsonb, $2, $3)",
        &[&manifest(version).to_string(), &bundle, &declared],
    )?;
    Ok(Published {
        extension_id: row.get(0),
        version_id: row.get(1),
        version: row.get(2),
        content_hash: row.get(3),
        published_at: row.get(4),
    })
}

/// Computed by Postgres itself.
fn hash_of(client: &mut Client, bundle: &[u8]) -> String {
    let row = client.query_one("SELECT 'sha256:' || encode(sha256($1), 'hex')", &[&bundle]);
    row.unwrap().get(0)
}

#[test]
fn ext_finalize_bundle_stores_hash_and_size() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let large: Vec<u8> = (0..3_000_001_u32).map(|n| (n % 251) as u8).collect();
    let million = 1 << 20;
    for (patch, bundle) in [
        &b""[..],
        &b"\0"[..],
        &b"bundle"[..],
        &large[..million],
        &large[..=million],
        &large[..],
    ]
    .iter()
    .enumerate()
    {
        let version = format!("1.0.{patch}");
        let published = finalize_bundle(&mut client, &version, bundle, None).unwrap();
        assert_eq!(published.content_hash, hash_of(&mut client, bundle));
        let row = client
            .query_one(
                "SELECT b.content_hash, b.size_bytes, v.version, v.created_at::text, v.registry_id
                 FROM extension_bundle b JOIN extension_version v ON v.id = b.version_id
                 WHERE v.id = $1",
                &[&published.version_id],
            )
            .unwrap();
        assert_eq!(row.get::<_, String>(0), published.content_hash);
        assert_eq!(row.get::<_, i64>(1), bundle.len() as i64);
        assert_eq!(row.get::<_, String>(2), version);
        assert_eq!(row.get::<_, String>(3), published.published_at);
        assert_eq!(row.get::<_, uuid::Uuid>(4), published.extension_id);
    }
}

#[test]
fn signature_and_storage_url_are_stored() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .execute(
            "SELECT FROM ext_finalize_bundle($1::text::jsonb, 'x', NULL, 'signed', 's3://bundles/1')",
            &[&manifest("1.0.0").to_string()],
        )
        .unwrap();
    let row = client
        .query_one("SELECT signature, storage_url FROM extension_bundle", &[])
        .unwrap();
    assert_eq!(
        (row.get(0), row.get(1)),
        ("signed".to_owned(), "s3://bundles/1".to_owned())
    );
}

#[test]
fn the_bytes_are_not_stored() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let sizes = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
                 WHERE relname IN ('extension_registry', 'extension_version', 'extension_bundle')";
    finalize_bundle(&mut client, "1.0.0", b"x", None).unwrap();
    let before: i64 = client.query_one(sizes, &[]).unwrap().get(0);
    let noise: Vec<u8> = (0..4_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    finalize_bundle(&mut client, "1.0.1", &noise, None).unwrap();
    let after: i64 = client.query_one(sizes, &[]).unwrap().get(0);
    assert!(after - before < 200_000, "{before} {after}");
}

#[test]
fn compressed_and_toasted_bundles_are_hashed_as_they_are_read() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(
            "CREATE TABLE upload (n int, bytes bytea);
             ALTER TABLE upload ALTER bytes SET STORAGE EXTENDED;
             INSERT INTO upload VALUES (0, decode(repeat('ab', 1000000), 'hex'));
             ALTER TABLE upload ALTER bytes SET STORAGE EXTERNAL;
             INSERT INTO upload VALUES (1, decode(repeat('cd', 1000000), 'hex')), (2, 'short')",
        )
        .unwrap();
    let rows = client
        .query(
            "SELECT f.content_hash, 'sha256:' || encode(sha256(u.bytes), 'hex')
             FROM upload u, ext_finalize_bundle(
                 $1::text::jsonb || jsonb_build_object('version', '1.0.' || u.n), u.bytes) f",
            &[&manifest("").to_string()],
        )
        .unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row.get::<_, String>(0), row.get::<_, String>(1));
    }
}

#[test]
fn a_declared_hash_that_is_right_passes_in_every_form() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let hash = hash_of(&mut client, b"bundle");
    let digits = hash.strip_prefix("sha256:").unwrap();
    for (patch, declared) in [
        hash.clone(),
        digits.to_owned(),
        digits.to_uppercase(),
        format!("sha256:{}", digits.to_uppercase()),
    ]
    .iter()
    .enumerate()
    {
        let version = format!("1.0.{patch}");
        let published = finalize_bundle(&mut client, &version, b"bundle", Some(declared)).unwrap();
        assert_eq!(published.content_hash, hash);
    }
}

#[test]
fn hash_mismatch_names_both_and_stores_nothing() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let computed = hash_of(&mut client, b"bundle");
    let declared = hash(0xABC).to_uppercase();
    finalize_bundle(&mut client, "1.0.0", b"bundle", Some(&declared[7..]))
        .refused()
        .with_sqlstate("22023")
        .with_code("HASH_MISMATCH")
        .with_detail("declared", hash(0xABC))
        .with_detail("computed", computed);
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn a_duplicate_is_refused_whichever_function_published_it() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let hashed = hash_of(&mut client, b"bundle");
    let first = finalize_bundle(&mut client, "1.0.0", b"bundle", None).unwrap();
    for (bundle, same_content) in [(&b"bundle"[..], true), (&b"other"[..], false)] {
        let refused = finalize_bundle(&mut client, "1.0.0", bundle, None)
            .refused()
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("same_content", same_content)
            .with_table("public", "extension_version")
            .with_constraint("extension_version_registry_id_version_unique");
        let existing = &refused.detail["existing"];
        assert_eq!(existing["version_id"], first.version_id.to_string());
        assert_eq!(existing["content_hash"], hashed);
    }
    finalize(&mut client, &manifest("1.0.0"), &hashed)
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", true);
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn publishing_can_be_cancelled() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    // Far more than there is time for.
    client
        .batch_execute("SET statement_timeout = '50ms'")
        .unwrap();
    client
        .execute(
            "SELECT FROM generate_series(1, 1000000) n, ext_finalize_bundle(
                 $1::text::jsonb || jsonb_build_object('version', '1.0.' || n), decode(repeat('00', 1000), 'hex'))",
            &[&manifest("").to_string()],
        )
        .refused()
        .with_sqlstate("57014");
    client.batch_execute("RESET statement_timeout").unwrap();
    assert_eq!(row_counts(&mut client), (0, 0, 0));
    finalize_bundle(&mut client, "1.0.1", b"x", None).unwrap();
}
