//! What the catalogs say about the four tables, those of the log, and all that belongs to them, in one query.

use postgres::GenericClient;
use serde::Deserialize;

use super::shipped::Shipped;
use crate::error::{Doing, Error};

pub const REGISTRY: &str = "extension_registry";
pub const VERSION: &str = "extension_version";
pub const BUNDLE: &str = "extension_bundle";
pub const INSTALL: &str = "tenant_extension_install";

/// The tables of the contract, parents first.
pub const TABLES: [&str; 4] = [REGISTRY, VERSION, BUNDLE, INSTALL];

/// Those whose rows are history. Installs come and go.
pub const GUARDED: [&str; 3] = [REGISTRY, VERSION, BUNDLE];

/// The tables of the log of published versions, which migrations make later and which are never adopted.
pub const LOG_TABLES: [&str; 4] = [
    "extension_log_leaf",
    "extension_log_tile",
    "extension_log_checkpoint",
    "extension_log_signature",
];

/// The functions of the extension, whose names nothing else in the schema may have.
pub const EXTENSION_FUNCTIONS: [&str; 12] = [
    "ext_finalize_version",
    "ext_finalize_bundle",
    "ext_list_versions",
    "ext_extension_id",
    "ext_version_leaf",
    "ext_seal_log",
    "ext_sign_checkpoint",
    "ext_log_checkpoint",
    "ext_inclusion_proof",
    "ext_consistency_proof",
    "ext_log_tile",
    "ext_verify_log",
];

#[derive(Debug, Deserialize)]
pub struct Facts {
    pub server_version: u32,
    pub role: String,
    pub superuser: bool,
    pub may_create_schema: bool,
    /// As the server prints it: in quotes only where it must.
    pub quoted_schema: String,
    /// None: there is no such schema, or none that the role can see.
    pub schema: Option<Schema>,
    /// Whatever has the name of one of the four tables.
    pub relations: Vec<Relation>,
    /// Whatever has the name of a table of the log.
    #[serde(default)]
    pub log: Vec<Relation>,
    /// Other relations of the schema that have a name the migrations give to theirs.
    pub reserved: Vec<String>,
    /// Types that are no row types and have the name of one of the four tables.
    pub types: Vec<String>,
    /// Functions without arguments that have the name of a guard.
    pub functions: Vec<Function>,
    pub extension_functions: Vec<ExtensionFunction>,
    pub extension: Option<Extension>,
    /// Citus is installed: there is more to look at.
    pub citus: bool,
    /// The version that the server would install.
    pub extension_available: Option<String>,
    /// Every history table of this product in the database.
    pub histories: Vec<History>,
}

#[derive(Debug, Deserialize)]
pub struct Schema {
    pub may_create: bool,
}

#[derive(Debug, Deserialize)]
pub struct Relation {
    pub name: String,
    /// `pg_class.relkind`
    pub kind: String,
    /// `pg_class.relpersistence`
    pub persistence: String,
    pub typed: bool,
    pub owner: String,
    pub owner_may_create: bool,
    pub may_become_owner: bool,
    pub row_security: bool,
    pub force_row_security: bool,
    pub rows_estimate: i64,
    pub readable: bool,
    pub parents: Vec<String>,
    pub children: Vec<String>,
    /// Roles besides the owner that may put triggers on the table.
    pub trigger_rights: Vec<String>,
    pub public_rights: Vec<String>,
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    pub indexes: Vec<Index>,
    pub triggers: Vec<Trigger>,
    pub rules: Vec<String>,
    /// Foreign keys to or from the table whose triggers do not fire.
    pub disabled_foreign_keys: Vec<String>,
    /// What an INSERT into the table leaves for the commit.
    pub deferred: Vec<Deferred>,
}

/// An INITIALLY DEFERRED foreign key or constraint trigger.
#[derive(Debug, Deserialize)]
pub struct Deferred {
    pub name: String,
    /// `pg_constraint.contype`
    pub kind: String,
}

#[derive(Debug, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: String,
    pub not_null: bool,
    /// GENERATED ALWAYS, as expression or identity: an INSERT cannot give it a value.
    pub generated: bool,
    pub default: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Constraint {
    pub name: String,
    /// `pg_constraint.contype`
    pub kind: String,
    pub definition: String,
    pub valid: bool,
    /// False for what 18 calls NOT ENFORCED: it is there and checks nothing.
    pub enforced: bool,
    /// Sorted by name.
    pub columns: Vec<String>,
    /// The table a foreign key points at, where that is in the same schema.
    pub references: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Index {
    pub name: String,
    pub definition: String,
    pub valid: bool,
    /// Unique, immediate, over plain columns and all rows: ON CONFLICT can use it.
    pub arbiter: bool,
    /// Key columns, sorted by name.
    pub columns: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Trigger {
    pub name: String,
    pub definition: String,
    /// `pg_trigger.tgenabled`
    pub enabled: String,
    pub before_row: bool,
}

#[derive(Debug, Deserialize)]
pub struct Function {
    pub name: String,
    pub owner: String,
    pub body: String,
    pub language: String,
    pub returns: String,
    pub security_definer: bool,
    pub settings: Vec<String>,
    pub public_execute: bool,
}

#[derive(Debug, Deserialize)]
pub struct ExtensionFunction {
    pub signature: String,
    /// Belongs to the extension `ext_registry`.
    pub member: bool,
    /// The owner of the tables may call it.
    pub owner_execute: bool,
    pub public_execute: bool,
}

#[derive(Debug, Deserialize)]
pub struct Extension {
    pub version: String,
    pub schema: String,
}

#[derive(Debug, Deserialize)]
pub struct History {
    pub schema: String,
    /// `pg_class.relkind`
    pub kind: String,
    pub public_rights: Vec<String>,
}

impl Facts {
    /// Reads the catalogs. Needs no right but to connect; writes nothing.
    ///
    /// Takes a transaction (or a client in one): `search_path` is set for its length, so that the server prints
    /// every name with its schema.
    ///
    /// # Errors
    /// What the server answers.
    pub fn read(
        client: &mut impl GenericClient,
        schema: &str,
        shipped: &Shipped,
    ) -> Result<Self, Error> {
        let doing = "reading the catalogs";
        client
            .batch_execute("SET LOCAL search_path = pg_catalog, pg_temp")
            .doing(doing)?;
        let row = client
            .query_one(
                include_str!("facts.sql"),
                &[
                    &schema,
                    &[TABLES, LOG_TABLES].concat(),
                    &shipped.relation_names(),
                    &shipped.function_names(),
                    &EXTENSION_FUNCTIONS.as_slice(),
                    &crate::history::TABLE,
                ],
            )
            .doing(doing)?;
        let document: String = row.try_get(0).doing(doing)?;
        let mut facts: Self = serde_json::from_str(&document).map_err(|error| Error::Io {
            doing: doing.to_owned(),
            source: error.into(),
        })?;
        (facts.log, facts.relations) = facts
            .relations
            .into_iter()
            .partition(|relation| LOG_TABLES.contains(&relation.name.as_str()));
        Ok(facts)
    }

    /// Those of the contract, then those of the log.
    pub fn all_relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.iter().chain(&self.log)
    }

    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.all_relations().find(|relation| relation.name == name)
    }

    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The owner of the tables; None where there are none or they have several.
    pub fn owner(&self) -> Option<&str> {
        let mut owners = self
            .relations
            .iter()
            .map(|relation| relation.owner.as_str());
        let first = owners.next()?;
        owners.all(|owner| owner == first).then_some(first)
    }
}

impl Relation {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints
            .iter()
            .find(|constraint| constraint.name == name)
    }

    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    pub fn trigger(&self, name: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.name == name)
    }
}
