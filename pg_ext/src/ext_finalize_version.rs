//! `ext_finalize_version`: publishes a version whose content hash the caller knows.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::publish::{self, Publication, Published};

/// Publishes the version that the manifest names, with its one bundle, in the caller's transaction.
///
/// Takes the manifest (jsonb), the content hash (64 hex digits, with or without `sha256:`), and, each NULL when
/// unknown, signature, storage URL and size in bytes. Gives the row that was stored. Errors: see [`Error`].
#[pg_extern(sql = false)]
fn ext_finalize_version(
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
    let content_hash =
        publish::content_hash(&call, 1)?.ok_or(Error::NullArgument("content_hash"))?;
    let size_bytes = call.bigint(4);
    if size_bytes.is_some_and(|size| size < 0) {
        return Err(Error::InvalidArgument {
            argument: "size_bytes",
            reason: "a size is not negative",
        });
    }
    publish::publish(
        &call,
        Publication {
            manifest,
            content_hash,
            size_bytes,
            signature: 2,
            storage_url: 3,
        },
    )
}

extension_sql_file!("ext_finalize_version.sql", name = "ext_finalize_version");
