//! One call of a finalize function, its texts as bytes in the encoding of the database.

use postgres::types::ToSql;
use postgres::{Client, Error, Row};

/// The arguments; `None` is NULL.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub manifest: Option<Vec<u8>>,
    pub hash: Option<Vec<u8>>,
    pub signature: Option<Vec<u8>>,
    pub storage_url: Option<Vec<u8>>,
    pub size: Option<i64>,
    /// Calls `ext_finalize_bundle`, with these bytes or NULL.
    pub bundle: Option<Option<Vec<u8>>>,
}

/// The texts as arguments. In the database's own encoding nothing is converted: what no client could send in UTF-8
/// arrives too.
const TEXTS: &str = "SELECT convert_from($1::bytea, getdatabaseencoding())::jsonb AS manifest,
    convert_from($2::bytea, getdatabaseencoding()) AS hash,
    convert_from($3::bytea, getdatabaseencoding()) AS signature,
    convert_from($4::bytea, getdatabaseencoding()) AS storage_url";

impl Call {
    /// Publishes this manifest with some hash.
    pub fn of(manifest: impl Into<Vec<u8>>) -> Self {
        Self {
            manifest: Some(manifest.into()),
            hash: Some(vec![b'a'; 64]),
            ..Self::default()
        }
    }

    /// Makes the call; the row has extension, version and version id as they were returned.
    pub fn make(&self, client: &mut Client) -> Result<Row, Error> {
        let (function, last): (_, &(dyn ToSql + Sync)) = match &self.bundle {
            Some(bundle) => (
                "ext_finalize_bundle(manifest, $5, hash, signature, storage_url)",
                bundle,
            ),
            None => (
                "ext_finalize_version(manifest, hash, signature, storage_url, $5)",
                &self.size,
            ),
        };
        client.query_one(
            &format!(
                "SELECT p.extension_id, p.version_id, convert_to(p.version, getdatabaseencoding()), p.content_hash,
                        p.published_at::text
                 FROM ({TEXTS}) given, {function} p"
            ),
            &[&self.manifest, &self.hash, &self.signature, &self.storage_url, last],
        )
    }

    /// The SQLSTATE with which PostgreSQL refuses the arguments themselves, without any function of ours.
    pub fn refused_before(&self, client: &mut Client) -> Option<String> {
        let error = client
            .query_one(
                &format!("SELECT manifest IS NULL, hash IS NULL, signature IS NULL, storage_url IS NULL FROM ({TEXTS}) given"),
                &[&self.manifest, &self.hash, &self.signature, &self.storage_url],
            )
            .err()?;
        Some(error.as_db_error()?.code().code().to_owned())
    }
}
