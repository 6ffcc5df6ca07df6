//! What Citus knows of the tables.

use std::fmt;

use postgres::GenericClient;
use serde::{Deserialize, Serialize};

use super::facts::{INSTALL, TABLES, parse};
use crate::error::{Doing, Error, one_line};
use crate::schema::{Schema, quote_ident};

#[derive(Debug, Deserialize)]
pub struct Citus {
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

impl Citus {
    /// Reads the catalogs of Citus, which every role may, and where the tables are distributed looks at every node.
    ///
    /// # Errors
    /// What the server answers. A node that does not answer is none.
    pub fn read(client: &mut impl GenericClient, schema: &Schema) -> Result<Self, Error> {
        let document: String = client
            .query_one(
                include_str!("citus.sql"),
                &[&schema.name(), &TABLES.as_slice()],
            )
            .doing(DOING)?
            .try_get(0)
            .doing(DOING)?;
        let mut citus: Self = parse(&document, DOING)?;
        if citus.layout() == Layout::Distributed {
            citus.nodes = Node::read_all(client, schema)?;
        }
        Ok(citus)
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

/// One node. Without a state where it did not answer.
#[derive(Debug)]
pub struct Node {
    /// `host:port`
    pub name: String,
    pub state: Result<State, String>,
}

#[derive(Debug, Deserialize)]
pub struct State {
    pub shards: Vec<Shard>,
    /// The guards' functions.
    pub functions: Vec<ShardFunction>,
    pub extension: bool,
    /// Functions that read, in a language in which Citus does not plan them.
    pub unplannable: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Shard {
    pub table: String,
    pub name: String,
    pub triggers: Vec<ShardTrigger>,
}

/// Without the numbers of shards.
#[derive(Debug, Deserialize)]
pub struct ShardTrigger {
    pub name: String,
    pub definition: String,
    pub enabled: String,
}

#[derive(Debug, Deserialize)]
pub struct ShardFunction {
    pub signature: String,
    /// With `@body@` for the body.
    pub definition: String,
    pub body: String,
}

impl Node {
    /// Asks every node, this one included.
    fn read_all(client: &mut impl GenericClient, schema: &Schema) -> Result<Vec<Self>, Error> {
        // A name that Schema accepts has no quote inside.
        let question =
            include_str!("node.sql").replace("@schema@", &format!("'{}'", schema.name()));
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
