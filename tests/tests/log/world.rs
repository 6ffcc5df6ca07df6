//! What the tests of the log do again and again.

use ct_merkle::RootHash;
use postgres::{Client, GenericClient};
use sha2::Sha256;
use uuid::Uuid;

/// The row of `ext_seal_log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub origin: String,
    pub size: i64,
    pub root: Vec<u8>,
    pub appended: i64,
    pub note: String,
}

pub fn try_seal(client: &mut impl GenericClient) -> Result<Seal, postgres::Error> {
    let row = client.query_one("SELECT * FROM ext_seal_log()", &[])?;
    Ok(Seal {
        origin: row.get("origin"),
        size: row.get("tree_size"),
        root: row.get("root"),
        appended: row.get("appended"),
        note: row.get("note"),
    })
}

#[track_caller]
pub fn seal(client: &mut impl GenericClient) -> Seal {
    try_seal(client).expect("the log can be sealed")
}

impl Seal {
    /// For the other implementation.
    pub fn their_root(&self) -> RootHash<Sha256> {
        let digest: [u8; 32] = self.root[..].try_into().unwrap();
        RootHash::new(digest.into(), self.size as u64)
    }
}

/// The findings of `ext_verify_log`, each as `FINDING message`.
#[track_caller]
pub fn verify(client: &mut Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT finding || ' ' || message FROM ext_verify_log()",
            &[],
        )
        .expect("the log can be verified");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Leaves in their order: version, bundle, hash.
pub fn leaves(client: &mut Client) -> Vec<(Uuid, Option<Uuid>, Vec<u8>)> {
    let rows = client
        .query(
            "SELECT version_id, bundle_id, leaf_hash FROM extension_log_leaf ORDER BY leaf_index",
            &[],
        )
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// Publishes `count` versions of `acme/widget` in one statement, with the numbers from `first` on.
pub fn publish_many(client: &mut Client, first: i32, count: i32) {
    client
        .execute(
            "SELECT ext_finalize_version(
                 jsonb_build_object('publisher', 'acme', 'name', 'widget', 'version', n || '.0.0', 'runtime', 'node@20'),
                 lpad(n::text, 64, '0'), 'signature ' || n, 'https://example.com/' || n, n)
             FROM generate_series($1::int, $1 + $2::int - 1) n",
            &[&first, &count],
        )
        .unwrap();
}
