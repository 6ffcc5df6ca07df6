//! Mends what has drifted, with statements of the shipped migrations and under the same locks and proof.

use super::proof::Proof;
use super::{As, Runner};
use crate::error::Error;
use crate::inspect::facts::{LOG_TABLES, TABLES};
use crate::inspect::{Finding, Phase, Repair};

impl Runner<'_> {
    /// Mends what these findings know a repair for: indexes first, then the guards of each table in one transaction,
    /// then what only has to be proven for the rows that exist.
    ///
    /// One that fails does not keep the others from being mended.
    ///
    /// # Errors
    /// The first failure, once all has been tried; a lost connection at once.
    pub fn mend(&mut self, findings: &[Finding]) -> Result<Vec<Proof>, Error> {
        let mut repairs: Vec<&Repair> = findings
            .iter()
            .flat_map(|finding| &finding.repairs)
            .collect();
        repairs.sort_by_key(|repair| repair.phase);
        let mut proofs = Vec::new();
        let mut failure = None;
        let mut keep = |outcome: Result<Proof, Error>| match outcome {
            Ok(proof) => {
                proofs.push(proof);
                Ok(())
            }
            Err(lost @ (Error::ConnectionLost { .. } | Error::Pooled(_))) => Err(lost),
            Err(error) => {
                failure.get_or_insert(error);
                Ok(())
            }
        };
        for repair in of_phase(&repairs, |phase| phase == Phase::Index) {
            keep(self.mend_index(repair))?;
        }
        for table in TABLES.into_iter().chain(LOG_TABLES) {
            let guards = |phase| phase != Phase::Index && phase != Phase::Validate;
            let repairs: Vec<_> = of_phase(&repairs, guards)
                .filter(|repair| repair.table == table)
                .collect();
            if !repairs.is_empty() {
                keep(self.mend_statements(&format!("mending {table}"), &repairs))?;
            }
        }
        for repair in of_phase(&repairs, |phase| phase == Phase::Validate) {
            keep(self.mend_statements(&format!("validating {}", repair.object), &[repair]))?;
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(proofs),
        }
    }

    fn mend_index(&mut self, repair: &Repair) -> Result<Proof, Error> {
        let step = format!("mending {}", repair.object);
        let sql = repair.statements.join("; ");
        self.build_index(&step, &sql, &repair.object, &repair.table)
    }

    fn mend_statements(&mut self, step: &str, repairs: &[&Repair]) -> Result<Proof, Error> {
        self.transaction(step, As::Owner, |transaction| {
            for statement in repairs.iter().flat_map(|repair| &repair.statements) {
                transaction.batch_execute(statement)?;
            }
            Ok(())
        })
    }
}

fn of_phase<'a>(
    repairs: &'a [&Repair],
    wanted: impl Fn(Phase) -> bool + 'a,
) -> impl Iterator<Item = &'a Repair> {
    repairs
        .iter()
        .copied()
        .filter(move |repair| wanted(repair.phase))
}
