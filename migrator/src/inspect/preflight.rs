//! Whether the migrations can run here at all: decided from the catalogs before anything happens.

use serde::Serialize;

use super::facts::{Facts, GUARDED, Relation, TABLES};
use super::finding::Finding;
use super::names;
use super::obstacles::kind_name;
use super::shape;
use super::shipped::Shipped;
use crate::error::Error;
use crate::schema::{Schema, extension_script_can_carry, quote_ident};

/// What the migrator found. In JSON one of `fresh`, `adoptable`, `in_progress`, `current`, `refused`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// None of the tables is there.
    Fresh,
    /// The tables of the old schema.
    Adoptable,
    /// Some migrations have run.
    InProgress,
    /// All migrations have run.
    Current,
    /// What is there does not fit: see the findings.
    Refused,
}

/// How far the history says the migrations have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    None,
    Some,
    All,
}

/// Whom the answer is for.
#[derive(Debug, Clone, Copy)]
pub struct Purpose {
    /// The connected role is going to run the migrations, so it must be able to.
    pub run: bool,
    /// The extension will be installed too.
    pub extension: bool,
}

#[derive(Debug)]
pub struct Preflight {
    pub state: State,
    /// Empty unless refused.
    pub refusals: Vec<Finding>,
    pub notes: Vec<Finding>,
}

impl Preflight {
    /// Judges `facts`. `shipped` is what all migrations make.
    pub fn judge(
        facts: &Facts,
        schema: &Schema,
        shipped: &Shipped,
        progress: Progress,
        purpose: Purpose,
    ) -> Self {
        let mut refusals = second_registry(facts, schema);
        refusals.extend(owner_and_rights(facts, schema, purpose));
        refusals.extend(incomplete(facts, progress));
        for relation in facts.all_relations() {
            refusals.extend(not_a_plain_table(relation, schema));
        }
        let mut notes = Vec::new();
        if progress == Progress::None {
            refusals.extend(names::taken(facts, schema, shipped, purpose));
            for relation in facts
                .relations
                .iter()
                .filter(|relation| relation.is_table())
            {
                refusals.extend(shape::misfits(relation, false));
                refusals.extend(in_the_way(relation, schema));
            }
        }
        for relation in facts
            .relations
            .iter()
            .filter(|relation| relation.is_table())
        {
            notes.extend(shape::refuses_publishing(relation));
            notes.extend(bystanders(relation, schema, shipped));
        }
        let state = match progress {
            _ if !refusals.is_empty() => State::Refused,
            Progress::All => State::Current,
            Progress::Some => State::InProgress,
            Progress::None if facts.relations.is_empty() => State::Fresh,
            Progress::None => State::Adoptable,
        };
        Self {
            state,
            refusals,
            notes,
        }
    }

    /// Adds a reason.
    pub fn refuse(&mut self, reason: Finding) {
        self.refusals.push(reason);
        self.state = State::Refused;
    }

    /// # Errors
    /// [`Error::SecondSchema`], [`Error::UnusableName`] (the owner's), else [`Error::Unfit`] with every reason.
    pub fn refuse_unfit(&self) -> Result<(), Error> {
        if self.refusals.is_empty() {
            return Ok(());
        }
        for refusal in &self.refusals {
            match refusal.code {
                "SECOND_SCHEMA" => {
                    return Err(Error::SecondSchema {
                        other: refusal.object.clone(),
                    });
                }
                "OWNER_NAME" => extension_script_can_carry("owner", &refusal.object)?,
                _ => {}
            }
        }
        Err(Error::Unfit(
            self.refusals.iter().map(ToString::to_string).collect(),
        ))
    }
}

fn second_registry(facts: &Facts, schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut others: Vec<&str> = facts
        .histories
        .iter()
        .map(|history| history.schema.as_str())
        .collect();
    others.extend(
        facts
            .extension
            .iter()
            .map(|extension| extension.schema.as_str()),
    );
    others.retain(|other| *other != schema.name());
    others.sort_unstable();
    others.dedup();
    for other in others {
        findings.push(Finding::error(
            "SECOND_SCHEMA",
            other,
            "this schema of the database holds the registry already, and there is one per database",
        ));
    }
    for history in &facts.histories {
        if history.schema == schema.name() && history.kind != "r" {
            findings.push(Finding::error(
                "NOT_A_TABLE",
                crate::history::TABLE,
                format!(
                    "is {} instead of the history table",
                    kind_name(&history.kind)
                ),
            ));
        }
    }
    findings
}

fn owner_and_rights(facts: &Facts, schema: &Schema, purpose: Purpose) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut owners: Vec<(&str, Vec<&str>)> = Vec::new();
    for relation in facts.all_relations() {
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
        findings.push(Finding::error(
            "OWNERS_DIFFER",
            schema.name(),
            format!(
                "the tables must have one owner, and are owned differently: {}",
                list.collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    if owners.is_empty() && purpose.run {
        owners.push((&facts.role, Vec::new()));
    }
    for (owner, _) in &owners {
        if extension_script_can_carry("owner", owner).is_err() {
            findings.push(Finding::error(
                "OWNER_NAME",
                *owner,
                "an extension script cannot carry any of \" $ ' \\ -- /* */ @extschema@ in the name of an owner",
            ));
        }
    }
    if !purpose.run {
        return findings;
    }
    if let Some(relation) = facts
        .relations
        .iter()
        .find(|relation| !relation.may_become_owner)
    {
        findings.push(
            Finding::error(
                "NO_RIGHT",
                &relation.name,
                format!(
                    "belongs to {:?}, and the connected role {:?} is neither that, nor a member of it, nor superuser",
                    relation.owner, facts.role
                ),
            )
            .with_mend(format!("GRANT {} TO {}", quote_ident(&relation.owner), quote_ident(&facts.role))),
        );
    }
    let (creator, may_create) = match (facts.relations.first(), &facts.schema) {
        (Some(relation), _) => (&relation.owner, relation.owner_may_create),
        (None, Some(found)) => (&facts.role, found.may_create),
        (None, None) => (&facts.role, facts.may_create_schema),
    };
    if !may_create {
        let (what, right) = match facts.schema {
            Some(_) => ("in this schema", format!("ON SCHEMA {}", schema.quoted())),
            None => (
                "this schema, which does not exist",
                "ON DATABASE …".to_owned(),
            ),
        };
        findings.push(
            Finding::error(
                "NO_RIGHT",
                schema.name(),
                format!("the role {creator:?} may not create {what}"),
            )
            .with_mend(format!("GRANT CREATE {right} TO {}", quote_ident(creator))),
        );
    }
    findings
}

fn incomplete(facts: &Facts, progress: Progress) -> Option<Finding> {
    let missing: Vec<_> = TABLES
        .into_iter()
        .filter(|table| facts.relation(table).is_none())
        .collect();
    let fits = match progress {
        Progress::None => missing.is_empty() || missing.len() == TABLES.len(),
        Progress::Some | Progress::All => missing.is_empty(),
    };
    (!fits).then(|| {
        let because = match progress {
            Progress::None => "only some of the four tables exist",
            Progress::Some | Progress::All => "the history says that it was created",
        };
        Finding::error(
            "TABLE_MISSING",
            missing.join(", "),
            format!("not there, but {because}"),
        )
    })
}

fn not_a_plain_table(relation: &Relation, schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !relation.is_table() {
        findings.push(Finding::error(
            "NOT_A_TABLE",
            &relation.name,
            format!("is {} instead of a table", kind_name(&relation.kind)),
        ));
        return findings;
    }
    if relation.persistence != "p" {
        findings.push(
            Finding::error(
                "NOT_LOGGED",
                &relation.name,
                "is not logged: its rows do not survive a crash",
            )
            .with_mend(format!(
                "ALTER TABLE {}.{} SET LOGGED",
                schema.quoted(),
                quote_ident(&relation.name)
            )),
        );
    }
    if relation.typed {
        findings.push(Finding::error(
            "TYPED_TABLE",
            &relation.name,
            "is a table OF a type: it cannot get columns of its own",
        ));
    }
    findings.extend(relation.heirs(schema));
    findings
}

/// What would break the guards or finalize.
fn in_the_way(relation: &Relation, schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !GUARDED.contains(&relation.name.as_str()) {
        return findings;
    }
    findings.extend(relation.forced_row_security(schema));
    findings.extend(relation.rewritten(schema));
    findings.extend(relation.deferred_checks(schema));
    findings
}

/// What somebody else put on a guarded table and may stay.
fn bystanders(relation: &Relation, schema: &Schema, shipped: &Shipped) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !GUARDED.contains(&relation.name.as_str()) {
        return findings;
    }
    for trigger in &relation.triggers {
        let ours = shipped
            .triggers
            .iter()
            .any(|known| known.name == trigger.name);
        if trigger.before_row && !ours {
            findings.push(Finding::note(
                "FOREIGN_TRIGGER",
                format!("{} on {}", trigger.name, relation.name),
                "a BEFORE trigger of somebody else: it runs with every publish and may change or drop the row",
            ));
        }
    }
    for role in &relation.trigger_rights {
        findings.push(
            Finding::note(
                "TRIGGER_RIGHT",
                format!("{role:?} on {}", relation.name),
                "has the TRIGGER privilege: with CREATE OR REPLACE TRIGGER it could replace the guard against TRUNCATE, \
                 and a trigger of its own would run with the rights of whoever publishes",
            )
            .with_mend(format!(
                "REVOKE TRIGGER ON {}.{} FROM {}",
                schema.quoted(),
                quote_ident(&relation.name),
                quote_ident(role)
            )),
        );
    }
    if relation.row_security && !relation.force_row_security {
        findings.push(Finding::note(
            "ROW_SECURITY",
            &relation.name,
            "has row-level security: readers list only what its policies show them",
        ));
    }
    findings
}
