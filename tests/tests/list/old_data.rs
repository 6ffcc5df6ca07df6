//! Rows that only a database from before the guards has.

use ext_registry_tests::Database;
use uuid::Uuid;

/// An old version of [`EXTENSION`].
pub struct OldVersion<'a> {
    pub id: u128,
    pub version: &'a str,
    /// SQL: `NULL`, `'2020-01-01'`, …
    pub created_at: &'a str,
    /// Hash and SQL of the time of each bundle.
    pub bundles: &'a [(&'a str, &'a str)],
}

/// The extension that old versions belong to.
pub const EXTENSION: Uuid = Uuid::from_u128(0xE);

/// Writes them as restore and replication do: marked as adopted.
pub fn bring(db: &Database<'_>, versions: &[OldVersion<'_>]) {
    let mut statements = format!(
        "SET session_replication_role = replica;
         INSERT INTO extension_registry (id, publisher, name) VALUES ('{EXTENSION}', 'acme', 'widget')
         ON CONFLICT DO NOTHING;"
    );
    for old in versions {
        statements.push_str(&format!(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at, adopted)
             VALUES ('{}', '{EXTENSION}', '{}', 'old', 'main', {}, true);",
            Uuid::from_u128(old.id),
            old.version,
            old.created_at
        ));
        for (hash, created_at) in old.bundles {
            statements.push_str(&format!(
                "INSERT INTO extension_bundle (id, version_id, content_hash, created_at, adopted)
                 VALUES (gen_random_uuid(), '{}', '{hash}', {created_at}, true);",
                Uuid::from_u128(old.id)
            ));
        }
    }
    db.client().batch_execute(&statements).unwrap();
}
