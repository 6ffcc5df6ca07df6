//! `ext_log_tile`: a tile of the log as a static server has it.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, answer};
use crate::ffi::Call;
use crate::log::{self, Log, checkpoint};

/// Takes level, index and, for a partial tile of an older checkpoint, the width. NULL where the latest checkpoint has no
/// such tile.
#[pg_extern(sql = false)]
fn ext_log_tile(fcinfo: pg_sys::FunctionCallInfo) -> Option<Vec<u8>> {
    answer(|| tile(Call::new(fcinfo)))
}

fn tile(call: Call) -> Result<Option<Vec<u8>>, Error> {
    let level = call.integer(0).ok_or(Error::NullArgument("level"))?;
    let index = call.bigint(1).ok_or(Error::NullArgument("index"))?;
    let width = call.integer(2).map(u16::try_from).transpose();
    let (Ok(level), Ok(index), Ok(width)) = (u8::try_from(level), u64::try_from(index), width)
    else {
        return Ok(None);
    };
    Log::of(&call)?.as_owner(|log| {
        let size = checkpoint::latest(log)?.checkpoint.size;
        log::tile(log, size, level, index, width)
    })
}

extension_sql_file!("ext_log_tile.sql", name = "ext_log_tile");
