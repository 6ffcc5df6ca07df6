use crate::cli::GrantArgs;
use crate::commands::Context;
use crate::error::{Error, Exit};

pub fn run(_context: &Context, _args: &GrantArgs) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
