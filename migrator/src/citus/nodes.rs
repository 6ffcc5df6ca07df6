//! What every node has: guards on its shards, their functions, and the functions that read.

use std::collections::HashMap;

use postgres::GenericClient;
use serde::Deserialize;

use crate::error::{Doing, Error, one_line};
use crate::extension;
use crate::inspect::facts::GUARDED;
use crate::inspect::shipped::{Function, Trigger};
use crate::inspect::{Finding, Shipped};
use crate::schema::Schema;

/// One node. Without a state where it did not answer.
#[derive(Debug)]
pub struct Node {
    /// `host:port`
    pub name: String,
    pub state: Result<State, String>,
}

#[derive(Debug, Deserialize)]
pub struct State {
    shards: Vec<Shard>,
    /// Bodies of the guards' functions.
    functions: HashMap<String, String>,
    extension: bool,
    /// Functions that read, in a language in which Citus does not plan them.
    unplannable: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Shard {
    table: String,
    name: String,
    /// Triggers that are enabled always, by the names they have on the table.
    guards: Vec<String>,
}

const DOING: &str = "looking at the nodes of Citus";

impl Node {
    /// Asks every node, this one included.
    ///
    /// # Errors
    /// What this server answers.
    pub fn read_all(client: &mut impl GenericClient, schema: &Schema) -> Result<Vec<Self>, Error> {
        let question = include_str!("node.sql").replace("@schema@", &literal(schema.name()));
        let rows = client
            .query(
                "SELECT n.nodename || ':' || n.nodeport, coalesce(r.success, false), coalesce(r.result, 'no answer') \
                 FROM pg_catalog.pg_dist_node n \
                 LEFT JOIN pg_catalog.run_command_on_all_nodes($1, give_warning_for_connection_errors => true) r USING (nodeid) \
                 WHERE n.noderole = 'primary' \
                 ORDER BY n.groupid",
                &[&question],
            )
            .doing(DOING)?;
        rows.iter()
            .map(|row| {
                let answer: String = row.try_get(2).doing(DOING)?;
                let state = match row.try_get(1).doing(DOING)? {
                    true => serde_json::from_str(&answer).map_err(|error| error.to_string()),
                    false => Err(one_line(&answer)),
                };
                let name = row.try_get(0).doing(DOING)?;
                Ok(Self { name, state })
            })
            .collect()
    }

    /// What is missing here of what the migrations and the guards for Citus make; and the extension, where the
    /// coordinator has it.
    pub fn findings(&self, shipped: &Shipped, extension: bool) -> Vec<Finding> {
        let state = match &self.state {
            Ok(state) => state,
            Err(cause) => {
                let message = format!("was not looked at: {cause}");
                return vec![Finding::note("NODE_SILENT", &self.name, message)];
            }
        };
        let on_node = |object: &str| format!("{object} on node {}", self.name);
        let by_up = |finding: Finding| Finding {
            mended_by_up: true,
            ..finding.with_mend("ext-migrate up")
        };
        let mut findings = Vec::new();
        for shard in &state.shards {
            let missing = guards_of_shards(shipped).filter(|trigger| {
                trigger.table == shard.table && !shard.guards.contains(&trigger.name)
            });
            findings.extend(missing.map(|trigger| {
                by_up(Finding::error(
                    "SHARD_GUARD_MISSING",
                    on_node(&shard.name),
                    format!(
                        "the guard {} is not there, or not ENABLE ALWAYS",
                        trigger.name
                    ),
                ))
            }));
        }
        for function in functions_of_shards(shipped) {
            if state.functions.get(&function.name) != Some(&function.body) {
                findings.push(by_up(Finding::error(
                    "SHARD_GUARD_FUNCTION",
                    on_node(&format!("{}()", function.name)),
                    "is not the function for tables in shards",
                )));
            }
        }
        if extension && !state.extension {
            findings.push(by_up(Finding::error(
                "EXTENSION_MISSING",
                on_node(extension::NAME),
                "the extension is not installed there",
            )));
        }
        for reader in &state.unplannable {
            findings.push(by_up(Finding::error(
                "READER_NOT_PLANNED",
                on_node(&format!("{reader}()")),
                "is written in SQL, which Citus cannot plan with parameters",
            )));
        }
        findings
    }
}

/// Those of the log stand on the coordinator's own tables.
pub fn guards_of_shards(shipped: &Shipped) -> impl Iterator<Item = &Trigger> {
    let guards = shipped.triggers.iter();
    guards.filter(|guard| GUARDED.contains(&guard.table.as_str()))
}

fn functions_of_shards(shipped: &Shipped) -> impl Iterator<Item = &Function> {
    let functions = shipped.functions.iter();
    functions
        .filter(|function| guards_of_shards(shipped).any(|guard| guard.function == function.name))
}

pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
