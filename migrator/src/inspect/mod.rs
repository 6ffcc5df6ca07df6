//! What is in the database: whether migrations can run there, what they would start from, and what has drifted from
//! what they made. Reads only.

pub mod check;
pub mod drift;
pub mod expected;
pub mod facts;
pub mod finding;
pub mod lost_history;
pub mod names;
pub mod obstacles;
pub mod old_rows;
pub mod orphans;
pub mod preflight;
pub mod repair;
pub mod rewritten;
pub mod shape;
pub mod shipped;

use postgres::Transaction;

pub use facts::Facts;
pub use finding::{Finding, Level};
pub use old_rows::Counted;
pub use preflight::{Preflight, Progress, Purpose, State};
pub use repair::{Phase, Repair};
pub use shipped::Shipped;

use crate::citus;
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
    /// None where Citus is not installed.
    pub citus: Option<citus::Found>,
    /// What the migrations make is there, and no history tells of it: `up` writes it again.
    pub history_lost: bool,
    migrated: bool,
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
        let shipped = Shipped::of(migrations);
        let facts = Facts::read(transaction, schema.name(), &shipped)?;
        let citus = match facts.citus {
            true => Some(citus::Found::read(transaction, schema)?),
            false => None,
        };
        // The history is on the coordinator alone.
        let on_worker = citus.as_ref().is_some_and(|found| found.worker);
        let history_lost =
            applied.is_empty() && !on_worker && lost_history::is_lost(&facts, &shipped);
        let is_applied =
            |migration: &&Migration| history_lost || applied.contains(&migration.version);
        let progress = match migrations.iter().filter(is_applied).count() {
            0 => Progress::None,
            all if all == migrations.len() => Progress::All,
            _ => Progress::Some,
        };
        let mut preflight = Preflight::judge(&facts, schema, &shipped, progress, purpose);
        let mut applied = Shipped::of(migrations.iter().filter(is_applied));
        if let Some(found) = &citus {
            found.adjust(schema, &mut preflight, &mut applied)?;
        }
        Ok(Self {
            facts,
            applied,
            preflight,
            citus,
            history_lost,
            migrated: progress != Progress::None,
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
            .is_some_and(|found| found.layout() == citus::Layout::Distributed)
    }

    /// What has drifted from what the applied migrations made, besides what the preflight refuses.
    pub fn drift(&self, schema: &Schema) -> Vec<Finding> {
        if !self.migrated {
            return Vec::new();
        }
        let mut findings = Vec::new();
        if self.history_lost {
            findings.push(lost_history::finding());
        }
        findings.extend(drift::examine(&self.facts, schema, &self.applied));
        if let Some(found) = &self.citus {
            findings.extend(found.findings(schema, &self.applied));
        }
        findings
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
) -> Result<Inspection, Error> {
    let purpose = Purpose {
        run: true,
        extension,
    };
    let inspection = Inspection::read(transaction, schema, migrations, applied, purpose)?;
    inspection.preflight.refuse_unfit()?;
    Ok(inspection)
}
