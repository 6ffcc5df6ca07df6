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
use crate::commands::Context;
use crate::error::{Error, Exit};
use crate::extension;
use crate::history::History;
use crate::inspect::{Finding, Inspection};
use crate::migrations::{Kind, Migration};
use crate::schema::Schema;
use crate::session::Session;
use crate::{citus, elsewhere, inspect};

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
    ddl_guard: ddl_guard::State,
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
    let start = look(&mut session, &schema, &migrations, args)?;
    let mut runner = Runner {
        session: &mut session,
        lock: &lock,
        schema: &schema,
        owner: start.inspection.other_owner(),
    };
    let report = bring_up(context, &mut runner, &migrations, start)?;
    lock.release(&mut session.client)?;
    context.output.result(&report)?;
    Ok(Exit::Done)
}

/// What `up` found before its first change.
struct Start {
    history: History,
    inspection: Inspection,
    extension: Action,
    /// Asked for, or there already and due to be renewed.
    ddl_guard: bool,
}

/// Refuses whatever cannot be brought to its end.
fn look(
    session: &mut Session,
    schema: &Schema,
    migrations: &[Migration],
    args: &UpArgs,
) -> Result<Start, Error> {
    let mut transaction = session.read_only()?;
    let mut history = History::read(&mut transaction, schema, migrations)?.agreed()?;
    let applied = history.versions();
    let extend = !args.without_extension;
    let inspection = inspect::preflight(&mut transaction, schema, migrations, &applied, extend)?;
    elsewhere::refuse_tables_elsewhere(&mut transaction, schema)?;
    if inspection.history_lost {
        history.assume(migrations);
    }
    let extension = match extend {
        true => Action::due(&extension::State::read(&mut transaction)?, &mut transaction)?,
        false => Action::Skip,
    };
    let ddl_guard = args.ddl_guard
        || (ddl_guard::State::read(&mut transaction)? != ddl_guard::State::Off
            && ddl_guard::may_renew(&mut transaction)?);
    Ok(Start {
        history,
        inspection,
        extension,
        ddl_guard,
    })
}

fn bring_up(
    context: &Context,
    runner: &mut Runner,
    migrations: &[Migration],
    start: Start,
) -> Result<Report, Error> {
    let schema = runner.schema;
    let mut proof: Option<Proof> = None;
    let mut add = |part: Proof| match &mut proof {
        Some(whole) => whole.merge(part),
        None => proof = Some(part),
    };
    if !start.history.exists {
        create_history(runner, schema)?;
    }
    if start.inspection.history_lost {
        add(
            runner.transaction("writing the history again", As::Owner, |transaction| {
                migrations
                    .iter()
                    .try_for_each(|migration| migration::record(transaction, schema, migration))
            })?,
        );
    }
    // First, so that pending migrations find what they build on.
    let (mended, left): (Vec<_>, Vec<_>) = start
        .inspection
        .drift(schema)
        .into_iter()
        .partition(|finding| finding.mended_by_up);
    for finding in &mended {
        context.output.log(&format!("mending {finding}"));
    }
    for part in runner.mend(&mended)? {
        add(part);
    }
    let mut applied = Vec::new();
    let distributed = start.inspection.is_distributed();
    for migration in start.history.pending(migrations) {
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
    if let Some(sql) = start.extension.sql(schema) {
        context.output.log(&sql);
        add(runner.transaction(&sql, As::Connected, |transaction| {
            transaction.batch_execute(&sql)
        })?);
    }
    let citus = match start.inspection.citus {
        Some(_) => Some(nodes::settle(runner, migrations)?.summary()),
        None => None,
    };
    if let Some(part) = runner.comment()? {
        add(part);
    }
    // Last: it keeps what it finds.
    if start.ddl_guard {
        let sql = ddl_guard::sql(schema);
        add(
            runner.transaction("creating the DDL guard", As::Connected, |transaction| {
                transaction.batch_execute(&sql)
            })?,
        );
    }
    Ok(Report {
        ddl_guard: ddl_guard::State::read(&mut runner.session.client)?,
        schema: schema.name().to_owned(),
        mended,
        left,
        applied,
        current: migrations.last().map_or(0, |migration| migration.version),
        extension: start.extension,
        citus,
        proof,
    })
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
