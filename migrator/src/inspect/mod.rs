//! What is in the database: whether migrations can run there, what they would start from, and what has drifted from
//! what they made. Reads only.

pub mod drift;
pub mod expected;
pub mod facts;
pub mod finding;
pub mod names;
pub mod obstacles;
pub mod old_rows;
pub mod preflight;
pub mod repair;
pub mod shape;
pub mod shipped;

use postgres::Transaction;

pub use facts::Facts;
pub use finding::{Finding, Level};
pub use old_rows::Counted;
pub use preflight::{Preflight, Progress, Purpose, State};
pub use repair::{Phase, Repair};
pub use shipped::Shipped;

use crate::error::Error;
use crate::migrations::Migration;
use crate::schema::Schema;

/// The catalogs and what follows from them.
#[derive(Debug)]
pub struct Inspection {
    pub facts: Facts,
    /// What the applied migrations make.
    pub applied: Shipped,
    pub preflight: Preflight,
}

/// What `up` may start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The owner of the tables that are there.
    pub table_owner: Option<String>,
}

impl Inspection {
    /// Reads the catalogs and judges them. `applied` holds the numbers of the migrations that the history names.
    ///
    /// # Errors
    /// What the server answers; refusals are in [`Inspection::preflight`].
    pub fn read(
        transaction: &mut Transaction,
        schema: &Schema,
        migrations: &[Migration],
        applied: &[i32],
        purpose: Purpose,
    ) -> Result<Self, Error> {
        let shipped = Shipped::of(migrations)?;
        let is_applied = |migration: &&Migration| applied.contains(&migration.version);
        let progress = match migrations.iter().filter(is_applied).count() {
            0 => Progress::None,
            all if all == migrations.len() => Progress::All,
            _ => Progress::Some,
        };
        let facts = Facts::read(transaction, schema.name(), &shipped)?;
        let preflight = Preflight::judge(&facts, schema, &shipped, progress, purpose);
        let applied = Shipped::of(migrations.iter().filter(is_applied))?;
        Ok(Self {
            facts,
            applied,
            preflight,
        })
    }

    /// What has drifted, besides what the preflight refuses.
    pub fn drift(&self, schema: &Schema) -> Vec<Finding> {
        drift::examine(&self.facts, schema, &self.applied)
    }
}

/// Refuses, before anything happens, what cannot be adopted: [`Error::Unfit`] with every reason,
/// [`Error::SecondSchema`], or [`Error::UnusableName`] for the name of the owner.
pub fn preflight(
    transaction: &mut Transaction,
    schema: &Schema,
    migrations: &[Migration],
    applied: &[i32],
    extension: bool,
) -> Result<Ground, Error> {
    let purpose = Purpose {
        run: true,
        extension,
    };
    let inspection = Inspection::read(transaction, schema, migrations, applied, purpose)?;
    inspection.preflight.into_result()?;
    Ok(Ground {
        table_owner: inspection.facts.owner().map(str::to_owned),
    })
}
