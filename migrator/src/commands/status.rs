use crate::cli::StatusArgs;
use crate::commands::Context;
use crate::error::{Error, Exit};

pub fn run(_context: &Context, _args: &StatusArgs) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
