//! Properties of a table under which no guard can hold, whoever gave them to it and whenever.

use super::facts::{Deferred, Relation};
use super::finding::Finding;
use crate::schema::{Schema, quote_ident};

impl Relation {
    pub fn is_table(&self) -> bool {
        self.kind == "r"
    }

    /// Inheritance: rows of a child show in the parent, and no guard of the parent fires for them.
    pub fn heirs(&self, schema: &Schema) -> Vec<Finding> {
        let table = format!("{}.{}", schema.quoted(), quote_ident(&self.name));
        let children = self.children.iter().map(|child| {
            Finding::error(
                "INHERITED",
                &self.name,
                format!("the table {child} inherits from it: its rows show here, and no guard protects them"),
            )
            .with_mend(format!("ALTER TABLE {child} NO INHERIT {table}"))
        });
        let parents = self.parents.iter().map(|parent| {
            Finding::error(
                "INHERITS",
                &self.name,
                format!("belongs to {parent} by inheritance or as a partition, from where its rows can be changed"),
            )
            .with_mend(format!("ALTER TABLE {table} NO INHERIT {parent} (or DETACH PARTITION)"))
        });
        children.chain(parents).collect()
    }

    pub fn forced_row_security(&self, schema: &Schema) -> Option<Finding> {
        self.force_row_security.then(|| {
            Finding::error(
                "FORCE_ROW_SECURITY",
                &self.name,
                "has FORCE ROW LEVEL SECURITY: its policies bind the owner, and the guards cannot see every row",
            )
            .with_mend(format!(
                "ALTER TABLE {}.{} NO FORCE ROW LEVEL SECURITY",
                schema.quoted(),
                quote_ident(&self.name)
            ))
        })
    }

    pub fn rewritten(&self, schema: &Schema) -> Vec<Finding> {
        let rule = |rule: &String| {
            Finding::error(
                "RULE",
                format!("{rule} on {}", self.name),
                "a rule rewrites statements on this table: what it says may never arrive",
            )
            .with_mend(format!(
                "DROP RULE {} ON {}.{}",
                quote_ident(rule),
                schema.quoted(),
                quote_ident(&self.name)
            ))
        };
        self.rules.iter().map(rule).collect()
    }

    /// Finalize writes as in a security-restricted operation, where the server refuses to leave a check for the
    /// commit (42501): every publish would fail.
    pub fn deferred_checks(&self, schema: &Schema) -> Vec<Finding> {
        let table = format!("{}.{}", schema.quoted(), quote_ident(&self.name));
        let deferred = |deferred: &Deferred| {
            let name = quote_ident(&deferred.name);
            let (what, mend) = match deferred.kind.as_str() {
                "f" => (
                    "foreign key",
                    format!("ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE"),
                ),
                // ALTER CONSTRAINT is for foreign keys alone.
                _ => (
                    "constraint trigger",
                    format!(
                        "DROP TRIGGER {name} ON {table}, and create it without INITIALLY DEFERRED"
                    ),
                ),
            };
            Finding::error(
                "DEFERRED_CHECK",
                format!("{} on {}", deferred.name, self.name),
                format!("this {what} is INITIALLY DEFERRED: every publish would fail with 42501"),
            )
            .with_mend(mend)
        };
        self.deferred.iter().map(deferred).collect()
    }
}

pub fn kind_name(kind: &str) -> &'static str {
    match kind {
        "r" => "a table",
        "v" => "a view",
        "m" => "a materialized view",
        "f" => "a foreign table",
        "p" => "a partitioned table",
        "S" => "a sequence",
        "i" | "I" => "an index",
        "c" => "a composite type",
        _ => "something else",
    }
}
