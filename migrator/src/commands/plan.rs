//! `plan`: what `up` would do here. Reads only.

use std::fmt;

use serde::Serialize;

use crate::change::extension::Action;
use crate::change::script::Script;
use crate::cli::PlanArgs;
use crate::commands::{Context, Look};
use crate::error::{Error, Exit};
use crate::migrations::{Kind, Migration, Statement};
use crate::situation::rows::Counted;
use crate::situation::{citus, extension};
use crate::wanted::{Code, DdlGuard, Finding, For, Purpose, State};

/// What `plan` prints. The fields are stable.
#[derive(Debug, Serialize)]
pub struct Plan {
    pub schema: String,
    /// `fresh`, `adoptable`, `in_progress`, `current` or `refused`
    pub state: State,
    /// The owner of the tables that are there: migrations run with its rights.
    pub owner: Option<String>,
    /// Why `up` would refuse; empty unless `state` is `refused`.
    pub refusals: Vec<Finding>,
    /// What has drifted; `up` mends what says `mended_by_up`.
    pub drift: Vec<Finding>,
    /// What `up` leaves alone, and is worth knowing.
    pub notes: Vec<Finding>,
    /// The migrations to come, each statement with its classes and lock.
    pub pending: Vec<Pending>,
    /// `action` is `create`, `update`, `none` or `skip`; null where `up` would refuse.
    pub extension: Option<Action>,
    /// Only where Citus is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citus: Option<citus::Summary>,
    /// `not_counted` with the reason, and `about` how many there are.
    pub old_rows: Counted,
    /// With `--sql`: a script for psql.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
}

/// A migration to come.
#[derive(Debug, Serialize)]
pub struct Pending {
    version: i32,
    file: String,
    /// In one transaction with its history row; otherwise it is one statement that may be repeated.
    transactional: bool,
    statements: Vec<Statement>,
}

impl Pending {
    fn of(migration: &Migration) -> Self {
        Self {
            version: migration.version,
            file: migration.file(),
            transactional: migration.kind == Kind::Transactional,
            statements: migration.statements.clone(),
        }
    }
}

/// Exits with 1 (or 2, for the name of an owner) where `up` would refuse, with 4 where the history disagrees with the
/// files, and with `--exit-code` with 3 when migrations or the extension are pending.
pub fn run(context: &Context, args: &PlanArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let migrations = context.migrations(&schema)?;
    let mut session = context.connect()?;
    let mut transaction = session.read_only()?;
    let purpose = Purpose {
        what: For::Plan,
        extension: !args.without_extension,
    };
    let Look {
        situation, verdict, ..
    } = Look::take(&mut transaction, &schema, &migrations, purpose)?;
    situation.history.agree()?;
    let facts = &situation.facts;
    let pending = situation.history.pending(&migrations);
    let extension = match purpose.extension {
        true => Action::due(facts),
        false => Some(Action::Skip),
    };
    let sql = args.sql.then(|| {
        let script = Script {
            schema: &schema,
            owner: facts.owner(),
            create_schema: facts.schema.is_none(),
            create_history: !situation.history.exists,
            record: match verdict.history_lost {
                true => &migrations,
                false => &[],
            },
            repairs: verdict
                .drift
                .iter()
                .flat_map(|finding| &finding.repairs)
                .collect(),
            pending: &pending,
            extension: extension.as_ref(),
            ddl_guard: verdict.ddl_guard != DdlGuard::Off,
            lock_timeout: context.options.lock_timeout,
        };
        script.to_string()
    });
    let extension_is_due = extension.as_ref().is_some_and(Action::is_due);
    let plan = Plan {
        schema: schema.name().to_owned(),
        state: verdict.state,
        owner: facts.owner().map(str::to_owned),
        drift: verdict.drift,
        pending: pending
            .iter()
            .map(|migration| Pending::of(migration))
            .collect(),
        extension,
        citus: situation.citus.as_ref().map(citus::Citus::summary),
        old_rows: Counted::estimate(facts),
        sql,
        refusals: verdict.refusals,
        notes: verdict.notes,
    };
    plan.print(context)?;
    Ok(match plan.refusals.as_slice() {
        [] if args.exit_code && (!plan.pending.is_empty() || extension_is_due) => Exit::Pending,
        [] => Exit::Done,
        refusals
            if refusals
                .iter()
                .any(|refusal| refusal.code == Code::OwnerName) =>
        {
            Exit::Usage
        }
        _ => Exit::Failed,
    })
}

impl Plan {
    fn print(&self, context: &Context) -> Result<(), Error> {
        match &self.sql {
            // Nothing but the script on stdout, so that psql can run it.
            Some(sql) if !context.output.json() => {
                for refusal in &self.refusals {
                    context.output.log(&format!("up would refuse: {refusal}"));
                }
                context.output.raw(sql)
            }
            _ => context.output.result(self),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = match self.state {
            State::Fresh => "none of the tables is there, they will be created",
            State::Adoptable => "the tables of the old schema, which will be adopted",
            State::InProgress => "some migrations have run",
            State::Current => "all migrations have run",
            State::Refused => "what up would refuse, changing nothing",
        };
        writeln!(f, "schema {:?}: {found}", self.schema)?;
        if let Some(owner) = &self.owner {
            writeln!(f, "owner of the tables: {owner:?}")?;
        }
        if !matches!(self.state, State::Fresh) {
            writeln!(f, "{}", self.old_rows)?;
        }
        for finding in self.refusals.iter().chain(&self.drift).chain(&self.notes) {
            write!(f, "{finding:#}")?;
        }
        for migration in &self.pending {
            let how = match migration.transactional {
                true => "one transaction",
                false => "outside a transaction",
            };
            writeln!(f, "\n{} ({how})", migration.file)?;
            for statement in &migration.statements {
                writeln!(
                    f,
                    "  line {:>3}  {:<22}  {}",
                    statement.line,
                    statement.lock.as_deref().unwrap_or("none"),
                    statement.classes.join(", ")
                )?;
            }
        }
        if !self.pending.is_empty() {
            writeln!(f)?;
        }
        let name = extension::NAME;
        match &self.extension {
            Some(Action::Create { version }) => writeln!(f, "create extension {name} {version}")?,
            Some(Action::Update { from, version }) => {
                writeln!(f, "update extension {name} from {from} to {version}")?;
            }
            Some(Action::None { version }) => {
                writeln!(f, "extension {name} {version} is installed")?
            }
            Some(Action::Skip) => {
                writeln!(f, "extension {name}: left alone (--without-extension)")?
            }
            None => {}
        }
        if let Some(citus) = &self.citus {
            writeln!(f, "{citus}")?;
        }
        match self.pending.len() {
            0 => f.write_str("no migration is pending"),
            1 => f.write_str("1 migration is pending"),
            pending => write!(f, "{pending} migrations are pending"),
        }
    }
}
