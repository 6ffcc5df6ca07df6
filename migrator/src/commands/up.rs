//! `up`: makes the database current.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use crate::change::extension::Action;
use crate::change::lock::Lock;
use crate::change::proof::Proof;
use crate::change::{As, Runner};
use crate::change::{ddl_guard, migration, nodes};
use crate::cli::UpArgs;
use crate::commands::{Context, Look};
use crate::error::{Error, Exit};
use crate::migrations::{Kind, Migration};
use crate::schema::Schema;
use crate::situation::{citus, extension};
use crate::wanted::{Code, DdlGuard, Finding, For, Purpose};

/// What `up` did. In JSON:
///
/// ```json
/// {
///   "schema": "public",
///   "mended": [{"level": "error", "code": "GUARD_MISSING", "object": "…", "message": "…", "mend": "…", "mended_by_up": true}],
///   "left": [],
///   "applied": [{"version": 1, "file": "V1__tables.sql", "milliseconds": 12}],
///   "current": 15,
///   "extension": {"action": "create", "version": "1.2.0"},
///   "ddl_guard": "off",
///   "citus": {"version": "13.2-1", "workers": 2, "layout": "distributed"},
///   "proof": {}
/// }
/// ```
///
/// `mended` holds what had drifted and no longer does, `left` what a person has to mend (as `check` reports it).
/// `extension.action` is `create`, `update` (then `from` is there as well), `none` or `skip`; `current` is the number
/// of the newest migration; `ddl_guard` is `off`, `on` or `broken`; `proof` is described at [`Proof`] and null when nothing was run.
/// `citus` is there only where Citus is installed; see [`citus::Summary`].
#[derive(Debug, Serialize)]
struct Report {
    schema: String,
    mended: Vec<Finding>,
    left: Vec<Finding>,
    applied: Vec<Step>,
    current: i32,
    extension: Action,
    ddl_guard: DdlGuard,
    #[serde(skip_serializing_if = "Option::is_none")]
    citus: Option<citus::Summary>,
    proof: Option<Proof>,
}

#[derive(Debug, Serialize)]
struct Step {
    version: i32,
    file: String,
    milliseconds: u128,
}

/// Runs `up`. Every error leaves a state that the next `up` goes on from.
pub fn run(context: &Context, args: &UpArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let migrations = context.migrations(&schema)?;

    let mut session = context.connect()?;
    let lock = Lock::acquire(&mut session, context.options.wait)?;
    let purpose = Purpose {
        what: For::Run,
        extension: !args.without_extension,
    };
    let look = {
        let mut transaction = session.read_only()?;
        Look::take(&mut transaction, &schema, &migrations, purpose)?
    };
    look.situation.history.agree()?;
    look.verdict.refuse_unfit()?;
    if args.ddl_guard || renews_ddl_guard(&look) {
        look.verdict.refuse_ddl_guard_of_others()?;
    }
    let mut runner = Runner {
        session: &mut session,
        lock: &lock,
        schema: &schema,
        owner: look.situation.other_owner(),
    };
    let (report, exit) = bring_up(context, &mut runner, &migrations, look, args)?;
    lock.release(&mut session.client)?;
    context.output.result(&report)?;
    Ok(exit)
}

/// Only a superuser can: to another role it is as good as it is.
fn renews_ddl_guard(look: &Look) -> bool {
    look.verdict.ddl_guard != DdlGuard::Off && look.situation.facts.superuser
}

fn bring_up(
    context: &Context,
    runner: &mut Runner,
    migrations: &[Migration],
    look: Look,
    args: &UpArgs,
) -> Result<(Report, Exit), Error> {
    let with_ddl_guard = args.ddl_guard || renews_ddl_guard(&look);
    let Look {
        situation,
        verdict,
        catalog,
    } = look;
    let schema = runner.schema;
    let mut proof: Option<Proof> = None;
    let mut add = |part: Proof| match &mut proof {
        Some(whole) => whole.merge(part),
        None => proof = Some(part),
    };
    if !situation.history.exists {
        create_history(runner, schema)?;
    }
    if verdict.history_lost {
        add(
            runner.transaction("writing the history again", As::Owner, |transaction| {
                migrations
                    .iter()
                    .try_for_each(|migration| migration::record(transaction, schema, migration))
            })?,
        );
    }
    // First, so that pending migrations find what they build on. What fails keeps nothing else from being done.
    let (mut mended, mut left): (Vec<_>, Vec<_>) = verdict
        .drift
        .into_iter()
        .partition(|finding| finding.mended_by_up);
    for finding in &mended {
        context.output.log(&format!("mending {finding}"));
    }
    let mending = runner.mend(&mended)?;
    mending.proofs.into_iter().for_each(&mut add);
    let mut exit = Exit::Done;
    for (number, error) in mending.failed {
        context.output.log(&format!("not mended: {error}"));
        let finding = &mut mended[number];
        finding.mended_by_up = false;
        finding.message = format!("{}; up could not mend it: {error}", finding.message);
        // Rows that break a constraint are as final as others: no run will ever mend that.
        match error.is_about_rows() {
            true => finding.mend = None,
            false => exit = error.exit(),
        }
    }
    let (mended, failed): (Vec<_>, Vec<_>) =
        mended.into_iter().partition(|finding| finding.mended_by_up);
    left.extend(failed);
    let mut applied = Vec::new();
    let distributed = situation.is_distributed();
    for migration in situation.history.pending(migrations) {
        context
            .output
            .log(&format!("applying {}", migration.file()));
        let began = Instant::now();
        add(match &migration.kind {
            Kind::Transactional => runner.migrate(migration, distributed)?,
            Kind::Concurrent { index, table } => runner.migrate_index(migration, index, table)?,
        });
        applied.push(Step {
            version: migration.version,
            file: migration.file(),
            milliseconds: began.elapsed().as_millis(),
        });
    }
    let extension = match args.without_extension {
        true => Action::Skip,
        false => Action::due(&situation.facts).ok_or(Error::ExtensionUnavailable)?,
    };
    if let Some(sql) = extension.sql(schema, runner.owner.as_deref()) {
        let step = sql.lines().next().unwrap_or_default().trim_end_matches(';');
        context.output.log(step);
        add(runner.transaction(step, As::Connected, |transaction| {
            transaction.batch_execute(&sql)
        })?);
    }
    let citus = match situation.citus {
        Some(_) => Some(nodes::settle(runner, &catalog)?.summary()),
        None => None,
    };
    if let Some(part) = runner.comment()? {
        add(part);
    }
    // Last: it keeps what it finds.
    let guard = match with_ddl_guard {
        true => {
            let sql = ddl_guard::sql(schema);
            add(
                runner.transaction("creating the DDL guard", As::Connected, |transaction| {
                    transaction.batch_execute(&sql)
                })?,
            );
            left.retain(|finding| finding.code != Code::DdlGuardBroken);
            DdlGuard::On
        }
        false => verdict.ddl_guard,
    };
    let report = Report {
        ddl_guard: guard,
        schema: schema.name().to_owned(),
        mended,
        left,
        applied,
        current: migrations.last().map_or(0, |migration| migration.version),
        extension,
        citus,
        proof,
    };
    Ok((report, exit))
}

/// The schema, where it is missing, and the history table: one transaction, and no migration yet.
fn create_history(runner: &mut Runner, schema: &Schema) -> Result<(), Error> {
    let exists = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1";
    runner
        .transaction("creating the history table", As::Owner, |transaction| {
            // IF NOT EXISTS asks for the right to create a schema even where it is there.
            if transaction.query_opt(exists, &[&schema.name()])?.is_none() {
                transaction.batch_execute(&format!("CREATE SCHEMA {}", schema.quoted()))?;
            }
            migration::create(transaction, schema)
        })
        .map(|_| ())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.mended {
            writeln!(f, "mended {}: {}", finding.code, finding.object)?;
        }
        for finding in &self.left {
            write!(f, "{finding:#}")?;
        }
        for step in &self.applied {
            writeln!(f, "applied {} ({} ms)", step.file, step.milliseconds)?;
        }
        let name = extension::NAME;
        match &self.extension {
            Action::Create { version } => {
                writeln!(
                    f,
                    "created extension {name} {version} in schema {}",
                    self.schema
                )?;
            }
            Action::Update { from, version } => {
                writeln!(f, "updated extension {name} from {from} to {version}")?;
            }
            Action::None { version } => writeln!(f, "extension {name} {version} is installed")?,
            Action::Skip => writeln!(f, "extension {name}: left alone (--without-extension)")?,
        }
        writeln!(f, "{}", self.ddl_guard)?;
        if let Some(citus) = &self.citus {
            writeln!(f, "{citus}")?;
        }
        match self.applied.is_empty() {
            true => writeln!(
                f,
                "no migration to apply, schema {} is at V{}",
                self.schema, self.current
            )?,
            false => writeln!(f, "schema {} is at V{}", self.schema, self.current)?,
        }
        match &self.proof {
            Some(proof) => write!(f, "{proof}"),
            None => Ok(()),
        }
    }
}
