//! What the catalogs say about the registry's tables and all that belongs to them, in one query.

use postgres::GenericClient;
use serde::Deserialize;

use crate::error::{Doing, Error};
use crate::situation::{extension, history};

pub const REGISTRY: &str = "extension_registry";
pub const VERSION: &str = "extension_version";
pub const BUNDLE: &str = "extension_bundle";
pub const INSTALL: &str = "tenant_extension_install";

/// The tables that existing deployments have already, parents first.
pub const TABLES: [&str; 4] = [REGISTRY, VERSION, BUNDLE, INSTALL];

/// Those whose rows are history. Installs come and go.
pub const GUARDED: [&str; 3] = [REGISTRY, VERSION, BUNDLE];

/// What the server prints must not depend on what a role or a database sets.
const SETTINGS: &str = "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL quote_all_identifiers = off; \
    SET LOCAL standard_conforming_strings = on; SET LOCAL DateStyle = ISO; SET LOCAL IntervalStyle = postgres; \
    SET LOCAL TimeZone = UTC; SET LOCAL bytea_output = hex; SET LOCAL extra_float_digits = 1";

/// What to look for besides the four tables and the history.
#[derive(Debug)]
pub struct Names {
    pub tables: Vec<String>,
    pub indexes: Vec<String>,
    pub functions: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Facts {
    pub server_version: u32,
    pub role: String,
    pub superuser: bool,
    pub database: String,
    pub may_create_schema: bool,
    /// `track_counts`: the proof needs it.
    pub counts_rows: bool,
    /// As the server prints it: in quotes only where it must.
    pub quoted_schema: String,
    /// None: there is no such schema, or none that the role can see.
    pub schema: Option<Schema>,
    /// Whatever has the name of one of our tables or of the history.
    pub relations: Vec<Relation>,
    /// Other relations of the schema that have a name the migrations give to theirs.
    pub reserved: Vec<String>,
    /// Types that are no row types and have the name of a table.
    pub types: Vec<String>,
    /// What has the name of a function of ours, and all of the DDL guard's schema.
    pub functions: Vec<Function>,
    pub event_triggers: Vec<EventTrigger>,
    /// None: there is no such schema.
    pub ddl_guard_schema_owner: Option<Owner>,
    pub extension: extension::State,
    /// Citus is installed: there is more to look at.
    pub citus: bool,
    /// The schemas with a history table of this product.
    pub histories: Vec<String>,
    /// The schemas that hold all four tables.
    pub complete: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Schema {
    pub may_create: bool,
}

#[derive(Debug, Deserialize)]
pub struct Owner {
    pub owner: String,
    pub superuser: bool,
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
    /// Negative where nobody has counted yet.
    pub rows_estimate: i64,
    /// The share of rows marked as adopted, where the planner knows.
    pub adopted_estimate: Option<f64>,
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
    /// None: that of the type.
    pub collation: Option<String>,
    /// False where strings that differ may be equal.
    pub deterministic: bool,
    pub not_null: bool,
    /// `pg_attribute.attgenerated`
    pub generated: String,
    /// `pg_attribute.attidentity`
    pub identity: String,
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
    /// Operators and functions it uses that are not PostgreSQL's own.
    pub bound: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Index {
    pub name: String,
    pub definition: String,
    pub valid: bool,
    /// The constraint that it belongs to.
    pub constraint: Option<String>,
    /// Unique, immediate, over plain columns and all rows: ON CONFLICT can use it.
    pub arbiter: bool,
    /// Key columns, sorted by name.
    pub columns: Vec<String>,
    pub bound: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Trigger {
    pub name: String,
    pub definition: String,
    /// `pg_trigger.tgenabled`
    pub enabled: String,
    pub before_row: bool,
    pub bound: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Function {
    pub name: String,
    /// `ext_seal_log(text)`
    pub signature: String,
    /// It is in the schema of the DDL guard.
    pub ddl_guard: bool,
    pub owner: String,
    pub owner_superuser: bool,
    /// CREATE OR REPLACE FUNCTION with `@body@` in place of its body.
    pub definition: String,
    pub body: String,
    pub returns: String,
    pub comment: Option<String>,
    /// Belongs to the extension `ext_registry`.
    pub member: bool,
    /// The owner of the tables may call it.
    pub owner_execute: bool,
    pub public_execute: bool,
}

#[derive(Debug, Deserialize)]
pub struct EventTrigger {
    pub name: String,
    pub definition: String,
    /// `pg_event_trigger.evtenabled`
    pub enabled: String,
    pub owner: Owner,
}

impl Facts {
    /// Reads the catalogs. Needs no right but to connect; writes nothing.
    ///
    /// Takes a transaction (or a client in one): settings are made for its length.
    ///
    /// # Errors
    /// What the server answers.
    pub fn read(
        client: &mut impl GenericClient,
        schema: &str,
        names: &Names,
    ) -> Result<Self, Error> {
        let doing = "reading the catalogs";
        client.batch_execute(SETTINGS).doing(doing)?;
        let further = names.tables.iter().map(String::as_str);
        let tables: Vec<&str> = TABLES
            .into_iter()
            .chain([history::TABLE])
            .chain(further)
            .collect();
        let document: String = client
            .query_one(
                include_str!("facts.sql"),
                &[
                    &schema,
                    &tables,
                    &names.indexes,
                    &names.functions,
                    &TABLES.as_slice(),
                    &history::TABLE,
                ],
            )
            .doing(doing)?
            .try_get(0)
            .doing(doing)?;
        parse(&document, doing)
    }

    /// Ours, whatever they are; not the history.
    pub fn tables(&self) -> impl Iterator<Item = &Relation> {
        self.relations
            .iter()
            .filter(|relation| relation.name != history::TABLE)
    }

    /// Those of the four that are there.
    pub fn adopted(&self) -> impl Iterator<Item = &Relation> {
        self.relations
            .iter()
            .filter(|relation| relation.is_adopted())
    }

    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    pub fn function(&self, signature: &str) -> Option<&Function> {
        self.functions
            .iter()
            .find(|function| function.signature == signature)
    }

    /// The owner of the tables; None where there are none or they have several.
    pub fn owner(&self) -> Option<&str> {
        let mut owners = self.adopted().map(|relation| relation.owner.as_str());
        let first = owners.next()?;
        owners.all(|owner| owner == first).then_some(first)
    }
}

impl Relation {
    pub fn is_table(&self) -> bool {
        self.kind == "r"
    }

    /// One of the four, which may be older than the migrations.
    pub fn is_adopted(&self) -> bool {
        TABLES.contains(&self.name.as_str())
    }

    pub fn is_guarded(&self) -> bool {
        GUARDED.contains(&self.name.as_str())
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn trigger(&self, name: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.name == name)
    }
}

impl Column {
    /// Type and collation, and how it is generated.
    pub fn shape(&self) -> String {
        let mut shape = self.data_type.clone();
        if let Some(collation) = &self.collation {
            shape = format!("{shape} COLLATE {collation}");
        }
        match (self.generated.as_str(), self.identity.as_str()) {
            ("", "") => shape,
            ("", "a") => format!("{shape} GENERATED ALWAYS AS IDENTITY"),
            ("", _) => format!("{shape} GENERATED BY DEFAULT AS IDENTITY"),
            _ => format!("{shape} GENERATED ALWAYS"),
        }
    }

    /// An INSERT cannot give it a value.
    pub fn always_generated(&self) -> bool {
        !self.generated.is_empty() || self.identity == "a"
    }

    /// An INSERT need not give it a value.
    pub fn has_default(&self) -> bool {
        self.default.is_some() || !self.generated.is_empty() || !self.identity.is_empty()
    }
}

/// A document of the server's.
pub(super) fn parse<T: serde::de::DeserializeOwned>(
    document: &str,
    doing: &str,
) -> Result<T, Error> {
    serde_json::from_str(document).map_err(|error| Error::Io {
        doing: doing.to_owned(),
        source: error.into(),
    })
}
