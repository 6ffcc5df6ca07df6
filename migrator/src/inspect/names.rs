//! Names that the migrations are going to use.

use super::facts::{Facts, GUARDED};
use super::finding::Finding;
use super::preflight::Purpose;
use super::shipped::Shipped;
use crate::schema::{Schema, quote_ident};

/// Those that are taken already, where no history says that they are ours.
pub fn taken(facts: &Facts, schema: &Schema, shipped: &Shipped, purpose: Purpose) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_taken = |object: String, what: &str| {
        Finding::error(
            "NAME_TAKEN",
            object,
            format!("there is {what} of this name already, and no history says that it is ours"),
        )
    };
    for name in &facts.types {
        findings.push(is_taken(name.clone(), "a type"));
    }
    for relation in &facts.log {
        findings.push(is_taken(relation.name.clone(), "a relation"));
    }
    for name in &facts.reserved {
        // The keys of adopted tables may well have the names of the contract.
        let of_adopted = facts.relations.iter().any(|relation| {
            relation
                .constraints
                .iter()
                .any(|constraint| constraint.name == *name)
        });
        if !of_adopted || shipped.indexes.iter().any(|index| index.name == *name) {
            findings.push(is_taken(name.clone(), "a relation"));
        }
    }
    for function in &facts.functions {
        findings.push(is_taken(format!("{}()", function.name), "a function"));
    }
    if purpose.extension && facts.extension.is_none() {
        for function in &facts.extension_functions {
            findings.push(is_taken(function.signature.clone(), "a function"));
        }
    }
    for relation in &facts.relations {
        let triggers = relation
            .triggers
            .iter()
            .map(|trigger| (&trigger.name, "a trigger"));
        let checks = relation
            .constraints
            .iter()
            .map(|constraint| (&constraint.name, "a constraint"));
        for (name, what) in triggers.chain(checks) {
            let ours = shipped.triggers.iter().any(|trigger| trigger.name == *name)
                || shipped.checks.iter().any(|check| check.name == *name);
            if ours {
                findings.push(is_taken(format!("{name} on {}", relation.name), what));
            }
        }
        if GUARDED.contains(&relation.name.as_str()) && relation.column("adopted").is_some() {
            findings.push(
                is_taken(format!("{}.adopted", relation.name), "a column").with_mend(format!(
                    "ALTER TABLE {}.{} RENAME COLUMN adopted TO …",
                    schema.quoted(),
                    quote_ident(&relation.name)
                )),
            );
        }
    }
    findings
}
