//! One migration and its row in refinery's table.

use postgres::Transaction;

use super::distribution::guards;
use super::proof::Proof;
use super::{As, Runner};
use crate::error::Error;
use crate::migrations::Migration;
use crate::schema::Schema;
use crate::situation::history::TABLE;

impl Runner<'_> {
    /// One migration and its history row: both or neither.
    ///
    /// Statement by statement, because Citus hands on the whole text of what it was sent. Where the tables are
    /// `distributed`, guards' functions that were replaced are those for shards again before anybody sees others.
    pub fn migrate(&mut self, migration: &Migration, distributed: bool) -> Result<Proof, Error> {
        let schema = self.schema;
        let step = migration.file();
        self.transaction(&step, As::Owner, |transaction| {
            for statement in migration.each_statement() {
                transaction.batch_execute(statement)?;
            }
            if distributed {
                transaction.batch_execute(&guards(schema))?;
            }
            record(transaction, schema, migration)
        })
    }
}

/// Creates the table as refinery does.
pub fn create(transaction: &mut Transaction, schema: &Schema) -> Result<(), postgres::Error> {
    transaction.batch_execute(&create_sql(schema))
}

/// Records a migration as refinery does, by the server's clock.
pub fn record(
    transaction: &mut Transaction,
    schema: &Schema,
    migration: &Migration,
) -> Result<(), postgres::Error> {
    transaction.batch_execute(&record_sql(schema, migration))
}

/// The statement of [`create`].
pub fn create_sql(schema: &Schema) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{TABLE} (\
             version int4 PRIMARY KEY, \
             name varchar(255), \
             applied_on varchar(255), \
             checksum varchar(255))",
        schema.quoted()
    )
}

/// The statement of [`record`].
pub fn record_sql(schema: &Schema, migration: &Migration) -> String {
    format!(
        "INSERT INTO {}.{TABLE} (version, name, applied_on, checksum) VALUES ({}, '{}', \
         pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
         '{}')",
        schema.quoted(),
        migration.version,
        migration.name.replace('\'', "''"),
        migration.checksum
    )
}
