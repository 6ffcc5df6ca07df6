use crate::cli::UpArgs;
use crate::commands::Context;
use crate::error::{Error, Exit};

pub fn run(_context: &Context, _args: &UpArgs) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
