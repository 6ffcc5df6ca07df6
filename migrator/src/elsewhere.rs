//! Refuses to begin a second registry beside tables that could be adopted.

use postgres::GenericClient;

use crate::error::{Doing, Error};
use crate::schema::Schema;

const DOING: &str = "looking for tables in other schemas";

/// Errors with [`Error::SecondSchema`] where another schema holds all four tables and this one none: most likely
/// `--schema` was forgotten, and the tables in use would stay unguarded.
pub fn refuse_tables_elsewhere(
    client: &mut impl GenericClient,
    schema: &Schema,
) -> Result<(), Error> {
    let row = client
        .query_opt(
            "WITH found AS ( \
                 SELECT n.nspname, count(*) AS number \
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' \
                   AND c.relname IN ('extension_registry', 'extension_version', 'extension_bundle', \
                                     'tenant_extension_install') \
                 GROUP BY n.nspname \
             ) \
             SELECT nspname::text FROM found \
             WHERE number = 4 AND NOT EXISTS (SELECT FROM found WHERE nspname = $1) \
             ORDER BY nspname LIMIT 1",
            &[&schema.name()],
        )
        .doing(DOING)?;
    match row {
        None => Ok(()),
        Some(row) => Err(Error::SecondSchema {
            other: row.try_get(0).doing(DOING)?,
        }),
    }
}
