//! `ext_sign_checkpoint`: keeps a signature of a checkpoint, which its note then carries.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::{self, Call};
use crate::log::{Log, sign};

/// Takes the size of the checkpoint and the line of the signed note. Its form is checked, not the signature: whoever
/// reads the note does that, with a key that the database has no say in.
#[pg_extern(sql = false)]
fn ext_sign_checkpoint(fcinfo: pg_sys::FunctionCallInfo) {
    answer(|| store(Call::new(fcinfo)));
}

fn store(call: Call) -> Result<(), Error> {
    ffi::refuse_read_only(c"ext_sign_checkpoint()");
    let size = call.bigint(0).ok_or(Error::NullArgument("tree_size"))?;
    let line = sign::line(call.bytes(1).ok_or(Error::NullArgument("line"))?)?;
    Log::of(&call)?.as_owner(|log| sign::sign(log, size, line))
}

extension_sql_file!("ext_sign_checkpoint.sql", name = "ext_sign_checkpoint");
