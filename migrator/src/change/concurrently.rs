//! CREATE INDEX CONCURRENTLY: outside a transaction, without a lock timeout, recorded once the index is valid.

mod progress;

use postgres::Client;

use super::migration;
use super::proof::{Outside, Proof};
use super::{As, Runner};
use crate::error::{Doing, Error};
use crate::migrations::Migration;
use crate::schema::{Schema, quote_ident};

/// How often a build that lost a deadlock is begun again.
const ATTEMPTS: u32 = 3;

impl Runner<'_> {
    /// Builds the index of a migration and records it. Killed at any moment, the next run drops what is invalid,
    /// builds it again, or finds it valid and only records it.
    pub fn migrate_index(
        &mut self,
        migration: &Migration,
        index: &str,
        table: &str,
    ) -> Result<Proof, Error> {
        let step = migration.file();
        let mut proof = self.build_index(&step, &migration.sql, index, table)?;
        let schema = self.schema;
        proof.merge(self.transaction(&step, As::Owner, |transaction| {
            migration::record(transaction, schema, migration)
        })?);
        Ok(proof)
    }

    /// Leaves a valid index, whatever was there of it before.
    ///
    /// It waits for old transactions without blocking anybody, so `--lock-timeout` does not apply: cancelled, it would
    /// leave an invalid index.
    pub fn build_index(
        &mut self,
        step: &str,
        sql: &str,
        index: &str,
        table: &str,
    ) -> Result<Proof, Error> {
        self.lock.assert_held(&mut self.session.client)?;
        let before = Outside::take(&mut self.session.client, self.schema, table)?;
        self.build_as_owner(step, sql, index, table)?;
        before
            .verify(&mut self.session.client)
            .map_err(|error| error.at(step))
    }

    fn build_as_owner(
        &mut self,
        step: &str,
        sql: &str,
        index: &str,
        table: &str,
    ) -> Result<(), Error> {
        let role = match &self.owner {
            Some(owner) => format!("SET ROLE {}", quote_ident(owner)),
            None => String::new(),
        };
        let client = &mut self.session.client;
        client
            .batch_execute(&format!("SET lock_timeout = 0; {role}"))
            .doing(step)?;
        let built = self.build(step, sql, index, table);
        let back = format!(
            "RESET ROLE; SET lock_timeout = {}",
            self.session.lock_timeout.as_millis()
        );
        let reset = self.session.client.batch_execute(&back).doing(step);
        // The first error is the one that tells.
        built.and(reset)
    }

    fn build(&mut self, step: &str, sql: &str, index: &str, table: &str) -> Result<(), Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match state(&mut self.session.client, self.schema, index, table)? {
                State::Valid => return Ok(()),
                State::Other(what) => {
                    return Err(Error::Unfit(vec![format!(
                        "{step}: {index} is {what}: rename it, then run up again"
                    )]));
                }
                State::Invalid => {
                    self.session.output.log(&format!(
                        "{step}: dropping the invalid index {index} that an interrupted build left"
                    ));
                    self.session
                        .client
                        .batch_execute(&format!(
                            "DROP INDEX CONCURRENTLY IF EXISTS {}.{}",
                            self.schema.quoted(),
                            quote_ident(index)
                        ))
                        .doing(step)?;
                }
                State::Missing => {}
            }
            let watch = progress::Watch::start(self.session, step);
            let built = self.session.client.batch_execute(sql).doing(step);
            watch.stop();
            match built {
                Err(error) if attempt < ATTEMPTS && error.is_lock_refused() => {
                    self.session
                        .output
                        .log(&format!("{error}; beginning again"));
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    return match state(&mut self.session.client, self.schema, index, table)? {
                        State::Valid => Ok(()),
                        _ => Err(Error::Unfit(vec![format!(
                            "{step}: the index {index} is not valid after its build"
                        )])),
                    };
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Missing,
    Invalid,
    Valid,
    /// Something else has the name.
    Other(String),
}

fn state(client: &mut Client, schema: &Schema, index: &str, table: &str) -> Result<State, Error> {
    let doing = "looking at an index";
    let row = client
        .query_opt(
            "SELECT coalesce(i.indisvalid AND i.indisready, false), coalesce(t.relname = $3, false), \
                    coalesce('an index of ' || t.relname, 'a relation of another kind') \
             FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
             LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid \
             WHERE n.nspname = $1 AND c.relname = $2",
            &[&schema.name(), &index, &table],
        )
        .doing(doing)?;
    let Some(row) = row else {
        return Ok(State::Missing);
    };
    let valid: bool = row.try_get(0).doing(doing)?;
    let ours: bool = row.try_get(1).doing(doing)?;
    Ok(match (ours, valid) {
        (true, true) => State::Valid,
        (true, false) => State::Invalid,
        (false, _) => State::Other(row.try_get(2).doing(doing)?),
    })
}
