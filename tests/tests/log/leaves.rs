//! Leaf hashes: those of the server, of SQL alone, and those that are documented.

use ext_registry_tests::{Database, Refusal, Server, publish};
use postgres::Client;
use uuid::Uuid;

use crate::world::{leaves, seal, verify};

type Leaves = Vec<(Uuid, Option<Uuid>, Vec<u8>)>;

/// Old rows with all that old tables hold, some of which no one would publish today.
const ODD: &str = r#"
    SET session_replication_role = replica;
    INSERT INTO extension_registry (id, publisher, name) VALUES
        ('0190a5c4-7d2e-7000-8000-000000000001', 'acme', E'wid\u00e9get \U0001F600'),
        ('0190a5c4-7d2e-7000-8000-000000000002', E'tab\there', E'quote" back\\slash \u0001 \u007f \u2028');
    INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, api, ui, capabilities, assets, created_at, adopted)
    SELECT gen_random_uuid(), '0190a5c4-7d2e-7000-8000-000000000002', n::text, '', E'\b\f\n\r\t', a::jsonb, u::jsonb, c::jsonb, s::jsonb, t::timestamptz, true
    FROM (VALUES
        (1, '{}', NULL, '[]', NULL, NULL),
        (2, '{"a": 1e400}', 'null', '"x"', '[null]', 'infinity'),
        (3, '0.10', '{"b": "\u001f\ud83d\ude00"}', '{}', '{"z": 1, "a": 2}', '-infinity'),
        (4, '[]', '"\\"', 'true', '[1.00]', '294276-12-31 23:59:59.999999Z'),
        (5, '[]', '[]', '[]', '[]', '4714-11-24 00:00:00Z BC'),
        (6, '[]', '[]', '[]', '[]', '1969-12-31 23:59:59.999999Z'),
        (7, '[]', '[]', '[]', '[]', '2000-01-01 00:00:00Z')
    ) odd (n, a, u, c, s, t);
    INSERT INTO extension_bundle (id, version_id, content_hash, signature, precompiled, storage_url, size_bytes, created_at, adopted)
    SELECT gen_random_uuid(), v.id, h.hash, h.signature, h.precompiled::jsonb, h.url, h.size, v.created_at, true
    FROM extension_version v
    CROSS JOIN (VALUES
        ('OLD', NULL, NULL, NULL, NULL),
        ('', E'line\nbreak', '{"a": {}}', E'\u2029', -9223372036854775808),
        (' ', '', 'null', '', 9223372036854775807)
    ) h (hash, signature, precompiled, url, size);
    RESET session_replication_role;"#;

fn by_sql(client: &mut Client) -> Leaves {
    let mut found: Leaves = client
        .query(include_str!("leaves.sql"), &[])
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    found.sort();
    found
}

/// Version, bundle, hash and index of a leaf.
type Receipt = (Uuid, Option<Uuid>, Vec<u8>, Option<i64>);

/// What `ext_version_leaf` gives for every version, and the index of each leaf.
fn receipts(client: &mut Client) -> (Leaves, Vec<Option<i64>>) {
    let mut found: Vec<Receipt> = client
        .query(
            "SELECT v.id, l.bundle_id, l.leaf_hash, l.leaf_index
             FROM extension_version v, ext_version_leaf(v.id) l",
            &[],
        )
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|(version, bundle, hash, index)| ((version, bundle, hash), index))
        .unzip()
}

#[track_caller]
fn assert_all_agree(client: &mut Client, count: usize) {
    let expected = by_sql(client);
    assert_eq!(expected.len(), count);
    let (before, indices) = receipts(client);
    assert_eq!(before, expected);
    assert_eq!(indices, vec![None; count]);
    assert_eq!(seal(client).appended, count as i64);
    let mut sealed = leaves(client);
    sealed.sort();
    assert_eq!(sealed, expected);
    let (after, mut indices) = receipts(client);
    assert_eq!(after, expected);
    indices.sort();
    assert_eq!(indices, (0..count as i64).map(Some).collect::<Vec<_>>());
    assert_eq!(verify(client), Vec::<String>::new());
}

#[test]
fn sql_alone_computes_the_same_for_every_row() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client.batch_execute(ODD).unwrap();
    for version in ["1.0.0", "2.0.0"] {
        publish(&mut client, version);
    }
    assert_all_agree(&mut client, 7 + 7 * 3 + 4);
}

/// No setting of a session changes what is hashed.
#[test]
fn settings_make_no_difference() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client.batch_execute(ODD).unwrap();
    let (expected, _) = receipts(&mut client);
    let mut other = db.client();
    other
        .batch_execute(
            "SET DateStyle = 'German'; SET TimeZone = 'Asia/Tokyo'; SET bytea_output = 'escape';
             SET extra_float_digits = -15; SET IntervalStyle = 'sql_standard'; SET search_path = public, pg_catalog;
             SET standard_conforming_strings = off; SET enable_hashjoin = off; SET enable_mergejoin = off",
        )
        .unwrap();
    assert_eq!(receipts(&mut other).0, expected);
    seal(&mut other);
    assert_eq!(verify(&mut other), Vec::<String>::new());
    assert_eq!(verify(&mut client), Vec::<String>::new());
}

#[test]
fn the_documented_rows_have_the_documented_hashes() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(
            r#"SET session_replication_role = replica;
            INSERT INTO extension_registry (id, publisher, name) VALUES
                ('0190a5c4-7d2e-7000-8000-000000000001', 'acme', E'wid\u00e9get \U0001F600');
            INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, created_at, adopted) VALUES
                ('0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e4f', '0190a5c4-7d2e-7000-8000-000000000001', '1.0.0', 'node@20', 'index.html',
                 '{"endpoints":[]}', '[]', '{"entry":"index.html","type":"iframe"}', '["net"]', '2026-06-22 12:00:00.123456Z', true);
            INSERT INTO extension_bundle (id, version_id, content_hash, signature, size_bytes, created_at, adopted) VALUES
                ('0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e50', '0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e4f',
                 'sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
                 E'line\nbreak\t"quoted" \\ \u001f', 9223372036854775807, NULL, true);
            RESET session_replication_role;"#,
        )
        .unwrap();
    let row = client
        .query_one(
            "SELECT string_agg(encode(leaf_hash, 'hex'), ' '), max(extract(epoch FROM v.created_at))::text
             FROM extension_version v, ext_version_leaf(v.id)",
            &[],
        )
        .unwrap();
    assert_eq!(
        row.get::<_, &str>(0),
        "97ef4bfb2027a00d1f6cbf7783ac834c7b61b3dbbbcb6fbc7dc275a46c66a6df \
         a9d5e447c2b118a9daa51527438e7701f8e1bd530b3fe7b5154135c5f1938903",
        "{}",
        row.get::<_, &str>(1)
    );
    let document =
        std::fs::read_to_string(ext_registry_tests::workspace_root().join("doc/log.md")).unwrap();
    for hash in row.get::<_, &str>(0).split(' ') {
        assert!(document.contains(hash), "{hash}");
    }
    let query = include_str!("leaves.sql").split_once('\n').unwrap().1;
    assert!(
        document.contains(query),
        "doc/log.md does not have the query of leaves.sql"
    );
}

#[test]
fn nobody_has_the_leaf_of_nothing() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let unknown = client
        .query("SELECT * FROM ext_version_leaf(gen_random_uuid())", &[])
        .unwrap();
    assert!(unknown.is_empty());
    client
        .query("SELECT * FROM ext_version_leaf(NULL)", &[])
        .refused()
        .with_sqlstate("22004")
        .with_code("NULL_ARGUMENT");
}

fn in_encoding(encoding: &str) -> Database<'static> {
    let db = Server::shared().database_with(&format!(
        "TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
    ));
    db.ext_migrate(&["up"]).succeeded();
    db
}

/// The hash is of the characters, not of the bytes that a database keeps for them.
#[test]
fn the_encoding_of_the_database_makes_no_difference() {
    let row = |db: &Database<'_>| {
        let mut client = db.client();
        client
            .batch_execute(
                r#"SET session_replication_role = replica;
                INSERT INTO extension_registry (id, publisher, name) VALUES
                    ('0190a5c4-7d2e-7000-8000-000000000001', 'søren', 'größe');
                INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, api, created_at, adopted) VALUES
                    ('0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e4f', '0190a5c4-7d2e-7000-8000-000000000001', '1.0.0', 'é', 'ü',
                     '{"å": "é"}', '2026-06-22Z', true);
                RESET session_replication_role;"#,
            )
            .unwrap();
        seal(&mut client);
        assert_eq!(verify(&mut client), Vec::<String>::new());
        leaves(&mut client)
    };
    let utf8 = row(&Server::shared().migrated_database());
    for encoding in ["LATIN1", "WIN1252", "SQL_ASCII"] {
        assert_eq!(row(&in_encoding(encoding)), utf8, "{encoding}");
    }
}

/// Bytes that are no characters do not stop the log, and a change of them is found.
#[test]
fn text_without_characters_is_hashed_as_bytes() {
    for encoding in ["SQL_ASCII", "WIN1252"] {
        let db = in_encoding(encoding);
        let mut client = db.client();
        let insert = r"SET session_replication_role = replica;
            INSERT INTO extension_registry (id, publisher, name) VALUES ('0190a5c4-7d2e-7000-8000-000000000001', 'a', 'b');
            INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, adopted) VALUES
                ('0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e4f', '0190a5c4-7d2e-7000-8000-000000000001', '1.0.0', 'r', 'm', true);
            INSERT INTO extension_bundle (id, version_id, content_hash, signature, adopted) VALUES
                (gen_random_uuid(), '0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e4f', 'h', convert_from('\x4181', getdatabaseencoding()), true)";
        client.batch_execute(insert).unwrap();
        assert_eq!(seal(&mut client).appended, 2, "{encoding}");
        assert_eq!(verify(&mut client), Vec::<String>::new());
        client
            .batch_execute(
                r"ALTER TABLE extension_bundle DISABLE TRIGGER USER;
                UPDATE extension_bundle SET signature = convert_from('\x4181', getdatabaseencoding()) || '1'",
            )
            .unwrap();
        let findings = verify(&mut client);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("CHANGED "), "{findings:?}");
    }
}
