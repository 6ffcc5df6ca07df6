//! `sql/catalog.json`: what the database looks like after each migration. A test prints it; nobody writes it.

use serde::{Deserialize, Serialize};

use super::object::{Kind, Object};
use crate::schema::Schema;
use crate::situation::facts::{Names, TABLES};

const FILE: &str = include_str!("../../../sql/catalog.json");

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Catalog {
    /// What the migrations make.
    pub migrations: Vec<Dated>,
    /// The functions of this release of the extension.
    pub extension: Vec<Object>,
    /// Those of them that are others where Citus is.
    pub readers_on_citus: Vec<Object>,
    /// The guards' functions where the tables are in shards.
    pub guards_on_shards: Vec<Object>,
    /// What `up --ddl-guard` makes.
    pub ddl_guard: Vec<Object>,
}

/// An object from one migration to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    pub since: i32,
    /// The migration that made another of it or removed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i32>,
    #[serde(flatten)]
    pub object: Object,
}

impl Dated {
    pub fn is_there_at(&self, version: i32) -> bool {
        self.since <= version && self.until.is_none_or(|until| version < until)
    }

    /// On tables that existing deployments have, the first migration makes nothing: these are looked at by a policy.
    pub fn is_adopted(&self) -> bool {
        self.since == 1
            && (TABLES.contains(&self.object.table.as_str())
                || TABLES.contains(&self.object.name.as_str()))
    }
}

impl Catalog {
    pub fn shipped() -> Self {
        // Cannot fail: a test prints the file.
        serde_json::from_str(FILE).expect("a test prints the file")
    }

    /// With the names of this schema, as this server prints it.
    pub fn in_schema(&self, printed: &str, schema: &Schema) -> Self {
        let quoted = schema.quoted();
        let ours = |object: &Object| object.in_schema(schema.name(), printed, &quoted);
        // PostgreSQL itself fills in the schema of the extension.
        let extension = |object: &Object| object.in_schema(schema.name(), printed, printed);
        let dated = |dated: &Dated| Dated {
            object: ours(&dated.object),
            ..dated.clone()
        };
        Self {
            migrations: self.migrations.iter().map(dated).collect(),
            extension: self.extension.iter().map(extension).collect(),
            readers_on_citus: self.readers_on_citus.iter().map(extension).collect(),
            guards_on_shards: self.guards_on_shards.iter().map(ours).collect(),
            ddl_guard: self.ddl_guard.iter().map(ours).collect(),
        }
    }

    /// Names of what the migrations and the extension ever make.
    fn names_of(&self, wanted: impl Fn(&Object) -> bool) -> Vec<String> {
        let made = self.migrations.iter().map(|dated| &dated.object);
        let mut names: Vec<_> = made
            .chain(&self.extension)
            .filter(|object| wanted(object))
            .map(|object| object.name.split('(').next().unwrap_or_default().to_owned())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The registry's tables, those of the log and the history.
    pub fn all_tables(&self) -> Vec<String> {
        self.names_of(|object| object.kind == Kind::Table)
    }

    /// What [`crate::situation::Situation`] is read with.
    pub fn names(&self) -> Names {
        let of = |kinds: &[Kind]| self.names_of(|object| kinds.contains(&object.kind));
        Names {
            tables: self.all_tables(),
            // Indexes, and constraints that have an index of their name.
            indexes: self.names_of(|object| object.kind == Kind::Index || object.is_key()),
            functions: of(&[Kind::Function]),
        }
    }
}
