//! Properties of a table under which no guard can hold, whoever gave them to it and whenever.

use super::code::Code;
use super::finding::Finding;
use crate::schema::{Schema, quote_ident};
use crate::situation::facts::{Deferred, Relation};

/// What no table of the registry may be.
pub fn not_a_plain_table(relation: &Relation, schema: &Schema) -> Vec<Finding> {
    let name = &relation.name;
    let table = schema.qualified(name);
    if !relation.is_table() {
        let what = format!("is {} instead of a table", kind_name(&relation.kind));
        return vec![Finding::new(Code::NotATable, name, what)];
    }
    let mut findings = Vec::new();
    if relation.persistence != "p" {
        let message = "is not logged: its rows do not survive a crash";
        findings.push(
            Finding::new(Code::NotLogged, name, message)
                .with_mend(format!("ALTER TABLE {table} SET LOGGED")),
        );
    }
    if relation.typed {
        let message = "is a table OF a type: it cannot get columns of its own";
        findings.push(Finding::new(Code::TypedTable, name, message));
    }
    // Rows of a child show in the parent, and no guard of the parent fires for them.
    for child in &relation.children {
        let message = format!(
            "the table {child} inherits from it: its rows show here, and no guard protects them"
        );
        findings.push(
            Finding::new(Code::Inherited, name, message)
                .with_mend(format!("ALTER TABLE {child} NO INHERIT {table}")),
        );
    }
    for parent in &relation.parents {
        let message = format!(
            "belongs to {parent} by inheritance or as a partition, from where its rows can be changed"
        );
        findings.push(
            Finding::new(Code::Inherits, name, message).with_mend(format!(
                "ALTER TABLE {table} NO INHERIT {parent} (or DETACH PARTITION)"
            )),
        );
    }
    findings
}

/// What would break the guards or finalize, on a table whose rows are history.
pub fn in_the_way(relation: &Relation, schema: &Schema) -> Vec<Finding> {
    let table = schema.qualified(&relation.name);
    let mut findings = Vec::new();
    if relation.force_row_security {
        findings.push(
            Finding::new(
                Code::ForceRowSecurity,
                &relation.name,
                "has FORCE ROW LEVEL SECURITY: its policies bind the owner, and the guards cannot see every row",
            )
            .with_mend(format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")),
        );
    }
    for rule in &relation.rules {
        let object = format!("{rule} on {}", relation.name);
        let message = "a rule rewrites statements on this table: what it says may never arrive";
        findings.push(
            Finding::new(Code::Rule, object, message)
                .with_mend(format!("DROP RULE {} ON {table}", quote_ident(rule))),
        );
    }
    findings.extend(
        relation
            .deferred
            .iter()
            .map(|deferred| deferred_check(deferred, &relation.name, &table)),
    );
    findings
}

/// Finalize writes as in a security-restricted operation, where the server refuses to leave a check for the commit
/// (42501): every publish would fail.
fn deferred_check(deferred: &Deferred, relation: &str, table: &str) -> Finding {
    let name = quote_ident(&deferred.name);
    let (what, mend) = match deferred.kind.as_str() {
        "f" => (
            "foreign key",
            format!("ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE"),
        ),
        // ALTER CONSTRAINT is for foreign keys alone.
        _ => (
            "constraint trigger",
            format!("DROP TRIGGER {name} ON {table}, and create it without INITIALLY DEFERRED"),
        ),
    };
    Finding::new(
        Code::DeferredCheck,
        format!("{} on {relation}", deferred.name),
        format!("this {what} is INITIALLY DEFERRED: every publish would fail with 42501"),
    )
    .with_mend(mend)
}

fn kind_name(kind: &str) -> &'static str {
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
