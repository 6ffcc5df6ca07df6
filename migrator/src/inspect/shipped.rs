//! The objects that the migrations make, as the tests of the lint print them from their SQL.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Error;
use crate::migrations::Migration;
use crate::schema::Schema;

const PRINTED: &str = include_str!("../../../sql/shipped.json");

/// What one file makes.
#[derive(Debug, Clone, std::default::Default, Deserialize)]
pub struct Made {
    functions: Vec<Function>,
    triggers: Vec<Trigger>,
    indexes: Vec<Index>,
    checks: Vec<Check>,
    defaults: Vec<Default>,
    tables: Vec<String>,
    keys: Vec<String>,
    with: Vec<(String, String)>,
}

impl Made {
    /// What each file makes in this schema.
    pub fn printed(schema: &Schema) -> Result<BTreeMap<String, Self>, Error> {
        // No character of a usable name has another form in JSON.
        let quoted = schema.quoted().replace('"', "\\\"");
        serde_json::from_str(&PRINTED.replace("@schema@", &quoted)).map_err(|error| Error::Io {
            doing: "reading what the migrations make".to_owned(),
            source: error.into(),
        })
    }
}

/// What a set of migrations makes. A later definition of a function or trigger replaces an earlier one; a function keeps
/// its COMMENT and REVOKE.
#[derive(Debug, std::default::Default)]
pub struct Shipped {
    pub functions: Vec<Function>,
    pub triggers: Vec<Trigger>,
    pub indexes: Vec<Index>,
    pub checks: Vec<Check>,
    pub defaults: Vec<Default>,
    pub tables: Vec<String>,
    /// Constraints of CREATE TABLE that have an index of their name.
    keys: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Function {
    pub name: String,
    pub body: String,
    pub security_definer: bool,
    /// As `pg_proc.proconfig` holds them.
    pub settings: Vec<String>,
    /// CREATE OR REPLACE FUNCTION
    pub sql: String,
    /// Its REVOKE and COMMENT.
    #[serde(skip)]
    pub with: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Trigger {
    pub name: String,
    pub table: String,
    pub function: String,
    /// CREATE TRIGGER: one that is there under this name is for people to drop.
    pub sql: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Index {
    pub name: String,
    pub table: String,
    /// CREATE INDEX CONCURRENTLY IF NOT EXISTS
    pub sql: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    pub name: String,
    pub table: String,
    /// ALTER TABLE … ADD CONSTRAINT … NOT VALID
    pub sql: String,
}

/// A default that a migration changed later.
#[derive(Debug, Clone, Deserialize)]
pub struct Default {
    pub table: String,
    pub column: String,
    /// ALTER TABLE … ALTER COLUMN … SET DEFAULT
    pub sql: String,
}

impl Shipped {
    /// What `migrations` make.
    pub fn of<'a>(migrations: impl IntoIterator<Item = &'a Migration>) -> Self {
        let mut shipped = Self::default();
        for migration in migrations {
            shipped.add(migration.made.clone());
        }
        shipped
    }

    /// Puts the functions for tables in shards in place of those of the same name.
    pub fn replace_functions(&mut self, schema: &Schema) -> Result<(), Error> {
        let guards = Made::printed(schema)?.remove("guards.sql");
        self.add(guards.unwrap_or_default());
        Ok(())
    }

    fn add(&mut self, made: Made) {
        for mut function in made.functions {
            if let Some(old) = self.functions.iter().position(|f| f.name == function.name) {
                function.with = self.functions.remove(old).with;
            }
            self.functions.push(function);
        }
        for trigger in made.triggers {
            self.triggers.retain(|known| known.name != trigger.name);
            self.triggers.push(trigger);
        }
        for (name, sql) in made.with {
            if let Some(function) = self.functions.iter_mut().find(|f| f.name == name) {
                function.with.push(sql);
            }
        }
        self.indexes.extend(made.indexes);
        self.checks.extend(made.checks);
        self.defaults.extend(made.defaults);
        self.tables.extend(made.tables);
        self.keys.extend(made.keys);
    }

    /// Names in the schema's space of relations, other than the tables themselves.
    pub fn relation_names(&self) -> Vec<&str> {
        let indexes = self.indexes.iter().map(|index| index.name.as_str());
        indexes
            .chain(self.keys.iter().map(String::as_str))
            .collect()
    }

    pub fn function_names(&self) -> Vec<&str> {
        self.functions
            .iter()
            .map(|function| function.name.as_str())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::expected;
    use crate::migrations::Migrations;
    use crate::schema::Schema;

    fn shipped() -> Shipped {
        let schema = Schema::new("Odd name").unwrap();
        Shipped::of(&Migrations::embedded().in_schema(&schema).unwrap())
    }

    #[test]
    fn everything_shipped_has_an_expected_definition() {
        let shipped = shipped();
        let triggers = shipped.triggers.iter().map(|t| (&t.name, &t.sql));
        let indexes = shipped.indexes.iter().map(|i| (&i.name, &i.sql));
        let checks = shipped.checks.iter().map(|c| (&c.name, &c.sql));
        for (name, sql) in triggers.chain(indexes).chain(checks) {
            assert!(
                expected::definition(name, sql, "public").is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn statements_can_be_run_again() {
        let shipped = shipped();
        assert!(!shipped.functions.is_empty() && !shipped.triggers.is_empty());
        for function in &shipped.functions {
            assert!(
                function
                    .sql
                    .starts_with("CREATE OR REPLACE FUNCTION \"Odd name\".")
            );
            assert!(function.body.contains("RAISE EXCEPTION"));
            assert!(function.settings[0] == "search_path=pg_catalog, pg_temp");
            assert!(function.with.iter().any(|sql| sql.starts_with("REVOKE")));
        }
        for trigger in &shipped.triggers {
            assert!(
                shipped
                    .functions
                    .iter()
                    .any(|function| function.name == trigger.function)
            );
        }
        for index in &shipped.indexes {
            assert!(index.sql.contains("CONCURRENTLY IF NOT EXISTS"));
        }
        for check in &shipped.checks {
            assert!(check.sql.ends_with("NOT VALID"), "{}", check.sql);
        }
        assert_eq!(shipped.defaults.len(), 2);
    }
}
