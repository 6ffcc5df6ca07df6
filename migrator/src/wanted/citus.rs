//! What keeps the tables from being distributed, and what differs where they are.

use super::Progress;
use super::catalog::Catalog;
use super::code::Code;
use super::finding::Finding;
use super::object::{Kind, Object};
use crate::schema::Schema;
use crate::situation::citus::{Citus, Layout, Node};
use crate::situation::facts::GUARDED;
use crate::situation::{Situation, extension};

/// The guards on the tables that are in shards, and their functions; those of the log stand on the coordinator.
pub fn of_shards(catalog: &Catalog, version: i32) -> Vec<Object> {
    let made = catalog
        .migrations
        .iter()
        .filter(|dated| dated.is_there_at(version))
        .map(|dated| &dated.object)
        .filter(|object| object.kind == Kind::Trigger && GUARDED.contains(&object.table.as_str()));
    made.chain(&catalog.guards_on_shards).cloned().collect()
}

impl Citus {
    /// Why `distribute` would refuse; empty where it would not. `guards` are our own triggers.
    pub fn obstacles(&self, guards: &[Object]) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.workers > 0 && !self.coordinator_is_node {
            findings.push(
                Finding::new(
                    Code::CoordinatorNotANode,
                    "pg_dist_node",
                    "the coordinator is not in the list of nodes, and would hold no replica",
                )
                .with_mend("SELECT citus_set_coordinator_host('…')"),
            );
        }
        if !self.owner_may_log_in {
            findings.push(
                Finding::new(
                    Code::OwnerCannotLogIn,
                    "the owner of the tables",
                    "Citus connects to the nodes as the owner, who may not log in",
                )
                .with_mend("ALTER ROLE … LOGIN"),
            );
        }
        for key in &self.foreign_keys {
            findings.push(Finding::new(
                Code::ForeignKey,
                key,
                "this foreign key would draw another table into Citus: drop it first",
            ));
        }
        for key in self.keys.iter().filter(|key| !key.primary) {
            findings.push(Finding::new(Code::KeyWithoutTenant,
                &key.name,
                format!(
                    "a unique key over ({}) of the installs: without tenant_id no shard can keep it",
                    key.columns.join(", ")
                ),
            ));
        }
        for trigger in &self.triggers {
            if !guards.iter().any(|guard| guard.name == trigger.name) {
                findings.push(Finding::new(
                    Code::ReplicaTrigger,
                    format!("{} on {}", trigger.name, trigger.table),
                    "a trigger of somebody else would run once on each replica: drop it first",
                ));
            }
        }
        findings
    }

    /// What differs from the layout that the registry needs. `guards` are those of shards.
    pub fn findings(&self, schema: &Schema, guards: &[Object]) -> Vec<Finding> {
        match self.layout() {
            Layout::Absent => Vec::new(),
            Layout::Local => vec![
                Finding::new(Code::CitusLocal,
                    schema.name(),
                    "the tables are on the coordinator alone",
                )
                .with_mend("ext-migrate distribute"),
            ],
            Layout::Mixed => self
                .tables
                .iter()
                .map(|table| {
                    Finding::new(Code::CitusLayout,
                        &table.name,
                        format!(
                            "is {:?} where the registry needs reference tables, and installs distributed by tenant_id",
                            table.kind
                        ),
                    )
                })
                .collect(),
            Layout::Distributed => {
                let nodes = self.nodes.iter();
                nodes
                    .flat_map(|node| node.findings(guards, self.extension))
                    .chain(self.writer_findings(schema))
                    .chain(self.clock_findings(schema))
                    .collect()
            }
        }
    }

    fn clock_findings(&self, schema: &Schema) -> impl Iterator<Item = Finding> {
        self.clocks.iter().map(|clock| {
            Finding::new(Code::DefaultPerReplica,
                format!("{}.{}", clock.table, clock.column),
                "the default CURRENT_TIMESTAMP is computed by each replica for itself, and they differ",
            )
            .with_mend(clock.once(schema))
        })
    }

    fn writer_findings(&self, schema: &Schema) -> impl Iterator<Item = Finding> {
        self.writers.iter().map(|writer| {
            let role = writer.role.as_deref().unwrap_or("PUBLIC");
            let rights = writer.rights.join(", ");
            Finding::new(
                Code::WriteRight,
                format!("{role} on {}", writer.table),
                format!("has {rights}: on one node it could write what the others do not have"),
            )
            .with_mend(format!(
                "REVOKE {rights} ON {} FROM {role}",
                schema.qualified(&writer.table)
            ))
        })
    }
}

impl Node {
    /// What differs here from what the migrations and the guards for Citus make; and the extension, where the coordinator
    /// has it.
    pub fn findings(&self, guards: &[Object], extension: bool) -> Vec<Finding> {
        let state = match &self.state {
            Ok(state) => state,
            Err(cause) => {
                let message = format!("was not looked at: {cause}");
                return vec![Finding::new(Code::NodeSilent, &self.name, message)];
            }
        };
        let on_node = |object: &str| format!("{object} on node {}", self.name);
        let mut findings = Vec::new();
        for shard in &state.shards {
            let of_table =
                |guard: &&Object| guard.kind == Kind::Trigger && guard.table == shard.table;
            for guard in guards.iter().filter(of_table) {
                let found = shard.triggers.iter().find(|found| found.name == guard.name);
                let object = on_node(&shard.name);
                let finding = |what: &str| {
                    let message = format!("the guard {} {what}", guard.name);
                    Finding::new(Code::ShardGuardMissing, object.clone(), message)
                };
                findings.extend(match found {
                    None => Some(finding("is not there").mended_by_up()),
                    Some(found) if !guard.prints_as(&found.definition) => Some(
                        finding(&format!("is another: {}", found.definition))
                            .with_mend("drop it there, then ext-migrate up"),
                    ),
                    Some(found) if found.enabled != "A" => {
                        Some(finding("is not ENABLE ALWAYS").mended_by_up())
                    }
                    Some(_) => None,
                });
            }
        }
        for guard in guards.iter().filter(|guard| guard.kind == Kind::Function) {
            let found = state.functions.iter().any(|found| {
                found.signature == guard.name
                    && found.definition == guard.definition
                    && Some(&found.body) == guard.body.as_ref()
            });
            if !found {
                let message = "is not the function for tables in shards";
                findings.push(
                    Finding::new(Code::ShardGuardFunction, on_node(&guard.name), message)
                        .mended_by_up(),
                );
            }
        }
        if extension && !state.extension {
            let message = "the extension is not installed there";
            findings.push(
                Finding::new(Code::ExtensionMissing, on_node(extension::NAME), message)
                    .mended_by_up(),
            );
        }
        for reader in &state.unplannable {
            let message = "is written in SQL, which Citus cannot plan with parameters";
            findings.push(
                Finding::new(
                    Code::ReaderNotPlanned,
                    on_node(&format!("{reader}()")),
                    message,
                )
                .mended_by_up(),
            );
        }
        findings
    }
}

/// On a worker, where the registry cannot be looked after.
pub fn on_worker(schema: &Schema) -> Finding {
    Finding::new(
        Code::CitusWorker,
        schema.name(),
        "this node is a worker of Citus: connect to the coordinator",
    )
}

/// Tables that were distributed before the first migration has run.
pub fn distributed_already(
    situation: &Situation,
    schema: &Schema,
    progress: Progress,
) -> Option<Finding> {
    let citus = situation.citus.as_ref()?;
    let distributed = matches!(citus.layout(), Layout::Distributed | Layout::Mixed);
    (distributed && progress == Progress::None).then(|| {
        Finding::new(
            Code::DistributedAlready,
            schema.name(),
            "Citus makes foreign keys anew when migrations run on tables that are distributed already, \
             and nothing would prove that they lost nothing",
        )
        .with_mend(format!(
            "SELECT undistribute_table('{}.extension_registry', cascade_via_foreign_keys => true), then \
             ext-migrate up and ext-migrate distribute",
            schema.quoted()
        ))
    })
}
