//! `ext_log_checkpoint`: a checkpoint of the log as a signed note.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::log::Log;
use crate::log::checkpoint::{self, Stored};

/// Takes the size of a sealed tree; the latest where it is NULL.
#[pg_extern(sql = false)]
fn ext_log_checkpoint(
    fcinfo: pg_sys::FunctionCallInfo,
) -> TableIterator<
    'static,
    (
        name!(origin, String),
        name!(tree_size, i64),
        name!(root, Vec<u8>),
        name!(sealed_at, TimestampWithTimeZone),
        name!(note, String),
    ),
> {
    let (found, note) = answer(|| find(Call::new(fcinfo)));
    TableIterator::once((
        found.checkpoint.origin,
        found.checkpoint.size as i64,
        found.checkpoint.root.as_bytes().to_vec(),
        found.sealed_at,
        note,
    ))
}

fn find(call: Call) -> Result<(Stored, String), Error> {
    let size = call.bigint(0);
    Log::of(&call)?.as_owner(|log| {
        let found = checkpoint::of_size(log, size, "tree_size")?;
        let note = checkpoint::note(log, &found.checkpoint)?;
        Ok((found, note))
    })
}

extension_sql_file!("ext_log_checkpoint.sql", name = "ext_log_checkpoint");
