//! Publishing and listing as the tests do it again and again.

use postgres::{Error, GenericClient};
use serde_json::{Value, json};
use uuid::Uuid;

/// The row that a finalize function returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub extension_id: Uuid,
    pub version_id: Uuid,
    pub version: String,
    pub content_hash: String,
    /// As Postgres prints it, with all its microseconds.
    pub published_at: String,
}

/// A row of `ext_list_versions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub version_id: Uuid,
    pub version: String,
    pub published_at: Option<String>,
    pub content_hash: Option<String>,
    pub installed: bool,
    pub bundle_count: i32,
}

/// The smallest valid manifest of a version of `acme/widget`.
#[must_use]
pub fn manifest(version: &str) -> Value {
    manifest_of("widget", version)
}

/// The same for `acme/<name>`.
#[must_use]
pub fn manifest_of(name: &str, version: &str) -> Value {
    json!({"publisher": "acme", "name": name, "version": version, "runtime": "node@20"})
}

/// A content hash as it is stored; another number, another hash.
#[must_use]
pub fn hash(number: usize) -> String {
    format!("sha256:{number:064x}")
}

/// Calls `ext_finalize_version(manifest, content_hash)`, found through the `search_path`.
///
/// # Errors
/// What the server answers.
pub fn finalize(
    client: &mut impl GenericClient,
    manifest: &Value,
    content_hash: &str,
) -> Result<Published, Error> {
    // As text: a jsonb parameter could not hold every number that jsonb can.
    let row = client.query_one(
        "SELECT extension_id, version_id, version, content_hash, published_at::text
         FROM ext_finalize_version($1::text::jsonb, $2)",
        &[&manifest.to_string(), &content_hash],
    )?;
    Ok(Published {
        extension_id: row.get(0),
        version_id: row.get(1),
        version: row.get(2),
        content_hash: row.get(3),
        published_at: row.get(4),
    })
}

/// Publishes a version of `acme/widget` whose hash is [`hash`]`(0)`.
///
/// # Panics
/// When it is refused.
#[track_caller]
pub fn publish(client: &mut impl GenericClient, version: &str) -> Published {
    finalize(client, &manifest(version), &hash(0)).expect("the version is new")
}

/// Calls `ext_list_versions` and gives its rows in its order.
///
/// # Errors
/// What the server answers.
pub fn list(
    client: &mut impl GenericClient,
    extension_id: Uuid,
    tenant_id: Option<&str>,
) -> Result<Vec<Listed>, Error> {
    let rows = client.query(
        "SELECT version_id, version, published_at::text, content_hash, installed, bundle_count
         FROM ext_list_versions($1, $2)",
        &[&extension_id, &tenant_id],
    )?;
    Ok(rows
        .iter()
        .map(|row| Listed {
            version_id: row.get(0),
            version: row.get(1),
            published_at: row.get(2),
            content_hash: row.get(3),
            installed: row.get(4),
            bundle_count: row.get(5),
        })
        .collect())
}

/// How many rows registry, versions and bundles have.
///
/// # Panics
/// When the tables cannot be read.
#[track_caller]
pub fn row_counts(client: &mut impl GenericClient) -> (i64, i64, i64) {
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM extension_registry),
                    (SELECT count(*) FROM extension_version),
                    (SELECT count(*) FROM extension_bundle)",
            &[],
        )
        .expect("the tables can be read");
    (row.get(0), row.get(1), row.get(2))
}

/// Asserts that the database has neither tables nor history of ours.
///
/// # Panics
/// When it has.
#[track_caller]
pub fn assert_nothing_is_there(client: &mut impl GenericClient) {
    let row = client
        .query_one(
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'extension\\_%' OR relname LIKE 'ext_registry%'",
            &[],
        )
        .expect("the catalog can be read");
    assert_eq!(row.get::<_, i64>(0), 0);
}
