//! What there should be, and what differs. Takes a [`Situation`], never asks the server.

pub mod catalog;
mod citus;
pub mod code;
mod compare;
mod create;
mod ddl_guard;
mod finding;
mod functions;
mod further;
pub mod object;
mod obstacles;
mod policy;
mod refusals;
mod rights;

use std::fmt;

use serde::Serialize;

pub use catalog::Catalog;
pub use citus::of_shards;
pub use code::{Code, Level};
pub use finding::{Finding, Phase, Repair};

use self::compare::Comparison;
use self::object::Kind;
use self::refusals::Judge;
use crate::error::Error;
use crate::migrations::Migration;
use crate::schema::{Schema, extension_script_can_carry};
use crate::situation::facts::{Facts, TABLES};
use crate::situation::rows::Orphans;
use crate::situation::{Situation, extension, history};

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

/// The event triggers of `up --ddl-guard`. In JSON `off`, `on` or `broken`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DdlGuard {
    /// Not asked for.
    Off,
    /// All of them are there as they were made, and fire always.
    On,
    Broken,
}

impl fmt::Display for DdlGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "DDL guard: off (ext-migrate up --ddl-guard)",
            Self::On => "DDL guard: on",
            Self::Broken => "DDL guard: BROKEN, run ext-migrate up --ddl-guard",
        })
    }
}

/// How far the history says the migrations have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    None,
    Some,
    All,
}

/// What the answer is for.
#[derive(Debug, Clone, Copy)]
pub struct Purpose {
    pub what: For,
    /// The extension is meant to be there.
    pub extension: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// What there is.
    Report,
    /// What `up` would do, whoever runs it.
    Plan,
    /// The connected role is going to do it, so it must be able to.
    Run,
}

/// What a situation amounts to.
#[derive(Debug)]
pub struct Verdict {
    pub state: State,
    /// Empty unless refused.
    pub refusals: Vec<Finding>,
    /// What differs from what the applied migrations made; `up` mends some of it.
    pub drift: Vec<Finding>,
    /// What `up` leaves alone.
    pub notes: Vec<Finding>,
    pub ddl_guard: DdlGuard,
    /// What others have made under the names of the DDL guard, and how it goes away.
    pub not_ours_in_ddl_guard: (Vec<String>, String),
    /// What the migrations make is there, and no history tells of it: `up` writes it again.
    pub history_lost: bool,
}

impl Verdict {
    /// Judges by a `catalog` with the names of the schema. Where the history is lost, `situation` has all migrations for
    /// applied afterwards.
    pub fn on(
        situation: &mut Situation,
        schema: &Schema,
        migrations: &[Migration],
        catalog: &Catalog,
        purpose: Purpose,
    ) -> Self {
        // The history is on the coordinator alone.
        let history_lost = situation.history.applied.is_empty()
            && !situation.is_on_worker()
            && is_history_lost(&situation.facts, catalog);
        if history_lost {
            situation.history.assume(migrations);
        }
        let progress = match situation.history.pending(migrations).len() {
            0 => Progress::All,
            pending if pending == migrations.len() => Progress::None,
            _ => Progress::Some,
        };
        let facts = &situation.facts;
        let judge = Judge {
            facts,
            schema,
            catalog,
            progress,
            purpose,
        };
        let mut refusals = match situation.is_on_worker() {
            // Whatever else does not fit is as it should be there.
            true => vec![citus::on_worker(schema)],
            false => {
                let distributed = citus::distributed_already(situation, schema, progress);
                judge.refusals().into_iter().chain(distributed).collect()
            }
        };
        let version = situation.history.versions().into_iter().max().unwrap_or(0);
        let comparison = Comparison::new(situation, schema, catalog, version);
        let mut drift: Vec<_> = facts
            .adopted()
            .flat_map(|relation| policy::keys_without_constraint(relation, schema))
            .collect();
        if progress != Progress::None {
            if history_lost {
                drift.push(lost_history());
            }
            drift.extend(comparison.findings());
            if let Some(citus) = &situation.citus {
                drift.extend(citus.findings(schema, &of_shards(catalog, version)));
            }
            if purpose.extension {
                drift.extend(comparison.owner_right());
            }
        }
        let mut notes = judge.notes();
        if purpose.what != For::Report && !situation.is_on_worker() {
            let work = progress != Progress::All || drift.iter().any(|drift| drift.mended_by_up);
            let extend = purpose.extension && facts.extension.is_due();
            let missing = rights::missing(facts, schema, work, extend);
            let reviews =
                purpose.what == For::Plan && facts.adopted().any(|table| !table.may_become_owner);
            match reviews {
                // Somebody else will run it.
                true => notes.extend(missing.map(Finding::as_note)),
                false => refusals.extend(missing),
            }
        }
        let state = match progress {
            _ if !refusals.is_empty() => State::Refused,
            Progress::All => State::Current,
            Progress::Some => State::InProgress,
            Progress::None if facts.adopted().next().is_none() => State::Fresh,
            Progress::None => State::Adoptable,
        };
        Self {
            state,
            refusals,
            drift,
            notes,
            ddl_guard: comparison.ddl_guard(),
            not_ours_in_ddl_guard: (
                comparison.not_ours_in_ddl_guard(),
                comparison.without_ddl_guard(),
            ),
            history_lost,
        }
    }

    /// # Errors
    /// [`Error::SecondSchema`], [`Error::UnusableName`] (the owner's), [`Error::ExtensionUnavailable`] where nothing
    /// else is amiss, else [`Error::Unfit`] with every reason.
    pub fn refuse_unfit(&self) -> Result<(), Error> {
        for refusal in &self.refusals {
            match refusal.code {
                Code::SecondSchema => {
                    return Err(Error::SecondSchema {
                        other: refusal.object.clone(),
                    });
                }
                Code::OwnerName => extension_script_can_carry("owner", &refusal.object)?,
                _ => {}
            }
        }
        match self.refusals.as_slice() {
            [] => Ok(()),
            [only] if only.code == Code::NoRight => Err(Error::NoRight(format!(
                "nothing was changed: {}: {}",
                only.message,
                only.mend.as_deref().unwrap_or_default()
            ))),
            [only] if only.code == Code::ExtensionUnavailable => Err(Error::ExtensionUnavailable),
            all => Err(Error::Unfit(all.iter().map(ToString::to_string).collect())),
        }
    }

    /// Whoever makes or renews the DDL guard must not take over what somebody else has put there.
    ///
    /// # Errors
    /// [`Error::DdlGuardNotOurs`], with the way out.
    pub fn refuse_ddl_guard_of_others(&self) -> Result<(), Error> {
        match &self.not_ours_in_ddl_guard {
            (found, _) if found.is_empty() => Ok(()),
            (found, drops) => Err(Error::DdlGuardNotOurs {
                found: found.clone(),
                drops: drops.clone(),
            }),
        }
    }

    /// All findings for `check`, the gravest kind first: history, what cannot be migrated at all, pending migrations,
    /// drift, extension.
    pub fn findings(
        &self,
        situation: &Situation,
        schema: &Schema,
        migrations: &[Migration],
        purpose: Purpose,
    ) -> Vec<Finding> {
        let history = &situation.history;
        let mut findings: Vec<_> = history
            .problems
            .iter()
            .map(|problem| Finding::new(Code::HistoryDisagrees, history::TABLE, problem))
            .collect();
        findings.extend(self.refusals.iter().cloned());
        if situation.is_on_worker() {
            return findings;
        }
        if history.applied.is_empty() {
            let found = match self.state {
                State::Fresh => "none of the tables is there",
                State::Adoptable => "the tables are there as the old schema made them, unguarded",
                _ => "no migration has run here",
            };
            findings.push(Finding::new(Code::NotMigrated, schema.name(), found).mended_by_up());
            return findings;
        }
        for migration in history.pending(migrations) {
            let message = "this migration has not run yet";
            findings.push(
                Finding::new(Code::MigrationPending, migration.file(), message).mended_by_up(),
            );
        }
        findings.extend(self.drift.iter().cloned());
        findings.extend(self.notes.iter().cloned());
        if purpose.extension {
            findings.extend(of_extension(&situation.facts.extension));
        }
        findings
    }
}

/// Rows that refer to a row that is not there.
pub fn orphaned(orphans: &[Orphans]) -> impl Iterator<Item = Finding> {
    let some = orphans.iter().filter(|orphans| orphans.rows > 0);
    some.map(|orphans| {
        let Orphans {
            table,
            column,
            target,
            rows,
        } = orphans;
        Finding::new(
            Code::RowsOrphaned,
            format!("{table}.{column}"),
            format!("{rows} rows refer to a row of {target} that is not there: they came in while foreign keys slept"),
        )
        .with_mend(format!("restore the missing rows of {target}"))
    })
}

/// A registry whose history is gone: a dump of the schema or of some tables was restored. To run the migrations again
/// would fail, and to take the tables for old ones would be wrong.
///
/// Known by the marks' default, which only the guards' migrations give them, and by all guards or all checks. What else
/// the migrations made may have been lost too, as the guards are in a dump of the tables by name: that is drift, and is
/// found and mended as such.
fn is_history_lost(facts: &Facts, catalog: &Catalog) -> bool {
    let marked = |table: &&str| {
        facts
            .relation(table)
            .and_then(|relation| relation.column("adopted"))
            .is_some_and(|column| column.default.as_deref() == Some("false"))
    };
    let there = |kind: Kind| {
        let mut wanted = catalog
            .migrations
            .iter()
            .filter(|dated| dated.until.is_none() && !dated.is_adopted())
            .map(|dated| &dated.object)
            .filter(|object| object.kind == kind && TABLES.contains(&object.table.as_str()));
        wanted.all(|object| {
            facts
                .relation(&object.table)
                .is_some_and(|relation| match kind {
                    Kind::Trigger => relation.trigger(&object.name).is_some(),
                    _ => relation.constraints.iter().any(|c| c.name == object.name),
                })
        })
    };
    facts.adopted().count() == TABLES.len()
        && ["extension_version", "extension_bundle"].iter().all(marked)
        && (there(Kind::Trigger) || there(Kind::Constraint))
}

fn lost_history() -> Finding {
    Finding::new(
        Code::HistoryLost,
        history::TABLE,
        "what the migrations make is there, and their history is not: a dump without its rows was restored",
    )
    .mended_by_up()
}

/// The extension itself.
fn of_extension(state: &extension::State) -> Option<Finding> {
    let finding = |code, message: String| Some(Finding::new(code, extension::NAME, message));
    let here = "the extension is not installed in this database";
    match (&state.installed, &state.available) {
        (None, Some(_)) => {
            finding(Code::ExtensionMissing, here.to_owned()).map(Finding::mended_by_up)
        }
        (None, None) => finding(
            Code::ExtensionMissing,
            format!("{here}, and the server does not offer it"),
        )
        .map(|finding| {
            finding.with_mend(
                "make install on the server, or ext-migrate check --without-extension",
            )
        }),
        (Some(installed), None) => finding(
            Code::ExtensionUnavailable,
            format!("version {installed} is installed, and its files are gone from the server"),
        ),
        (Some(installed), Some(available)) if installed == available => None,
        (Some(installed), Some(available)) if state.updatable => finding(
            Code::ExtensionOutdated,
            format!("version {installed} is installed, and the server has {available}"),
        )
        .map(Finding::mended_by_up),
        (Some(installed), Some(available)) => finding(
            Code::ExtensionAhead,
            format!(
                "version {installed} is installed, and the server's files are of {available}, to which no update leads"
            ),
        )
        .map(|finding| {
            finding.with_mend(format!("make install of {installed} or newer on the server"))
        }),
    }
}
