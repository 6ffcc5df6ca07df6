//! `ext_consistency_proof`: proves that the log has only been appended to between two checkpoints.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::log::{self, Log, prove};

/// Takes the sizes of two sealed trees, the later one the latest where it is NULL. Gives the proof of RFC 6962, empty
/// where both are the same or the older is empty.
#[pg_extern(sql = false)]
fn ext_consistency_proof(fcinfo: pg_sys::FunctionCallInfo) -> Vec<Vec<u8>> {
    answer(|| proof(Call::new(fcinfo)))
}

fn proof(call: Call) -> Result<Vec<Vec<u8>>, Error> {
    let old = call.bigint(0).ok_or(Error::NullArgument("old_size"))?;
    let new = call.bigint(1);
    let proof = Log::of(&call)?.as_owner(|log| prove::consistency(log, old, new))?;
    Ok(log::bytes(proof))
}

extension_sql_file!("ext_consistency_proof.sql", name = "ext_consistency_proof");
