use crate::cli::PlanArgs;
use crate::commands::Context;
use crate::error::{Error, Exit};

pub fn run(_context: &Context, _args: &PlanArgs) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
