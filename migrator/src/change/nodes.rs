//! The layout on Citus, brought to its end: distributes empty tables, and gives every node what it lacks.

use super::distribution::{Distribution, guards};
use super::{As, Runner};
use crate::error::{Doing, Error, one_line};
use crate::schema::Schema;
use crate::situation::citus::{Citus, Layout};
use crate::situation::extension;
use crate::wanted::object::{Kind, Object};
use crate::wanted::{Catalog, Code, of_shards};

const READERS: &str = include_str!("../../../pg_ext/src/citus.sql");

/// Turns the functions that read into what Citus can plan; the script of the extension holds the same block.
fn readers(schema: &Schema) -> String {
    READERS.replace("@extschema@", &schema.quoted())
}

/// The last step of `up` on Citus: distributes tables that hold nothing yet, and completes what is distributed on nodes
/// where something is missing. Tables with rows are left to `distribute`. `catalog` has the names of the schema.
///
/// # Errors
/// What the server answers, and [`Error::Node`] where a node refuses.
pub fn settle(runner: &mut Runner, catalog: &Catalog) -> Result<Citus, Error> {
    let citus = Citus::read(&mut runner.session.client, runner.schema)?;
    let guards = of_shards(catalog, i32::MAX);
    match citus.layout() {
        Layout::Local if citus.obstacles(&guards).is_empty() && runner.tables_are_empty()? => {
            Distribution::plan(&citus, runner.schema).run(runner)?;
        }
        Layout::Distributed => {}
        _ => return Ok(citus),
    }
    complete(runner, catalog)
}

/// Gives every node the guards and functions that it lacks.
///
/// # Errors
/// As for [`settle`].
pub fn complete(runner: &mut Runner, catalog: &Catalog) -> Result<Citus, Error> {
    let citus = Citus::read(&mut runner.session.client, runner.schema)?;
    if runner.complete_nodes(&citus, &of_shards(catalog, i32::MAX))? {
        return Citus::read(&mut runner.session.client, runner.schema);
    }
    Ok(citus)
}

impl Runner<'_> {
    /// Puts right what differs on the nodes; false where there was nothing to do.
    ///
    /// # Errors
    /// What the server answers, and [`Error::Node`] where a node refuses.
    fn complete_nodes(&mut self, citus: &Citus, wanted: &[Object]) -> Result<bool, Error> {
        let findings: Vec<_> = citus
            .nodes
            .iter()
            .flat_map(|node| node.findings(wanted, citus.extension))
            .filter(|finding| finding.mended_by_up)
            .collect();
        let any = |code| findings.iter().any(|finding| finding.code == code);
        if any(Code::ShardGuardFunction) {
            let sql = guards(self.schema);
            self.transaction("guards for tables in shards", As::Owner, |transaction| {
                transaction.batch_execute(&sql)
            })?;
        }
        if any(Code::ShardGuardMissing) {
            for trigger in wanted.iter().filter(|object| object.kind == Kind::Trigger) {
                self.on_nodes(
                    "guards on shards",
                    "SELECT r.nodename || ':' || r.nodeport, r.success, r.result \
                     FROM pg_catalog.run_command_on_placements($1::text::regclass, $2) r",
                    &[
                        &self.schema.qualified(&trigger.table),
                        &shard_trigger(trigger),
                    ],
                )?;
            }
        }
        if any(Code::ExtensionMissing) {
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
        if any(Code::ReaderNotPlanned) {
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
fn shard_trigger(trigger: &Object) -> String {
    // As the server prints it: CREATE … TRIGGER name … ON schema.table FOR EACH …
    let create = trigger
        .definition
        .replacen(&trigger.name, "@name@", 1)
        .replace('%', "%%");
    let table = format!(".{} ", trigger.table);
    let create = match (create.find(" ON "), create.find(&table)) {
        (Some(on), Some(table)) => format!(
            "{} ON @shard@ {}",
            &create[..on],
            &create[table + trigger.table.len() + 2..]
        ),
        _ => create,
    };
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
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
