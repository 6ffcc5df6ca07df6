use crate::commands::Context;
use crate::error::{Error, Exit};

pub fn run(_context: &Context) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
