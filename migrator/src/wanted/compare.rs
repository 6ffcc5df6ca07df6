//! The one comparison: what there is with what the applied migrations, the extension and the DDL guard make. The mend
//! of an object is its own definition.

use super::catalog::Catalog;
use super::code::Code;
use super::finding::{Finding, Phase};
use super::object::{Kind, Object};
use super::{obstacles, policy};
use crate::schema::{Schema, quote_ident};
use crate::situation::Situation;
use crate::situation::facts::Facts;
use crate::situation::history;

pub struct Comparison<'a> {
    pub(super) facts: &'a Facts,
    pub(super) schema: &'a Schema,
    pub(super) found: Vec<Object>,
    /// What the applied migrations make, besides what existing deployments have had before.
    pub(super) made: Vec<Object>,
    pub(super) extension: Vec<Object>,
    pub(super) ddl_guard: Vec<Object>,
}

impl<'a> Comparison<'a> {
    /// With what there is at this migration.
    pub fn new(
        situation: &'a Situation,
        schema: &'a Schema,
        catalog: &Catalog,
        version: i32,
    ) -> Self {
        let facts = &situation.facts;
        let made = catalog
            .migrations
            .iter()
            .filter(|dated| dated.is_there_at(version) && !dated.is_adopted())
            .map(|dated| dated.object.clone());
        let mut made: Vec<_> = made.collect();
        if situation.is_distributed() {
            replace(&mut made, &catalog.guards_on_shards);
        }
        // Another release's functions are others.
        let mut extension = match facts.extension.is_of_this_release(schema) {
            true => catalog.extension.clone(),
            false => Vec::new(),
        };
        if facts.citus {
            replace(&mut extension, &catalog.readers_on_citus);
        }
        Self {
            facts,
            schema,
            found: Object::all(facts),
            made,
            extension,
            ddl_guard: catalog.ddl_guard.clone(),
        }
    }

    /// All that differs.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for relation in self.facts.adopted().filter(|relation| relation.is_table()) {
            findings.extend(policy::misfits(relation, self.schema, self.is_marked()));
            if relation.is_guarded() {
                findings.extend(obstacles::in_the_way(relation, self.schema));
            }
            if self.made(Kind::Trigger, &relation.name).next().is_some() {
                findings.extend(policy::mark(relation, self.schema));
            }
        }
        findings.extend(self.made.iter().flat_map(|wanted| self.object(wanted)));
        findings.extend(self.extension.iter().flat_map(|f| self.function(f, true)));
        for relation in self.facts.relations.iter().filter(|r| r.is_table()) {
            findings.extend(self.foreign_keys_off(relation));
            findings.extend(self.twice(relation));
            findings.extend(self.not_ours(relation));
            findings.extend(self.public_rights(relation));
        }
        findings.extend(self.broken_ddl_guard());
        findings
    }

    pub(super) fn made(&self, kind: Kind, table: &str) -> impl Iterator<Item = &Object> {
        let of_table = move |object: &&Object| object.kind == kind && object.table == table;
        self.made.iter().filter(of_table)
    }

    /// The marks come first of what migrations add, so they tell whether the other columns must be there.
    fn is_marked(&self) -> bool {
        self.made
            .iter()
            .any(|object| object.kind == Kind::Index || object.kind == Kind::Trigger)
    }

    fn object(&self, wanted: &Object) -> Vec<Finding> {
        if wanted.kind == Kind::Function {
            return self.function(wanted, false);
        }
        match self.found.iter().find(|found| found.is(wanted)) {
            // A history that is lost is told as that.
            None if wanted.name == history::TABLE => Vec::new(),
            // What is on a table or column that is gone is gone with it.
            None if wanted.kind != Kind::Table && self.is_orphaned(wanted) => Vec::new(),
            None => vec![self.missing(wanted)],
            Some(found) if !wanted.same(found) => vec![self.changed(wanted, found)],
            Some(_) => self.weakened(wanted).into_iter().collect(),
        }
    }

    fn is_orphaned(&self, wanted: &Object) -> bool {
        let Some(relation) = self.facts.relation(&wanted.table) else {
            // `up` writes a lost history again, and then its guard.
            let again = wanted.table == history::TABLE && wanted.kind == Kind::Trigger;
            return !wanted.table.is_empty() && !again;
        };
        !relation.is_table()
            || matches!(wanted.kind, Kind::NotNull | Kind::Default)
                && relation.column(&wanted.name).is_none()
    }

    fn missing(&self, wanted: &Object) -> Finding {
        let name = &wanted.name;
        let (code, message, phase) = match wanted.kind {
            Kind::Table => {
                let message = "not there, but the history says that it was created";
                (Code::TableMissing, message.to_owned(), None)
            }
            Kind::Column => {
                let message = format!("no column {name} ({})", wanted.definition);
                return Finding::new(Code::ColumnMissing, &wanted.table, message);
            }
            Kind::NotNull => {
                let message = "may be NULL".to_owned();
                (Code::ColumnNullable, message, Some(Phase::Table))
            }
            Kind::Default => {
                let message = format!("has lost its default, {}", wanted.definition);
                (Code::DefaultChanged, message, Some(Phase::Table))
            }
            Kind::Constraint => {
                let code = match wanted.is_key() {
                    true => Code::KeyMissing,
                    false if wanted.definition.starts_with("FOREIGN KEY") => {
                        Code::ForeignKeyMissing
                    }
                    false => Code::ConstraintMissing,
                };
                let message = "the constraint is not there".to_owned();
                (code, message, Some(Phase::Table))
            }
            Kind::Index => {
                let message = "the index is not there".to_owned();
                (Code::IndexMissing, message, Some(Phase::Index))
            }
            Kind::Trigger | Kind::Function | Kind::EventTrigger => {
                let message = "the guard is not there".to_owned();
                (Code::GuardMissing, message, Some(Phase::Trigger))
            }
        };
        let finding = Finding::new(code, wanted.label(), message);
        match phase {
            None => finding.with_mend(
                "restore it from a backup: without it nothing proves what was published",
            ),
            Some(phase) => {
                let finding = finding.with_repair(phase, name, &wanted.table, self.create(wanted));
                match wanted.kind == Kind::Constraint && !wanted.is_key() {
                    true => self.validated(finding, wanted),
                    false => finding,
                }
            }
        }
    }

    fn changed(&self, wanted: &Object, found: &Object) -> Finding {
        let code = match wanted.kind {
            Kind::Index => Code::IndexChanged,
            Kind::Trigger => Code::GuardChanged,
            Kind::Constraint => Code::ConstraintChanged,
            Kind::Default => Code::DefaultChanged,
            _ => Code::ColumnType,
        };
        let message = format!("is {} instead of {}", found.definition, wanted.definition);
        let finding = Finding::new(code, wanted.label(), message);
        match wanted.kind {
            Kind::Default => {
                let statements = self.create(wanted);
                finding.with_repair(Phase::Table, &wanted.name, &wanted.table, statements)
            }
            Kind::Column => finding,
            _ => finding.with_mend(format!("{}, then ext-migrate up", self.drop(found))),
        }
    }

    /// It is there as it was made: does it work?
    fn weakened(&self, wanted: &Object) -> Option<Finding> {
        let (name, table) = (wanted.name.as_str(), wanted.table.as_str());
        let relation = self.facts.relation(table)?;
        let finding = |code, message: &str| Finding::new(code, wanted.label(), message);
        let (code, bound) = match wanted.kind {
            Kind::Trigger => {
                let trigger = relation.trigger(name)?;
                let message = match trigger.enabled.as_str() {
                    "A" => None,
                    "D" => Some("the guard is disabled"),
                    _ => Some(
                        "the guard is not ENABLE ALWAYS: session_replication_role can silence it",
                    ),
                };
                if let Some(message) = message {
                    let always = self.always(wanted);
                    return Some(finding(Code::GuardNotAlways, message).with_repair(
                        Phase::Trigger,
                        name,
                        table,
                        [always],
                    ));
                }
                (Code::GuardChanged, &trigger.bound)
            }
            Kind::Constraint => {
                let constraint = relation.constraints.iter().find(|c| c.name == name)?;
                let code = Code::ConstraintNotValid;
                if !constraint.enforced {
                    let (on, name) = (self.schema.qualified(table), quote_ident(name));
                    return Some(
                        finding(code, "the constraint is not enforced").with_mend(format!(
                            "ALTER TABLE {on} ALTER CONSTRAINT {name} ENFORCED"
                        )),
                    );
                }
                if !constraint.valid {
                    let message = "the constraint was never proven for the rows that exist";
                    return Some(self.validated(finding(code, message), wanted));
                }
                (Code::ConstraintChanged, &constraint.bound)
            }
            Kind::Index => {
                let index = relation.indexes.iter().find(|index| index.name == name)?;
                if !index.valid {
                    let statements = [vec![self.drop(wanted)], self.create(wanted)].concat();
                    let message = "the index is invalid: a build of it was cut short";
                    return Some(finding(Code::IndexInvalid, message).with_repair(
                        Phase::Index,
                        name,
                        table,
                        statements,
                    ));
                }
                (Code::IndexChanged, &index.bound)
            }
            _ => return None,
        };
        (!bound.is_empty()).then(|| {
            finding(code, &format!("is bound to {}", bound.join(", ")))
                .with_mend(format!("{}, then ext-migrate up", self.drop(wanted)))
        })
    }

    /// Proven for the rows that exist in a step of its own, which lets writers go on.
    fn validated(&self, finding: Finding, constraint: &Object) -> Finding {
        let sql = format!(
            "ALTER TABLE {} VALIDATE CONSTRAINT {}",
            self.schema.qualified(&constraint.table),
            quote_ident(&constraint.name)
        );
        finding.with_repair(Phase::Validate, &constraint.name, &constraint.table, [sql])
    }
}

/// Puts these in place of those of the same name.
fn replace(objects: &mut [Object], others: &[Object]) {
    for object in objects {
        if let Some(other) = others.iter().find(|other| other.is(object)) {
            *object = Object {
                comment: object.comment.take(),
                ..other.clone()
            };
        }
    }
}
