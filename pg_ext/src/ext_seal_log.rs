//! `ext_seal_log`: appends to the log what has been published since the last time.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::log::Log;
use crate::log::seal::{self, Sealed};

/// Appends every committed version and bundle that is not yet in the log, and writes a checkpoint.
///
/// Takes the log's origin, which counts the first time only. Gives the latest checkpoint and how much was appended.
#[pg_extern(sql = false)]
fn ext_seal_log(
    fcinfo: pg_sys::FunctionCallInfo,
) -> TableIterator<
    'static,
    (
        name!(origin, String),
        name!(tree_size, i64),
        name!(root, Vec<u8>),
        name!(appended, i64),
        name!(note, String),
    ),
> {
    let Sealed {
        latest,
        note,
        appended,
    } = answer(|| sealed(Call::new(fcinfo)));
    TableIterator::once((
        latest.origin,
        latest.size as i64,
        latest.root.as_bytes().to_vec(),
        appended,
        note,
    ))
}

fn sealed(call: Call) -> Result<Sealed, Error> {
    seal::refuse_read_only();
    let origin = seal::origin(call.bytes(0))?;
    Log::of(&call)?.as_owner(|log| seal::seal(log, origin))
}

extension_sql_file!("ext_seal_log.sql", name = "ext_seal_log");
