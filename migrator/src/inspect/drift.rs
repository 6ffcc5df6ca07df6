//! What differs from what the migrations made: guards, constraints, indexes, rights. Each with what mends it.

use super::expected;
use super::facts::{Facts, INSTALL, LOG_TABLES, Relation};
use super::finding::Finding;
use super::repair::{Phase, Repair};
use super::shape;
use super::shipped::{self, Shipped};
use crate::schema::{Schema, quote_ident};

/// Compares `facts` with what the applied migrations make.
pub fn examine(facts: &Facts, schema: &Schema, applied: &Shipped) -> Vec<Finding> {
    let examination = Examination {
        facts,
        schema,
        applied,
    };
    let mut findings = Vec::new();
    for relation in facts.all_relations().filter(|relation| relation.is_table()) {
        findings.extend(examination.table(relation));
    }
    findings.extend(examination.missing_log_tables());
    for history in facts
        .histories
        .iter()
        .filter(|history| history.schema == schema.name())
    {
        findings.extend(examination.public_rights(crate::history::TABLE, &history.public_rights));
    }
    for function in &applied.functions {
        findings.extend(examination.function(function));
    }
    for function in facts
        .extension_functions
        .iter()
        .filter(|function| function.public_execute)
    {
        findings.push(
            Finding::error("PUBLIC_RIGHT", &function.signature, "PUBLIC may call it").with_mend(
                format!(
                    "REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC",
                    function.signature
                ),
            ),
        );
    }
    findings
}

struct Examination<'a> {
    facts: &'a Facts,
    schema: &'a Schema,
    applied: &'a Shipped,
}

impl Examination<'_> {
    fn table(&self, relation: &Relation) -> Vec<Finding> {
        // The marks come first of what migrations add, so they tell whether the other columns must be there.
        let mut findings = shape::misfits(relation, !self.applied.defaults.is_empty());
        for index in self
            .applied
            .indexes
            .iter()
            .filter(|index| index.table == relation.name)
        {
            findings.extend(self.index(relation, index));
        }
        for default in self
            .applied
            .defaults
            .iter()
            .filter(|default| default.table == relation.name)
        {
            findings.extend(mark(relation, default));
        }
        for check in self
            .applied
            .checks
            .iter()
            .filter(|check| check.table == relation.name)
        {
            findings.extend(self.check(relation, check));
        }
        for trigger in self
            .applied
            .triggers
            .iter()
            .filter(|trigger| trigger.table == relation.name)
        {
            findings.extend(self.trigger(relation, trigger));
        }
        if relation.name != INSTALL {
            findings.extend(relation.forced_row_security(self.schema));
            findings.extend(relation.rewritten(self.schema));
            findings.extend(relation.deferred_checks(self.schema));
        }
        for key in &relation.disabled_foreign_keys {
            findings.push(
                Finding::error(
                    "FOREIGN_KEY_DISABLED",
                    format!("{key} on {}", relation.name),
                    "the triggers that enforce this foreign key are switched off",
                )
                .with_mend(format!(
                    "ALTER TABLE {} ENABLE TRIGGER ALL (as superuser), then ext-migrate up",
                    self.qualified(&relation.name)
                )),
            );
        }
        findings.extend(self.public_rights(&relation.name, &relation.public_rights));
        findings
    }

    /// Tables of the contract that are missing are refused before this.
    fn missing_log_tables(&self) -> impl Iterator<Item = Finding> {
        let made = self.applied.tables.iter().map(String::as_str);
        made.filter(|table| LOG_TABLES.contains(table) && self.facts.relation(table).is_none())
            .map(|table| {
                Finding::error(
                    "TABLE_MISSING",
                    table,
                    "not there, but the history says that it was created",
                )
                .with_mend("restore it from a backup: without it nothing proves what was published")
            })
    }

    fn public_rights(&self, table: &str, rights: &[String]) -> Option<Finding> {
        (!rights.is_empty()).then(|| {
            Finding::error(
                "PUBLIC_RIGHT",
                table,
                format!("PUBLIC has {}", rights.join(", ")),
            )
            .with_mend(format!(
                "REVOKE ALL ON TABLE {} FROM PUBLIC",
                self.qualified(table)
            ))
        })
    }

    fn index(&self, relation: &Relation, shipped: &shipped::Index) -> Option<Finding> {
        let create = || {
            Repair::new(
                &shipped.name,
                &relation.name,
                Phase::Index,
                [shipped.sql.clone()],
            )
        };
        let name = format!("{}.{}", self.schema.quoted(), quote_ident(&shipped.name));
        let Some(index) = relation.index(&shipped.name) else {
            return Some(
                Finding::error("INDEX_MISSING", &shipped.name, "the index is not there")
                    .with_repair(create()),
            );
        };
        if !index.valid {
            return Some(
                Finding::error(
                    "INDEX_INVALID",
                    &shipped.name,
                    "the index is invalid: a build of it was cut short",
                )
                .with_repair(create())
                .with_mend(format!("DROP INDEX CONCURRENTLY {name}; {}", shipped.sql)),
            );
        }
        self.differs(&shipped.name, &shipped.sql, &index.definition)
            .then(|| {
                Finding::error(
                    "INDEX_CHANGED",
                    &shipped.name,
                    format!("the index is another: {}", index.definition),
                )
                .with_mend(format!(
                    "DROP INDEX CONCURRENTLY {name}, then ext-migrate up"
                ))
            })
    }

    fn check(&self, relation: &Relation, shipped: &shipped::Check) -> Option<Finding> {
        let object = format!("{} on {}", shipped.name, relation.name);
        let table = self.qualified(&relation.name);
        let name = quote_ident(&shipped.name);
        let validate = Repair::new(
            &shipped.name,
            &relation.name,
            Phase::Validate,
            [format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}")],
        );
        let Some(check) = relation.constraint(&shipped.name) else {
            let add = Repair::new(
                &shipped.name,
                &relation.name,
                Phase::Check,
                [shipped.sql.clone()],
            );
            return Some(
                Finding::error("CONSTRAINT_MISSING", object, "the constraint is not there")
                    .with_repair(add)
                    .with_repair(validate),
            );
        };
        if self.differs(&shipped.name, &shipped.sql, &check.definition) {
            let message = format!("the constraint is another: {}", check.definition);
            return Some(
                Finding::error("CONSTRAINT_CHANGED", object, message).with_mend(format!(
                    "ALTER TABLE {table} DROP CONSTRAINT {name}, then ext-migrate up"
                )),
            );
        }
        (!check.valid).then(|| {
            Finding::error(
                "CONSTRAINT_NOT_VALID",
                object,
                "the constraint was never proven for the rows that exist",
            )
            .with_repair(validate)
        })
    }

    fn trigger(&self, relation: &Relation, shipped: &shipped::Trigger) -> Option<Finding> {
        let object = format!("{} on {}", shipped.name, relation.name);
        let always = format!(
            "ALTER TABLE {} ENABLE ALWAYS TRIGGER {}",
            self.qualified(&relation.name),
            quote_ident(&shipped.name)
        );
        let again = |statements: &[&String]| {
            let statements = statements.iter().copied().cloned();
            Repair::new(&shipped.name, &relation.name, Phase::Trigger, statements)
        };
        let Some(trigger) = relation.trigger(&shipped.name) else {
            return Some(
                Finding::error("GUARD_MISSING", object, "the guard is not there")
                    .with_repair(again(&[&shipped.sql, &always])),
            );
        };
        if self.differs(&shipped.name, &shipped.sql, &trigger.definition) {
            let message = format!("the guard is another: {}", trigger.definition);
            return Some(
                Finding::error("GUARD_CHANGED", object, message).with_mend(format!(
                    "DROP TRIGGER {} ON {}, then ext-migrate up",
                    quote_ident(&shipped.name),
                    self.qualified(&relation.name)
                )),
            );
        }
        let message = match trigger.enabled.as_str() {
            "A" => return None,
            "D" => "the guard is disabled",
            _ => "the guard is not ENABLE ALWAYS: session_replication_role can silence it",
        };
        Some(Finding::error("GUARD_NOT_ALWAYS", object, message).with_repair(again(&[&always])))
    }

    fn function(&self, shipped: &shipped::Function) -> Vec<Finding> {
        let mut findings = Vec::new();
        let object = format!("{}()", shipped.name);
        let table = self
            .applied
            .triggers
            .iter()
            .find(|trigger| trigger.function == shipped.name)
            .map_or("", |trigger| trigger.table.as_str());
        let mut statements = vec![shipped.sql.clone()];
        statements.extend(shipped.with.iter().cloned());
        let replace = Repair::new(&shipped.name, table, Phase::Function, statements);
        let Some(function) = self.facts.function(&shipped.name) else {
            findings.push(
                Finding::error(
                    "GUARD_FUNCTION_MISSING",
                    object,
                    "the function of the guard is not there",
                )
                .with_repair(replace),
            );
            return findings;
        };
        let owner = self.facts.owner().unwrap_or(&function.owner);
        if function.owner != owner {
            findings.push(
                Finding::error(
                    "GUARD_FUNCTION_OWNER",
                    &object,
                    format!(
                        "belongs to {:?} instead of the owner of the tables, {owner:?}",
                        function.owner
                    ),
                )
                .with_mend(format!(
                    "ALTER FUNCTION {}() OWNER TO {}",
                    self.qualified(&shipped.name),
                    quote_ident(owner)
                )),
            );
            // Nobody but its owner can replace it: the rest is for the run after that.
            return findings;
        }
        if function.returns != "trigger" {
            findings.push(
                Finding::error("GUARD_FUNCTION_CHANGED", &object, "is no trigger function")
                    .with_mend(format!(
                        "DROP FUNCTION {}(), then ext-migrate up",
                        self.qualified(&shipped.name)
                    )),
            );
            return findings;
        }
        let mut differences = Vec::new();
        if function.body != shipped.body {
            differences.push("body");
        }
        if function.language != "plpgsql" {
            differences.push("language");
        }
        if function.security_definer != shipped.security_definer {
            differences.push("SECURITY DEFINER");
        }
        if function.settings != shipped.settings {
            differences.push("settings");
        }
        if !differences.is_empty() {
            let message = format!("is not as shipped: {}", differences.join(", "));
            findings.push(
                Finding::error("GUARD_FUNCTION_CHANGED", &object, message).with_repair(replace),
            );
        }
        if function.public_execute {
            let revoke = format!(
                "REVOKE ALL ON FUNCTION {}() FROM PUBLIC",
                self.qualified(&shipped.name)
            );
            findings.push(
                Finding::error("PUBLIC_RIGHT", &object, "PUBLIC may call it")
                    .with_repair(Repair::new(&shipped.name, table, Phase::Function, [revoke])),
            );
        }
        findings
    }

    fn differs(&self, name: &str, sql: &str, printed: &str) -> bool {
        expected::definition(name, sql, &self.facts.quoted_schema)
            .is_some_and(|expected| !expected::same(printed, &expected))
    }

    fn qualified(&self, name: &str) -> String {
        format!("{}.{}", self.schema.quoted(), quote_ident(name))
    }
}

/// The default that decides what counts as old: it must be the shipped one.
fn mark(relation: &Relation, shipped: &shipped::Default) -> Option<Finding> {
    let column = relation.column(&shipped.column)?;
    (column.default.as_deref() != Some("false")).then(|| {
        Finding::error(
            "DEFAULT_CHANGED",
            format!("{}.{}", relation.name, shipped.column),
            "the default is not false: new rows would be taken for adopted ones, and refused",
        )
        .with_repair(Repair::new(
            &shipped.column,
            &relation.name,
            Phase::Check,
            [shipped.sql.clone()],
        ))
    })
}
