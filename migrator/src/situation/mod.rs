//! What there is: one look at the catalogs, the history, the extension and the nodes of Citus. Judges nothing.

pub mod citus;
pub mod extension;
pub mod facts;
pub mod history;
pub mod rows;

use postgres::Transaction;

pub use facts::Facts;

use self::citus::Citus;
use self::facts::Names;
use self::history::History;
use crate::error::Error;
use crate::migrations::Migration;
use crate::schema::Schema;

/// What every command starts from.
#[derive(Debug)]
pub struct Situation {
    pub facts: Facts,
    pub history: History,
    /// None where Citus is not installed.
    pub citus: Option<Citus>,
}

impl Situation {
    /// Reads the catalogs, and the rows of the history. Writes nothing.
    ///
    /// # Errors
    /// What the server answers.
    pub fn read(
        transaction: &mut Transaction,
        schema: &Schema,
        migrations: &[Migration],
        names: &Names,
    ) -> Result<Self, Error> {
        let facts = Facts::read(transaction, schema.name(), names)?;
        let history = History::read(transaction, schema, migrations, &facts)?;
        let citus = match facts.citus {
            true => Some(Citus::read(transaction, schema)?),
            false => None,
        };
        Ok(Self {
            facts,
            history,
            citus,
        })
    }

    /// The owner of the tables that are there, where that is not the connected role.
    pub fn other_owner(&self) -> Option<String> {
        let owner = self.facts.owner()?;
        (owner != self.facts.role).then(|| owner.to_owned())
    }

    /// The rows are in shards of Citus.
    pub fn is_distributed(&self) -> bool {
        self.citus
            .as_ref()
            .is_some_and(|citus| citus.layout() == citus::Layout::Distributed)
    }

    /// The session is on a worker of Citus.
    pub fn is_on_worker(&self) -> bool {
        self.citus.as_ref().is_some_and(|citus| citus.worker)
    }
}
