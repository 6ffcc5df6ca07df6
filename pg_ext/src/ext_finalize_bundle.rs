//! `ext_finalize_bundle`: publishes a version whose bundle the server hashes.

use ext_registry_core::{ContentHash, Hasher};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::publish::{self, Publication, Published};

/// How much is hashed between two looks at whether the query was cancelled.
const CHUNK: usize = 1 << 20;

/// Hashes the bundle and publishes the version that the manifest names with that hash and the bundle's size.
///
/// Takes the manifest (jsonb), the bundle (bytea, not stored), and, each NULL when unknown, the hash that the bundle
/// should have, signature and storage URL. Gives the row that was stored. Errors: see [`Error`].
#[pg_extern(sql = false)]
fn ext_finalize_bundle(
    fcinfo: pg_sys::FunctionCallInfo,
) -> TableIterator<
    'static,
    (
        name!(extension_id, pgrx::Uuid),
        name!(version_id, pgrx::Uuid),
        name!(version, String),
        name!(content_hash, String),
        name!(published_at, TimestampWithTimeZone),
    ),
> {
    let published = answer(|| finalize(Call::new(fcinfo)));
    TableIterator::once(published.into_row())
}

fn finalize(call: Call) -> Result<Published, Error> {
    let manifest = publish::manifest(&call)?;
    let declared = publish::content_hash(&call, 2)?;
    let bundle = call.bytes(1).ok_or(Error::NullArgument("bundle"))?;
    let content_hash = hash(bundle);
    if let Some(declared) = declared
        && declared != content_hash
    {
        return Err(Error::HashMismatch {
            declared: declared.to_string(),
            computed: content_hash.to_string(),
        });
    }
    let size_bytes = i64::try_from(bundle.len()).ok();
    publish::publish(
        &call,
        Publication {
            manifest,
            content_hash,
            size_bytes,
            signature: 3,
            storage_url: 4,
        },
    )
}

fn hash(bundle: &[u8]) -> ContentHash {
    let mut hasher = Hasher::new();
    for chunk in bundle.chunks(CHUNK) {
        pgrx::check_for_interrupts!();
        hasher.update(chunk);
    }
    hasher.finish()
}

extension_sql_file!("ext_finalize_bundle.sql", name = "ext_finalize_bundle");
