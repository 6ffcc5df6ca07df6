//! The four tables that existing deployments have: what they must look like for the registry to live in them. Further
//! columns, indexes, checks and foreign keys are theirs, and so are the names of keys.

use std::sync::LazyLock;

use serde::Deserialize;

use super::code::Code;
use super::finding::{Finding, Phase};
use crate::schema::{Schema, quote_ident};
use crate::situation::facts::{Column, INSTALL, Index, Relation};

/// Written by people: `sql/adopted.json`.
static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    // Cannot fail: the file is embedded, and every test reads it.
    serde_json::from_str(include_str!("../../../sql/adopted.json")).expect("every test reads it")
});

#[derive(Deserialize)]
struct Policy {
    table: String,
    columns: Vec<Rule>,
    /// Each a choice of column sets, sorted by name.
    keys: Vec<Vec<Vec<String>>>,
    /// Column and the table it points at.
    foreign_keys: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Rule {
    name: String,
    /// As the server prints it; `text` takes `varchar` too.
    #[serde(rename = "type")]
    data_type: String,
    /// The shortest `varchar`.
    at_least: Option<u32>,
    #[serde(default)]
    role: Role,
    /// A migration adds it to tables of the old schema.
    #[serde(default)]
    added: bool,
}

/// What a column must be besides its type.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    /// Part of what identifies a row: NOT NULL.
    Key,
    /// The same, and strings that differ are not equal.
    Name,
    #[default]
    Value,
    /// Finalize writes NULL into it where the publisher gives nothing.
    Optional,
    /// When it was published: no other default than the clock.
    Published,
}

/// Defaults that are the server's clock, as it prints them.
const CLOCKS: [&str; 5] = [
    "CURRENT_TIMESTAMP",
    "now()",
    "transaction_timestamp()",
    "statement_timestamp()",
    "clock_timestamp()",
];

impl Rule {
    fn accepts(&self, data_type: &str) -> bool {
        match data_type.strip_prefix("character varying") {
            Some(_) if self.data_type != "text" => false,
            Some("") => true,
            Some(length) => length
                .trim_matches(['(', ')'])
                .parse()
                .is_ok_and(|length: u32| length >= self.at_least.unwrap_or(1)),
            None => data_type == self.data_type,
        }
    }

    fn type_name(&self) -> String {
        match (self.data_type.as_str(), self.at_least) {
            ("text", None) => "text or character varying".to_owned(),
            ("text", Some(length)) => {
                format!("text or character varying({length}) or longer")
            }
            (name, _) => name.to_owned(),
        }
    }
}

fn policy(relation: &Relation) -> Option<&'static Policy> {
    POLICIES
        .iter()
        .find(|policy| policy.table == relation.name && relation.is_table())
}

/// What does not fit in one of the four tables.
///
/// `migrated`: the columns that migrations add must be there too.
pub fn misfits(relation: &Relation, schema: &Schema, migrated: bool) -> Vec<Finding> {
    let Some(policy) = policy(relation) else {
        return Vec::new();
    };
    let mut findings: Vec<_> = one_step_older(relation).into_iter().collect();
    for rule in &policy.columns {
        findings.extend(column_misfit(relation, rule, schema, migrated));
    }
    for choice in &policy.keys {
        if !relation.indexes.iter().any(|index| keeps(index, choice)) {
            let columns = choice
                .iter()
                .map(|columns| format!("({})", columns.join(", ")));
            findings.push(Finding::new(
                Code::KeyMissing,
                &relation.name,
                format!(
                    "no unique key over {}",
                    columns.collect::<Vec<_>>().join(" or ")
                ),
            ));
        }
    }
    for (column, target) in &policy.foreign_keys {
        let keys = relation.constraints.iter().filter(|constraint| {
            constraint.kind == "f"
                && constraint.columns == [column.as_str()]
                && constraint.references.as_ref() == Some(target)
        });
        let enforced: Vec<bool> = keys
            .map(|key| key.enforced && key.bound.is_empty())
            .collect();
        if !enforced.contains(&true) {
            let what = match enforced.is_empty() {
                true => "no foreign key",
                false => "no foreign key that is enforced",
            };
            findings.push(Finding::new(
                Code::ForeignKeyMissing,
                &relation.name,
                format!("{what} from {column} to {target}"),
            ));
        }
    }
    findings
}

/// What ON CONFLICT over these columns finds, with PostgreSQL's own idea of equal.
fn keeps(index: &Index, choice: &[Vec<String>]) -> bool {
    index.valid && index.arbiter && index.bound.is_empty() && choice.contains(&index.columns)
}

/// The index is one of the keys of the contract.
pub fn is_key(relation: &Relation, index: &Index) -> bool {
    policy(relation).is_some_and(|policy| policy.keys.iter().any(|choice| keeps(index, choice)))
}

/// Unique indexes that stand in place of a key: as constraints they have a name that errors can tell.
pub fn keys_without_constraint(relation: &Relation, schema: &Schema) -> Vec<Finding> {
    let Some(policy) = policy(relation) else {
        return Vec::new();
    };
    let has_primary = relation.constraints.iter().any(|key| key.kind == "p");
    let mut findings = Vec::new();
    for choice in &policy.keys {
        let mut keeping = relation.indexes.iter().filter(|index| keeps(index, choice));
        if keeping.clone().any(|index| index.constraint.is_some()) {
            continue;
        }
        let Some(index) = keeping.next() else {
            continue;
        };
        let kind = match !has_primary && index.columns == ["id"] {
            true => "PRIMARY KEY",
            false => "UNIQUE",
        };
        let name = quote_ident(&index.name);
        let sql = format!(
            "ALTER TABLE {} ADD CONSTRAINT {name} {kind} USING INDEX {name}",
            schema.qualified(&relation.name)
        );
        findings.push(
            Finding::new(
                Code::KeyWithoutConstraint,
                format!("{} on {}", index.name, relation.name),
                format!(
                    "this unique index stands in place of a key over ({})",
                    index.columns.join(", ")
                ),
            )
            .with_repair(Phase::Table, &index.name, &relation.name, [sql]),
        );
    }
    findings
}

fn column_misfit(
    relation: &Relation,
    rule: &Rule,
    schema: &Schema,
    migrated: bool,
) -> Option<Finding> {
    let Some(column) = relation.column(&rule.name) else {
        return (migrated || !rule.added).then(|| {
            Finding::new(
                Code::ColumnMissing,
                &relation.name,
                format!("no column {} ({})", rule.name, rule.type_name()),
            )
        });
    };
    let object = format!("{}.{}", relation.name, rule.name);
    let alter = |what: &str| {
        format!(
            "ALTER TABLE {} ALTER COLUMN {} {what}",
            schema.qualified(&relation.name),
            quote_ident(&rule.name)
        )
    };
    if !rule.accepts(&column.data_type) {
        let wanted = rule.type_name();
        let message = format!("is {} instead of {wanted}", column.data_type);
        return Some(Finding::new(Code::ColumnType, object, message));
    }
    if column.always_generated() {
        let message = "is GENERATED ALWAYS: nothing can be inserted into it";
        return Some(Finding::new(Code::ColumnGenerated, object, message));
    }
    if rule.role == Role::Name && !column.deterministic {
        let message = "has a nondeterministic collation: strings that differ would be equal";
        return Some(
            Finding::new(Code::ColumnCollation, object, message)
                .with_mend(alter(&format!("TYPE {} COLLATE \"C\"", column.data_type))),
        );
    }
    if matches!(rule.role, Role::Key | Role::Name) && !column.not_null {
        let message = "may be NULL, and identifies rows";
        return Some(
            Finding::new(Code::ColumnNullable, object, message).with_mend(alter("SET NOT NULL")),
        );
    }
    match &column.default {
        Some(default) if rule.role == Role::Published && !CLOCKS.contains(&default.as_str()) => {
            Some(
                Finding::new(
                    Code::DefaultChanged,
                    object,
                    format!(
                        "the default is {default} instead of the clock: rows could be backdated"
                    ),
                )
                .with_mend(alter("SET DEFAULT now()")),
            )
        }
        _ => None,
    }
}

/// The schema before the one that can be adopted.
fn one_step_older(relation: &Relation) -> Option<Finding> {
    let has = |name| relation.column(name).is_some();
    let older = relation.name == INSTALL
        && ((has("enabled") && !has("is_enabled")) || (has("installed_at") && !has("created_at")));
    older.then(|| {
        Finding::new(
            Code::OlderSchema,
            INSTALL,
            "is one step older than what can be adopted: it has enabled or installed_at instead of is_enabled \
             and created_at; run the app's own migrations first",
        )
    })
}

/// Columns that make finalize fail although the table can be adopted.
pub fn refuses_publishing(relation: &Relation) -> Vec<Finding> {
    let Some(policy) = policy(relation).filter(|_| relation.is_guarded()) else {
        return Vec::new();
    };
    let known = |column: &Column| policy.columns.iter().find(|rule| rule.name == column.name);
    let fails = |column: &&Column| match known(column) {
        Some(rule) => rule.role == Role::Optional && column.not_null,
        None => column.not_null && !column.has_default(),
    };
    let note = |column: &Column| {
        Finding::new(
            Code::ColumnRequired,
            format!("{}.{}", relation.name, column.name),
            "is NOT NULL and finalize has no value for it: publishing will fail with 23502",
        )
    };
    relation.columns.iter().filter(fails).map(note).collect()
}

/// The default that decides what counts as old, once the guards of the table stand.
pub fn mark(relation: &Relation, schema: &Schema) -> Option<Finding> {
    let column = relation.column("adopted")?;
    (column.default.as_deref() != Some("false")).then(|| {
        let sql = format!(
            "ALTER TABLE {} ALTER COLUMN adopted SET DEFAULT false",
            schema.qualified(&relation.name)
        );
        Finding::new(
            Code::DefaultChanged,
            format!("{}.adopted", relation.name),
            "the default is not false: new rows would be taken for adopted ones, and refused",
        )
        .with_repair(Phase::Table, "adopted", &relation.name, [sql])
    })
}
