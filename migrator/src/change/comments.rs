//! The comments on tables, columns, constraints, indexes and triggers: written where there is none. Not a migration:
//! that could not leave alone what somebody has written on the tables of an older schema.

use super::proof::Proof;
use super::{As, Runner};
use crate::error::{Doing, Error};
use crate::schema::Schema;

/// Gives a statement for each comment that is missing; `$1` is the name of the schema.
const MISSING: &str = include_str!("../../../sql/comments.sql");

const DOING: &str = "commenting on the tables";

impl Runner<'_> {
    /// Writes the comments that are missing, if any.
    ///
    /// # Errors
    /// As for [`Runner::transaction`].
    pub fn comment(&mut self) -> Result<Option<Proof>, Error> {
        let rows = self
            .session
            .client
            .query(MISSING, &[&self.schema.name()])
            .doing(DOING)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let statements: Vec<String> = rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()
            .doing(DOING)?;
        let sql = statements.join(";\n");
        self.transaction(DOING, As::Owner, |transaction| {
            transaction.batch_execute(&sql)
        })
        .map(Some)
    }
}

/// The same for psql, which runs what the query gives.
pub fn script(schema: &Schema) -> String {
    // The name of a schema has neither ' nor \.
    let name = format!("'{}'", schema.name());
    let query = MISSING.trim_end().replace("$1", &name);
    format!("{query} \\gexec")
}
