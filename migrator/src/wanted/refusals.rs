//! Whether the migrations can run here at all: decided before anything happens.

use super::catalog::Catalog;
use super::code::Code;
use super::finding::Finding;
use super::object::Kind;
use super::{For, Progress, Purpose, obstacles, policy};
use crate::schema::{Schema, extension_script_can_carry, quote_ident};
use crate::situation::facts::{Facts, Relation, TABLES};
use crate::situation::{extension, history};

pub struct Judge<'a> {
    pub facts: &'a Facts,
    pub schema: &'a Schema,
    pub catalog: &'a Catalog,
    pub progress: Progress,
    pub purpose: Purpose,
}

impl Judge<'_> {
    /// Why `up` would not begin.
    pub fn refusals(&self) -> Vec<Finding> {
        let mut refusals = self.second_registry();
        refusals.extend(self.owners());
        refusals.extend(self.incomplete());
        for relation in &self.facts.relations {
            refusals.extend(obstacles::not_a_plain_table(relation, self.schema));
        }
        if self.progress == Progress::None {
            refusals.extend(self.names_taken());
            for relation in self.facts.adopted().filter(|table| table.is_table()) {
                refusals.extend(policy::misfits(relation, self.schema, false));
                if relation.is_guarded() {
                    refusals.extend(obstacles::in_the_way(relation, self.schema));
                }
            }
        }
        refusals.extend(self.extension());
        refusals
    }

    /// What somebody else put on a guarded table and may stay.
    pub fn notes(&self) -> Vec<Finding> {
        let guarded = self
            .facts
            .adopted()
            .filter(|table| table.is_table() && table.is_guarded());
        guarded
            .flat_map(|relation| self.bystanders(relation))
            .collect()
    }

    fn second_registry(&self) -> Vec<Finding> {
        let name = self.schema.name();
        let second = |other: &str| {
            Finding::new(
                Code::SecondSchema,
                other,
                "this schema of the database holds the registry already, and there is one per database",
            )
        };
        let mut others: Vec<&str> = self.facts.histories.iter().map(String::as_str).collect();
        // Most likely --schema was forgotten, and the tables in use would stay unguarded.
        if self.facts.adopted().next().is_none() {
            others.extend(self.facts.complete.iter().map(String::as_str));
        }
        let mut elsewhere = None;
        if let Some(other) = self.facts.extension.schema.as_deref()
            && other != name
        {
            let known = self.facts.histories.iter().chain(&self.facts.complete);
            match known.into_iter().any(|known| known == other) {
                true => others.push(other),
                false if self.purpose.extension => elsewhere = Some(other),
                false => {}
            }
        }
        others.retain(|other| *other != name);
        others.sort_unstable();
        others.dedup();
        let mut findings: Vec<_> = others.into_iter().map(second).collect();
        findings.extend(elsewhere.map(|other| {
            Finding::new(
                Code::ExtensionElsewhere,
                extension::NAME,
                format!(
                    "the extension is installed in schema {other:?}, where there is no registry: \
                     DROP EXTENSION {} lets up install it in {name:?}",
                    extension::NAME
                ),
            )
            .with_mend(format!(
                "DROP EXTENSION {}, then ext-migrate up",
                extension::NAME
            ))
        }));
        findings
    }

    fn owners(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut owners: Vec<(&str, Vec<&str>)> = Vec::new();
        for relation in self.facts.tables() {
            match owners
                .iter_mut()
                .find(|(owner, _)| *owner == relation.owner)
            {
                Some((_, tables)) => tables.push(&relation.name),
                None => owners.push((&relation.owner, vec![&relation.name])),
            }
        }
        if owners.len() > 1 {
            let list = owners
                .iter()
                .map(|(owner, tables)| format!("{} by {owner:?}", tables.join(" and ")));
            findings.push(Finding::new(
                Code::OwnersDiffer,
                self.schema.name(),
                format!(
                    "the tables must have one owner, and are owned differently: {}",
                    list.collect::<Vec<_>>().join(", ")
                ),
            ));
        }
        let mut names: Vec<&str> = owners.into_iter().map(|(owner, _)| owner).collect();
        // The connected role becomes the owner of what is not there, and installs the extension.
        let installs = self.purpose.extension && self.facts.extension.installed.is_none();
        if self.purpose.what != For::Report
            && (names.is_empty() || installs)
            && !names.contains(&self.facts.role.as_str())
        {
            names.push(&self.facts.role);
        }
        names.retain(|name| extension_script_can_carry("owner", name).is_err());
        findings.extend(names.into_iter().map(|name| {
            Finding::new(
                Code::OwnerName,
                name,
                "an extension script cannot carry any of \" $ ' \\ -- /* */ @extschema@ in the name of an owner",
            )
        }));
        findings
    }

    fn incomplete(&self) -> Option<Finding> {
        let missing: Vec<_> = TABLES
            .into_iter()
            .filter(|table| self.facts.relation(table).is_none())
            .collect();
        let because = match self.progress {
            Progress::None if missing.len() == TABLES.len() => return None,
            Progress::None => "only some of the four tables exist",
            Progress::Some | Progress::All => "the history says that it was created",
        };
        (!missing.is_empty()).then(|| {
            let message = format!("not there, but {because}");
            Finding::new(Code::TableMissing, missing.join(", "), message)
        })
    }

    /// Names that are taken already, where no history says that they are ours.
    fn names_taken(&self) -> Vec<Finding> {
        let facts = self.facts;
        let taken = |object: String, what: &str| {
            Finding::new(
                Code::NameTaken,
                object,
                format!(
                    "there is {what} of this name already, and no history says that it is ours"
                ),
            )
        };
        let made = |kind: Kind, name: &str| {
            self.catalog.migrations.iter().any(|dated| {
                dated.object.kind == kind && dated.object.name == name && !dated.is_adopted()
            })
        };
        let types = facts.types.iter().map(|name| taken(name.clone(), "a type"));
        let mut findings: Vec<_> = types.collect();
        let others = facts.tables().filter(|table| !table.is_adopted());
        findings.extend(others.map(|table| taken(table.name.clone(), "a relation")));
        // The keys of adopted tables may well have the names of the contract; the history comes before the first migration.
        let of_adopted = |name: &String| {
            let there = facts.adopted().chain(facts.relation(history::TABLE));
            let mut keys = there.flat_map(|relation| &relation.constraints);
            keys.any(|constraint| constraint.name == *name)
        };
        let reserved = facts.reserved.iter();
        findings.extend(
            reserved
                .filter(|name| !of_adopted(name) || made(Kind::Index, name))
                .map(|name| taken(name.clone(), "a relation")),
        );
        let functions = facts.functions.iter().filter(|function| {
            let of_extension = |object: &super::object::Object| {
                object.name.starts_with(&format!("{}(", function.name))
            };
            match self.catalog.extension.iter().any(of_extension) {
                true => self.purpose.extension && facts.extension.installed.is_none(),
                false => !function.ddl_guard,
            }
        });
        findings.extend(functions.map(|function| taken(function.signature.clone(), "a function")));
        for relation in facts.adopted() {
            let triggers = relation.triggers.iter().map(|trigger| &trigger.name);
            let triggers = triggers.filter(|name| made(Kind::Trigger, name));
            let checks = relation.constraints.iter().map(|check| &check.name);
            let checks = checks.filter(|name| made(Kind::Constraint, name));
            let on = |name: &String| format!("{name} on {}", relation.name);
            findings.extend(triggers.map(|name| taken(on(name), "a trigger")));
            findings.extend(checks.map(|name| taken(on(name), "a constraint")));
            if relation.is_guarded() && relation.column("adopted").is_some() {
                findings.push(
                    taken(format!("{}.adopted", relation.name), "a column").with_mend(format!(
                        "ALTER TABLE {} RENAME COLUMN adopted TO …",
                        self.schema.qualified(&relation.name)
                    )),
                );
            }
        }
        findings
    }

    /// Foreseen for `up`; `check` tells it in its own words.
    fn extension(&self) -> Option<Finding> {
        let state = &self.facts.extension;
        let unavailable = self.purpose.what != For::Report
            && self.purpose.extension
            && state.installed.is_none()
            && state.available.is_none();
        unavailable.then(|| {
            Finding::new(
                Code::ExtensionUnavailable,
                extension::NAME,
                crate::error::Error::ExtensionUnavailable.to_string(),
            )
        })
    }

    fn bystanders(&self, relation: &Relation) -> Vec<Finding> {
        let mut findings = policy::refuses_publishing(relation);
        let ours = |name: &str| {
            self.catalog
                .migrations
                .iter()
                .any(|dated| dated.object.kind == Kind::Trigger && dated.object.name == name)
        };
        for trigger in &relation.triggers {
            if trigger.before_row && !ours(&trigger.name) {
                findings.push(Finding::new(
                    Code::ForeignTrigger,
                    format!("{} on {}", trigger.name, relation.name),
                    "a BEFORE trigger of somebody else: it runs with every publish and may change or drop the row",
                ));
            }
        }
        for role in &relation.trigger_rights {
            findings.push(
                Finding::new(
                    Code::TriggerRight,
                    format!("{role:?} on {}", relation.name),
                    "has the TRIGGER privilege: with CREATE OR REPLACE TRIGGER it could replace the guard against TRUNCATE, \
                     and a trigger of its own would run with the rights of whoever publishes",
                )
                .with_mend(format!(
                    "REVOKE TRIGGER ON {} FROM {}",
                    self.schema.qualified(&relation.name),
                    quote_ident(role)
                )),
            );
        }
        if relation.row_security && !relation.force_row_security {
            findings.push(Finding::new(
                Code::RowSecurity,
                &relation.name,
                "has row-level security: readers list only what its policies show them",
            ));
        }
        findings
    }
}
