//! One file per command.

pub mod audit;
pub mod check;
pub mod distribute;
pub mod documents;
pub mod export_tiles;
pub mod grant;
pub mod plan;
pub mod seal;
pub mod status;
pub mod up;

use crate::cli::Common;
use crate::error::Error;
use crate::migrations::{Migration, Migrations};
use crate::output::Output;
use crate::schema::Schema;
use crate::session::Session;

/// What every command starts from.
pub struct Context {
    pub options: Common,
    pub output: Output,
    migrations: Migrations,
}

impl Context {
    pub fn new(options: &Common, migrations: Migrations) -> Self {
        Self {
            migrations,
            options: options.clone(),
            output: Output::new(options.format, options.verbose),
        }
    }

    /// Errors with exit code 2 where an extension script cannot carry the name.
    pub fn schema(&self) -> Result<Schema, Error> {
        Schema::new(&self.options.schema)
    }

    /// The migrations, by version.
    pub fn migrations(&self, schema: &Schema) -> Result<Vec<Migration>, Error> {
        self.migrations.in_schema(schema)
    }

    /// Opens a session. Errors with exit code 7.
    pub fn connect(&self) -> Result<Session, Error> {
        Session::open(self.options.database_url.as_deref(), self.output)
    }
}
