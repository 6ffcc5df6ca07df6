//! What Citus knows of the tables.

use std::fmt;

use postgres::GenericClient;
use serde::{Deserialize, Serialize};

use super::nodes::Node;
use crate::error::{Doing, Error};
use crate::inspect::facts::{INSTALL, TABLES};
use crate::inspect::{Finding, Preflight, Shipped};
use crate::schema::{Schema, quote_ident};

#[derive(Debug, Deserialize)]
pub struct Found {
    pub version: String,
    /// `ext_registry` is installed here.
    pub extension: bool,
    /// The session is on a worker.
    pub worker: bool,
    pub workers: usize,
    /// The coordinator is in Citus' own list of nodes, and so holds replicas.
    pub coordinator_is_node: bool,
    pub tables: Vec<Table>,
    /// From or to tables that are none of ours, in words.
    pub foreign_keys: Vec<String>,
    /// Unique keys of the installs without tenant_id.
    pub keys: Vec<Key>,
    /// Who besides the owner may write to the guarded tables.
    pub writers: Vec<Writer>,
    /// Columns of the guarded tables with DEFAULT CURRENT_TIMESTAMP.
    pub clocks: Vec<Clock>,
    pub triggers: Vec<Trigger>,
    pub owner_may_log_in: bool,
    /// Only where the tables are distributed.
    #[serde(skip)]
    pub nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub struct Table {
    pub name: String,
    pub kind: Kind,
    /// What it is distributed by.
    pub column: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Local,
    Reference,
    Distributed,
    /// A table of one node that Citus has in its metadata.
    Managed,
}

#[derive(Debug, Deserialize)]
pub struct Key {
    pub name: String,
    pub primary: bool,
    pub columns: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Writer {
    pub table: String,
    /// As SQL writes it; none for PUBLIC.
    pub role: Option<String>,
    pub rights: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Clock {
    pub table: String,
    pub column: String,
}

impl Clock {
    /// The same time, computed once for all replicas.
    pub fn once(&self, schema: &Schema) -> String {
        format!(
            "ALTER TABLE {}.{} ALTER COLUMN {} SET DEFAULT now()",
            schema.quoted(),
            quote_ident(&self.table),
            quote_ident(&self.column)
        )
    }
}

#[derive(Debug, Deserialize)]
pub struct Trigger {
    pub name: String,
    pub table: String,
}

/// In JSON `absent`, `local`, `distributed` or `mixed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// There are no tables yet.
    Absent,
    /// Plain tables of the coordinator.
    Local,
    Distributed,
    /// Something else.
    Mixed,
}

/// For reports. In JSON `{"version": "13.2-1", "workers": 2, "layout": "distributed"}`.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub version: String,
    pub workers: usize,
    pub layout: Layout,
}

const DOING: &str = "looking at Citus";

impl Found {
    /// Reads the catalogs of Citus, which every role may, and where the tables are distributed looks at every node.
    ///
    /// # Errors
    /// What the server answers. A node that does not answer is none.
    pub fn read(client: &mut impl GenericClient, schema: &Schema) -> Result<Self, Error> {
        let document: String = client
            .query_one(
                include_str!("facts.sql"),
                &[&schema.name(), &TABLES.as_slice()],
            )
            .doing(DOING)?
            .try_get(0)
            .doing(DOING)?;
        let mut found: Self = serde_json::from_str(&document).map_err(|error| Error::Io {
            doing: DOING.to_owned(),
            source: error.into(),
        })?;
        if found.layout() == Layout::Distributed {
            found.nodes = Node::read_all(client, schema)?;
        }
        Ok(found)
    }

    /// Refuses to work on a worker, and expects the guards for shards where the tables are in shards.
    ///
    /// # Errors
    /// As for [`Shipped::of`].
    pub fn adjust(
        &self,
        schema: &Schema,
        preflight: &mut Preflight,
        applied: &mut Shipped,
    ) -> Result<(), Error> {
        if self.worker {
            // Whatever else does not fit, is as it should be on a worker.
            preflight.refusals.clear();
            preflight.refuse(Finding::error(
                "CITUS_WORKER",
                schema.name(),
                "this node is a worker of Citus: connect to the coordinator",
            ));
        }
        let unguarded = applied.functions.is_empty();
        if unguarded && matches!(self.layout(), Layout::Distributed | Layout::Mixed) && !self.worker
        {
            preflight.refuse(
                Finding::error(
                    "DISTRIBUTED_ALREADY",
                    schema.name(),
                    "Citus makes foreign keys anew when migrations run on tables that are distributed already, \
                     and nothing would prove that they lost nothing",
                )
                .with_mend(format!(
                    "SELECT undistribute_table('{}.extension_registry', cascade_via_foreign_keys => true), then \
                     ext-migrate up and ext-migrate distribute",
                    schema.quoted()
                )),
            );
        }
        if self.layout() == Layout::Distributed && !applied.functions.is_empty() {
            applied.replace_functions(schema)?;
        }
        Ok(())
    }

    pub fn layout(&self) -> Layout {
        let wanted = |table: &Table| match table.name.as_str() {
            INSTALL => {
                table.kind == Kind::Distributed && table.column.as_deref() == Some("tenant_id")
            }
            _ => table.kind == Kind::Reference,
        };
        match self.tables.as_slice() {
            [] => Layout::Absent,
            tables if tables.iter().all(wanted) => Layout::Distributed,
            tables if tables.iter().all(|table| table.kind == Kind::Local) => Layout::Local,
            _ => Layout::Mixed,
        }
    }

    pub fn summary(&self) -> Summary {
        Summary {
            version: self.version.clone(),
            workers: self.workers,
            layout: self.layout(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Citus {}, ", self.version)?;
        match self.workers {
            1 => f.write_str("1 worker: ")?,
            workers => write!(f, "{workers} workers: ")?,
        }
        f.write_str(match self.layout {
            Layout::Absent => "no tables yet",
            Layout::Local => "the tables are on the coordinator alone (ext-migrate distribute)",
            Layout::Distributed => {
                "registry, versions and bundles are on every node, installs distributed by tenant_id"
            }
            Layout::Mixed => "the tables are distributed in a way of their own",
        })
    }
}
