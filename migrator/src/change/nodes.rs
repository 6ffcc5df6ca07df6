//! The layout on Citus, brought to its end: distributes empty tables, and gives every node what it lacks.

use super::distribution::Distribution;
use super::{As, Runner};
use crate::citus::nodes::{guards_of_shards, literal};
use crate::citus::{Found, Layout, guards, readers};
use crate::error::{Doing, Error, one_line};
use crate::extension;
use crate::inspect::Shipped;
use crate::inspect::shipped::Trigger;
use crate::migrations::Migration;
use crate::schema::{Schema, quote_ident};

/// The last step of `up` on Citus: distributes tables that hold nothing yet, and completes what is distributed on nodes
/// where something is missing. Tables with rows are left to `distribute`.
///
/// # Errors
/// What the server answers, and [`Error::Node`] where a node refuses.
pub fn settle(runner: &mut Runner, migrations: &[Migration]) -> Result<Found, Error> {
    let found = Found::read(&mut runner.session.client, runner.schema)?;
    match found.layout() {
        Layout::Local if found.obstacles().is_empty() && runner.tables_are_empty()? => {
            Distribution::plan(&found, runner.schema).run(runner)?;
        }
        Layout::Distributed => {}
        _ => return Ok(found),
    }
    complete(runner, migrations)
}

/// Gives every node the guards and functions that it lacks.
///
/// # Errors
/// As for [`settle`].
pub fn complete(runner: &mut Runner, migrations: &[Migration]) -> Result<Found, Error> {
    let mut shipped = Shipped::of(migrations);
    shipped.replace_functions(runner.schema)?;
    let found = Found::read(&mut runner.session.client, runner.schema)?;
    if runner.complete_nodes(&found, &shipped)? {
        return Found::read(&mut runner.session.client, runner.schema);
    }
    Ok(found)
}

impl Runner<'_> {
    /// Puts right what [`crate::citus::Node::findings`] found; false where there was nothing to do.
    ///
    /// # Errors
    /// What the server answers, and [`Error::Node`] where a node refuses.
    fn complete_nodes(&mut self, found: &Found, shipped: &Shipped) -> Result<bool, Error> {
        let findings: Vec<_> = found
            .nodes
            .iter()
            .flat_map(|node| node.findings(shipped, found.extension))
            .filter(|finding| finding.mended_by_up)
            .collect();
        let any = |code| findings.iter().any(|finding| finding.code == code);
        if any("SHARD_GUARD_FUNCTION") {
            let sql = guards(self.schema);
            self.transaction("guards for tables in shards", As::Owner, |transaction| {
                transaction.batch_execute(&sql)
            })?;
        }
        if any("SHARD_GUARD_MISSING") {
            for trigger in guards_of_shards(shipped) {
                let table = format!("{}.{}", self.schema.quoted(), quote_ident(&trigger.table));
                let command = shard_trigger(self.schema, trigger);
                self.on_nodes(
                    "guards on shards",
                    "SELECT r.nodename || ':' || r.nodeport, r.success, r.result \
                     FROM pg_catalog.run_command_on_placements($1::text::regclass, $2) r",
                    &[&table, &command],
                )?;
            }
        }
        if any("EXTENSION_MISSING") {
            // The coordinator had it before Citus, which tells only new nodes of it. Nothing is passed on from there.
            let create = format!(
                "DO $complete$ BEGIN \
                     PERFORM pg_catalog.set_config('citus.enable_ddl_propagation', 'off', true); \
                     CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}; \
                 END $complete$",
                extension::NAME,
                self.schema.quoted()
            );
            self.on_nodes(
                "the extension on the workers",
                "SELECT r.nodename || ':' || r.nodeport, r.success, r.result \
                 FROM pg_catalog.run_command_on_workers($1) r",
                &[&create],
            )?;
        }
        if any("READER_NOT_PLANNED") {
            self.on_nodes(
                "functions that read",
                "SELECT n.nodename || ':' || n.nodeport, r.success, r.result \
                 FROM pg_catalog.run_command_on_all_nodes($1) r \
                 JOIN pg_catalog.pg_dist_node n USING (nodeid)",
                &[&readers(self.schema)],
            )?;
        }
        Ok(!findings.is_empty())
    }

    /// Runs a query that gives node, success and answer of each.
    fn on_nodes(
        &mut self,
        doing: &str,
        query: &str,
        parameters: &[&(dyn postgres::types::ToSql + Sync)],
    ) -> Result<(), Error> {
        let rows = self.session.client.query(query, parameters).doing(doing)?;
        for row in rows {
            let success: bool = row.try_get(1).doing(doing)?;
            if !success {
                let cause: Option<String> = row.try_get(2).doing(doing)?;
                return Err(Error::Node {
                    doing: doing.to_owned(),
                    node: row.try_get(0).doing(doing)?,
                    cause: one_line(&cause.unwrap_or_default()),
                });
            }
        }
        Ok(())
    }
}

/// A block for `run_command_on_placements`, which formats it with the name of each shard: creates the trigger
/// there unless it is there. Citus itself names the triggers of shards so, with the number of the shard at the end.
fn shard_trigger(schema: &Schema, trigger: &Trigger) -> String {
    let table = format!("ON {}.{}", schema.quoted(), trigger.table);
    let create = trigger
        .sql
        .replacen(&trigger.name, "@name@", 1)
        .replacen(&table, "ON @shard@", 1)
        .replace('%', "%%");
    format!(
        "DO $complete$ \
         DECLARE \
             named text := {name} || pg_catalog.substring('%1$s', '_[0-9]+$'); \
         BEGIN \
             IF NOT EXISTS ( \
                 SELECT FROM pg_catalog.pg_trigger t \
                 WHERE t.tgrelid = '%1$s'::pg_catalog.regclass AND t.tgname = named \
             ) THEN \
                 EXECUTE pg_catalog.replace(pg_catalog.replace({create}, '@name@', named), '@shard@', '%1$s'); \
             END IF; \
             EXECUTE 'ALTER TABLE %1$s ENABLE ALWAYS TRIGGER ' || named; \
         END $complete$",
        name = literal(&trigger.name),
        create = literal(&create),
    )
}
