//! What keeps the tables from being distributed, and what differs where they are.

use super::found::{Found, Layout};
use crate::inspect::{Finding, Shipped};
use crate::schema::{Schema, quote_ident};

/// The names of our own triggers begin so.
const GUARD_NAMES: [&str; 3] = [
    "extension_registry_identity_immutable",
    "extension_version_immutable",
    "extension_bundle_immutable",
];

impl Found {
    /// Why `distribute` would refuse; empty where it would not.
    pub fn obstacles(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.workers > 0 && !self.coordinator_is_node {
            findings.push(
                Finding::error(
                    "COORDINATOR_NOT_A_NODE",
                    "pg_dist_node",
                    "the coordinator is not in the list of nodes, and would hold no replica",
                )
                .with_mend("SELECT citus_set_coordinator_host('…')"),
            );
        }
        if !self.owner_may_log_in {
            findings.push(
                Finding::error(
                    "OWNER_CANNOT_LOG_IN",
                    "the owner of the tables",
                    "Citus connects to the nodes as the owner, who may not log in",
                )
                .with_mend("ALTER ROLE … LOGIN"),
            );
        }
        for key in &self.foreign_keys {
            findings.push(Finding::error(
                "FOREIGN_KEY",
                key,
                "this foreign key would draw another table into Citus: drop it first",
            ));
        }
        for key in self.keys.iter().filter(|key| !key.primary) {
            findings.push(Finding::error(
                "KEY_WITHOUT_TENANT",
                &key.name,
                format!(
                    "a unique key over ({}) of the installs: without tenant_id no shard can keep it",
                    key.columns.join(", ")
                ),
            ));
        }
        for trigger in &self.triggers {
            if !GUARD_NAMES
                .iter()
                .any(|guard| trigger.name.starts_with(guard))
            {
                findings.push(Finding::error(
                    "FOREIGN_TRIGGER",
                    format!("{} on {}", trigger.name, trigger.table),
                    "a trigger of somebody else would run once on each replica: drop it first",
                ));
            }
        }
        findings
    }

    /// What differs from the layout that the registry needs. `applied` is what the applied migrations make.
    pub fn findings(&self, schema: &Schema, applied: &Shipped) -> Vec<Finding> {
        match self.layout() {
            Layout::Absent => Vec::new(),
            Layout::Local => vec![
                Finding::note(
                    "CITUS_LOCAL",
                    schema.name(),
                    "the tables are on the coordinator alone",
                )
                .with_mend("ext-migrate distribute"),
            ],
            Layout::Mixed => self
                .tables
                .iter()
                .map(|table| {
                    Finding::error(
                        "CITUS_LAYOUT",
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
                    .flat_map(|node| node.findings(applied, self.extension))
                    .chain(self.writer_findings(schema))
                    .chain(self.clock_findings(schema))
                    .collect()
            }
        }
    }

    fn clock_findings(&self, schema: &Schema) -> impl Iterator<Item = Finding> {
        self.clocks.iter().map(|clock| {
            Finding::error(
                "DEFAULT_PER_REPLICA",
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
            Finding::error(
                "WRITE_RIGHT",
                format!("{role} on {}", writer.table),
                format!("has {rights}: on one node it could write what the others do not have"),
            )
            .with_mend(format!(
                "REVOKE {rights} ON {}.{} FROM {role}",
                schema.quoted(),
                quote_ident(&writer.table)
            ))
        })
    }
}
