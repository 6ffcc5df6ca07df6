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

use postgres::Transaction;

use crate::cli::Common;
use crate::error::Error;
use crate::holders::{InTheWayOf, holders};
use crate::migrations::{Migration, Migrations};
use crate::output::Output;
use crate::schema::Schema;
use crate::session::Session;
use crate::situation::Situation;
use crate::wanted::{Catalog, Purpose, Verdict};

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

    /// Where a lock was not to be had, says who holds it. The session that found out is closed by now.
    pub fn name_holders(&self, error: Error) -> Error {
        let Error::Database { doing: step, .. } = &error else {
            return error;
        };
        if !error.is_lock_refused() {
            return error;
        }
        let look = || {
            let mut session = self.connect()?;
            let (client, schema) = (&mut session.client, self.schema()?);
            match holders(client, &schema, InTheWayOf::Reading)? {
                none if none.is_empty() => holders(client, &schema, InTheWayOf::Changing),
                some => Ok(some),
            }
        };
        Error::TableLock {
            step: step.clone(),
            lock_timeout: self.options.lock_timeout,
            attempts: 1,
            // Whoever it was may be gone, and so may the server.
            holders: look().unwrap_or_default(),
        }
    }

    /// Opens a session. Errors with exit code 7.
    pub fn connect(&self) -> Result<Session, Error> {
        Session::open(
            self.options.database_url.as_deref(),
            self.options.lock_timeout,
            self.output,
        )
    }
}

/// What there is, and what it amounts to.
pub struct Look {
    pub situation: Situation,
    pub verdict: Verdict,
    /// With the names of the schema.
    pub catalog: Catalog,
}

impl Look {
    /// # Errors
    /// What the server answers.
    pub fn take(
        transaction: &mut Transaction,
        schema: &Schema,
        migrations: &[Migration],
        purpose: Purpose,
    ) -> Result<Self, Error> {
        let catalog = Catalog::shipped();
        let mut situation = Situation::read(transaction, schema, migrations, &catalog.names())?;
        let catalog = catalog.in_schema(&situation.facts.quoted_schema, schema);
        let verdict = Verdict::on(&mut situation, schema, migrations, &catalog, purpose);
        Ok(Self {
            situation,
            verdict,
            catalog,
        })
    }
}
