//! `ext_inclusion_proof`: proves that a leaf is in the log.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::log::{self, Log, prove};

/// Takes the index of the leaf and the size of a sealed tree, the latest where it is NULL. Gives the proof of RFC 6962,
/// the leaf's sibling first.
#[pg_extern(sql = false)]
fn ext_inclusion_proof(fcinfo: pg_sys::FunctionCallInfo) -> Vec<Vec<u8>> {
    answer(|| proof(Call::new(fcinfo)))
}

fn proof(call: Call) -> Result<Vec<Vec<u8>>, Error> {
    let index = call.bigint(0).ok_or(Error::NullArgument("leaf_index"))?;
    let size = call.bigint(1);
    let proof = Log::of(&call)?.as_owner(|log| prove::inclusion(log, index, size))?;
    Ok(log::bytes(proof))
}

extension_sql_file!("ext_inclusion_proof.sql", name = "ext_inclusion_proof");
