//! What alters the database: each step is one transaction, which proves before its commit that it added and did nothing
//! else.

pub mod comments;
pub mod concurrently;
pub mod ddl_guard;
pub mod distribution;
pub mod extension;
pub mod lock;
pub mod mend;
pub mod migration;
pub mod nodes;
pub mod proof;
pub mod script;

use std::thread;
use std::time::Duration;

use postgres::{IsolationLevel, Transaction};

use self::lock::Lock;
use self::proof::{Depth, Proof, Snapshot};
use crate::error::{Doing, Error, list};
use crate::holders::{InTheWayOf, holders};
use crate::schema::{Schema, quote_ident};
use crate::session::Session;

/// How often a step is tried when a lock it needs is not to be had.
const ATTEMPTS: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a step needs besides its SQL.
pub struct Runner<'a> {
    pub session: &'a mut Session,
    pub lock: &'a Lock,
    pub schema: &'a Schema,
    /// The owner of the tables, where that is not the connected role.
    pub owner: Option<String>,
}

/// Whose rights a step runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    /// The owner of the tables: what the step creates belongs to it.
    Owner,
    /// The connected role.
    Connected,
}

impl Runner<'_> {
    /// Runs `work` in a transaction that waits for no lock longer than `--lock-timeout`, rolls back and tries again
    /// when it does not get one, and commits only what is proved to have added and nothing else.
    ///
    /// Errors: [`Error::TableLock`] (exit 5) after the last attempt, [`Error::Destructive`] (exit 6).
    pub fn transaction(
        &mut self,
        step: &str,
        role: As,
        work: impl Fn(&mut Transaction) -> Result<(), postgres::Error>,
    ) -> Result<Proof, Error> {
        self.retry(step, |runner| runner.attempt(step, role, &work))
    }

    /// Runs `attempt` again where it did not get a lock.
    ///
    /// Errors: those of `attempt`; [`Error::TableLock`] (exit 5) after the last one.
    pub fn retry<T>(
        &mut self,
        step: &str,
        run: impl Fn(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match run(self) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if !error.is_lock_refused() {
                return Err(error);
            }
            let lock_timeout = self.session.lock_timeout;
            let client = &mut self.session.client;
            let holders = holders(client, self.schema, InTheWayOf::Changing)?;
            if attempt == ATTEMPTS {
                return Err(Error::TableLock {
                    step: step.to_owned(),
                    lock_timeout,
                    attempts: ATTEMPTS,
                    holders,
                });
            }
            let pause = pause(lock_timeout, attempt);
            self.session.output.log(&format!(
                "{error}; stepped back, attempt {} of {ATTEMPTS} in {:.1} s{}",
                attempt + 1,
                pause.as_secs_f32(),
                list(&holders)
            ));
            thread::sleep(pause);
        }
    }

    fn attempt(
        &mut self,
        step: &str,
        role: As,
        work: &impl Fn(&mut Transaction) -> Result<(), postgres::Error>,
    ) -> Result<Proof, Error> {
        let mut depth = Depth::Registry;
        loop {
            match self.look(step, role, work, depth)? {
                Some(proof) => return Ok(proof),
                None => depth = Depth::Everything,
            }
        }
    }

    /// `None`, and nothing done, where only a closer look can tell.
    fn look(
        &mut self,
        step: &str,
        role: As,
        work: &impl Fn(&mut Transaction) -> Result<(), postgres::Error>,
        depth: Depth,
    ) -> Result<Option<Proof>, Error> {
        // One snapshot: what the proof finds changed is this transaction's doing, not that of others meanwhile. DDL
        // and VALIDATE look at the newest rows all the same.
        let mut transaction = self
            .session
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .start()
            .doing(step)?;
        self.lock.assert_held(&mut transaction)?;
        // Citus hides shards in pg_class, and what changes a guard changes theirs.
        transaction
            .batch_execute("SET LOCAL citus.override_table_visibility = off")
            .doing(step)?;
        if let (As::Owner, Some(owner)) = (role, &self.owner) {
            transaction
                .batch_execute(&format!("SET LOCAL ROLE {}", quote_ident(owner)))
                .doing(step)?;
        }
        let before =
            Snapshot::take(&mut transaction, self.schema, depth).map_err(|e| e.at(step))?;
        work(&mut transaction).doing(step)?;
        let proof = before.verify(&mut transaction).map_err(|e| e.at(step))?;
        if proof.is_some() {
            transaction.commit().doing(step)?;
        }
        Ok(proof)
    }
}

/// Doubles from `--lock-timeout` on, so that the others get at least as much time as we took; with jitter, so that
/// two that collide do not meet again.
fn pause(lock_timeout: Duration, attempt: u32) -> Duration {
    let doubled = lock_timeout.saturating_mul(1 << (attempt - 1).min(16));
    doubled.min(LONGEST_PAUSE).mul_f64(0.5 + fastrand::f64())
}

#[cfg(test)]
mod tests;
