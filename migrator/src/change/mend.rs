//! Mends what has drifted, with the definitions of the catalog and under the same locks and proof.

use super::proof::Proof;
use super::{As, Runner};
use crate::error::Error;
use crate::wanted::{Finding, Phase, Repair};

/// What came of it.
#[derive(Debug, Default)]
pub struct Mending {
    pub proofs: Vec<Proof>,
    /// Numbers of findings that are still there, with the reason.
    pub failed: Vec<(usize, Error)>,
}

type Numbered<'a> = (usize, &'a Repair);

impl Runner<'_> {
    /// Mends what these findings know a repair for: indexes first, then what belongs to one table in one transaction,
    /// then what only has to be proven for the rows that exist.
    ///
    /// One that fails does not keep the others from being mended.
    ///
    /// # Errors
    /// A lost connection.
    pub fn mend(&mut self, findings: &[Finding]) -> Result<Mending, Error> {
        let mut repairs: Vec<Numbered> = findings
            .iter()
            .enumerate()
            .flat_map(|(number, finding)| {
                finding.repairs.iter().map(move |repair| (number, repair))
            })
            .collect();
        repairs.sort_by_key(|(_, repair)| (step(repair), repair.phase));
        let mut mending = Mending::default();
        for together in repairs.chunk_by(|(_, one), (_, next)| step(one) == step(next)) {
            match self.mend_together(together) {
                Ok(proof) => mending.proofs.push(proof),
                Err(lost @ (Error::ConnectionLost { .. } | Error::Pooled(_))) => return Err(lost),
                Err(error) if together.len() == 1 => mending.failed.push((together[0].0, error)),
                // One of them keeps the others back: each by itself.
                Err(_) => {
                    for one in together {
                        match self.mend_together(&[*one]) {
                            Ok(proof) => mending.proofs.push(proof),
                            Err(error) => mending.failed.push((one.0, error)),
                        }
                    }
                }
            }
        }
        Ok(mending)
    }

    fn mend_together(&mut self, repairs: &[Numbered]) -> Result<Proof, Error> {
        let (_, first) = repairs[0];
        let (role, what) = match first.phase {
            Phase::Index => {
                let step = format!("mending {}", first.object);
                // What is invalid is dropped there.
                let sql = first.statements.last().cloned().unwrap_or_default();
                return self.build_index(&step, &sql, &first.object, &first.table);
            }
            Phase::Validate => (As::Owner, format!("validating {}", first.object)),
            Phase::Extension => (As::Connected, format!("mending {}", first.object)),
            _ => (As::Owner, format!("mending {}", first.table)),
        };
        self.transaction(&what, role, |transaction| {
            let mut statements = repairs.iter().flat_map(|(_, repair)| &repair.statements);
            statements.try_for_each(|statement| transaction.batch_execute(statement))
        })
    }
}

/// Repairs of one step commit together; steps run in this order.
pub fn step(repair: &Repair) -> (Phase, &str) {
    match repair.phase {
        Phase::Table | Phase::Function | Phase::Trigger => (Phase::Table, &repair.table),
        phase => (phase, &repair.object),
    }
}
