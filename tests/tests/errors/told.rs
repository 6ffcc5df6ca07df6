//! The same error from a plain INSERT and from finalize.

use ext_registry_tests::{Database, hash, manifest};
use postgres::Client;
use serde_json::Value;

use crate::server;

/// What finalize inserts for `acme/widget` 1.0.0, where the entry is there.
pub const INSERT: &str = "WITH version AS (
    INSERT INTO extension_version
        (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, assets, created_at)
    SELECT gen_random_uuid(), id, '1.0.0', 'node@20', 'main', '{}', '[]', NULL, '[]', NULL, clock_timestamp()
    FROM extension_registry
    RETURNING id, created_at
)
INSERT INTO extension_bundle
    (id, version_id, content_hash, signature, precompiled, storage_url, size_bytes, created_at)
SELECT gen_random_uuid(), id, 'sha256:' || repeat('0', 64), 'signed', NULL, 'https://x', 7, created_at
FROM version";

/// The same by a function of ours.
pub fn finalize() -> String {
    format!(
        "SELECT FROM ext_finalize_version('{}', '{}', 'signed', 'https://x', 7)",
        manifest("1.0.0"),
        hash(0)
    )
}

/// A registry with the entry `acme/widget`, and the function `told`.
pub fn registry() -> Database<'static> {
    let db = server().migrated_database();
    prepare(&db);
    db
}

/// Puts the entry and the function into a migrated database.
pub fn prepare(db: &Database<'_>) {
    let mut client = db.client();
    client.batch_execute(include_str!("told.sql")).unwrap();
    client
        .batch_execute(
            "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')",
        )
        .unwrap();
}

/// What PL/pgSQL is told about the error of the statement.
pub fn told(client: &mut Client, statement: &str) -> Value {
    client
        .query_one("SELECT told($1)", &[&statement])
        .unwrap()
        .get(0)
}

/// Asserts that finalize tells what INSERT does, with its own lines after those of CONTEXT, and that it is this.
#[track_caller]
pub fn assert_told_alike(client: &mut Client, expected: &[(&str, &str)]) {
    let plain = told(client, INSERT);
    let ours = told(client, &finalize());
    for (field, value) in expected {
        assert_eq!(plain[*field], *value, "{field} of {plain:#}");
    }
    assert_alike(plain, ours);
}

/// The comparison alone.
#[track_caller]
pub fn assert_alike(mut plain: Value, mut ours: Value) {
    let lines = |told: &mut Value| told["inner"].take().as_str().unwrap().to_owned();
    let (inner, our_inner) = (lines(&mut plain), lines(&mut ours));
    assert_eq!(plain, ours);
    let further = our_inner.strip_prefix(&inner);
    assert!(
        further.is_some_and(|lines| lines.starts_with("SQL statement \"")),
        "{inner}\nand of ours\n{our_inner}"
    );
}
