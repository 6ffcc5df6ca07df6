//! What is there besides what we made, and weakens it or costs for nothing.

use super::code::Code;
use super::compare::Comparison;
use super::finding::Finding;
use super::object::{Kind, Object};
use super::{obstacles, policy};
use crate::schema::quote_ident;
use crate::situation::facts::Relation;

impl Comparison<'_> {
    pub(super) fn foreign_keys_off(&self, relation: &Relation) -> Vec<Finding> {
        let finding = |key: &String| {
            Finding::new(
                Code::ForeignKeyDisabled,
                format!("{key} on {}", relation.name),
                "the triggers that enforce this foreign key are switched off",
            )
            .with_mend(format!(
                "ALTER TABLE {} ENABLE TRIGGER ALL (as superuser), then ext-migrate up",
                self.schema.qualified(&relation.name)
            ))
        };
        relation.disabled_foreign_keys.iter().map(finding).collect()
    }

    /// Indexes and constraints that do what one of ours does, and what broken builds have left.
    pub(super) fn twice(&self, relation: &Relation) -> Vec<Finding> {
        let wanted = |kind, name: &str| self.made(kind, &relation.name).any(|o| o.name == name);
        let mut findings = Vec::new();
        let mut known = Vec::new();
        let mut indexes: Vec<_> = relation.indexes.iter().collect();
        // Ours first, then those that belong to constraints.
        indexes.sort_by_key(|index| {
            let ours = wanted(Kind::Index, &index.name);
            (!ours, index.constraint.is_none(), index.name.clone())
        });
        for index in indexes {
            let ours = wanted(Kind::Index, &index.name);
            let (kind, name) = match &index.constraint {
                Some(constraint) => (Kind::Constraint, constraint),
                None => (Kind::Index, &index.name),
            };
            let drop = self.drop(&Object::new(kind, &relation.name, name, ""));
            let what = [quote_ident(&index.name), index.name.clone()]
                .iter()
                .fold(index.definition.clone(), |definition, name| {
                    definition.replacen(&format!(" {name} "), " ", 1)
                });
            if !index.valid {
                let message = "an invalid index, left by a build or REINDEX that was cut short";
                let left = (!ours && index.constraint.is_none())
                    .then(|| Finding::new(Code::IndexLeftOver, &index.name, message));
                findings.extend(left.map(|finding| finding.with_mend(drop)));
            } else if let Some((_, other)) = known.iter().find(|(known, _)| *known == what) {
                let message = format!("does the same as {other}");
                findings.push(Finding::new(Code::IndexTwice, &index.name, message).with_mend(drop));
            } else if ours
                || wanted(Kind::Constraint, &index.name)
                || policy::is_key(relation, index)
            {
                known.push((what, index.name.as_str()));
            }
        }
        let further = self.found.iter().filter(|found| {
            found.kind == Kind::Constraint
                && found.table == relation.name
                && !wanted(Kind::Constraint, &found.name)
        });
        findings.extend(further.filter_map(|found| {
            let same = self
                .made(Kind::Constraint, &found.table)
                .find(|made| !made.is_key() && made.definition == found.definition)?;
            let message = format!("says the same as {}", same.name);
            let finding = Finding::new(Code::ConstraintTwice, found.label(), message);
            Some(finding.with_mend(self.drop(found)))
        }));
        findings
    }

    /// Nobody else puts anything on the tables of the log and the history.
    pub(super) fn not_ours(&self, relation: &Relation) -> Vec<Finding> {
        let name = relation.name.as_str();
        if relation.is_adopted() || self.made(Kind::Column, name).next().is_none() {
            return Vec::new();
        }
        // The same constraint twice is told as that; Citus has triggers of its own.
        let told = |found: &Object| match found.kind {
            Kind::Constraint => self
                .made(Kind::Constraint, name)
                .any(|wanted| wanted.definition == found.definition),
            Kind::Trigger => self.facts.citus && found.name.starts_with("truncate_trigger_"),
            Kind::Default => false,
            _ => true,
        };
        let mut findings = obstacles::in_the_way(relation, self.schema);
        for found in self.found.iter().filter(|found| found.table == name) {
            if !told(found) && !self.made.iter().any(|wanted| wanted.is(found)) {
                let message = format!("no migration made it: {}", found.definition);
                let finding = Finding::new(Code::NotOurs, found.label(), message);
                findings.push(finding.with_mend(self.drop(found)));
            }
        }
        findings
    }

    pub(super) fn public_rights(&self, relation: &Relation) -> Option<Finding> {
        (!relation.public_rights.is_empty()).then(|| {
            Finding::new(
                Code::PublicRight,
                &relation.name,
                format!("PUBLIC has {}", relation.public_rights.join(", ")),
            )
            .with_mend(format!(
                "REVOKE ALL ON TABLE {} FROM PUBLIC",
                self.schema.qualified(&relation.name)
            ))
        })
    }
}
