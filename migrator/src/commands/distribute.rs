//! `distribute`: turns migrated plain tables into the layout for Citus. Without `--yes` it reads only.

use std::fmt;

use serde::Serialize;

use crate::change::ddl_guard;
use crate::change::distribution::{Distribution, Rows};
use crate::change::lock::Lock;
use crate::change::nodes;
use crate::change::{As, Runner};
use crate::citus::{self, Found, Layout};
use crate::cli::DistributeArgs;
use crate::commands::Context;
use crate::error::{Error, Exit};
use crate::history::History;
use crate::inspect::{Finding, Inspection, Purpose};
use crate::migrations::Migration;
use crate::schema::Schema;
use crate::session::Session;

/// What `distribute` found or did. In JSON:
///
/// ```json
/// {
///   "schema": "public",
///   "citus": {"version": "13.2-1", "workers": 2, "layout": "local"},
///   "refusals": [],
///   "steps": [{"what": "on every node", "sql": "SELECT …"}],
///   "done": false,
///   "rows": null
/// }
/// ```
///
/// `refusals` has the form of `check`'s findings; `steps` is empty where the tables are distributed already; `rows`
/// counts by table what was moved.
#[derive(Debug, Serialize)]
struct Report {
    schema: String,
    citus: citus::Summary,
    refusals: Vec<Finding>,
    steps: Distribution,
    done: bool,
    rows: Option<Rows>,
}

/// Exits with 1 where it refuses, and with 6 where rows would not arrive as they were.
pub fn run(context: &Context, args: &DistributeArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let migrations = context.migrations(&schema)?;
    let mut session = context.connect()?;
    if !args.yes {
        let (report, _) = look(&mut session, &schema, &migrations)?;
        context.output.result(&report)?;
        return Ok(match report.refusals.is_empty() {
            true => Exit::Done,
            false => Exit::Failed,
        });
    }
    let lock = Lock::acquire(&mut session, context.options.wait)?;
    let (mut report, owner) = look(&mut session, &schema, &migrations)?;
    if !report.refusals.is_empty() {
        let reasons = report.refusals.iter().map(ToString::to_string);
        return Err(Error::Unfit(reasons.collect()));
    }
    if !context.output.json() && !report.steps.steps.is_empty() {
        context.output.log(&report.steps.to_string());
    }
    let mut runner = Runner {
        session: &mut session,
        lock: &lock,
        schema: &schema,
        owner,
    };
    if !report.steps.steps.is_empty() {
        report.rows = Some(report.steps.run(&mut runner)?);
    }
    report.citus = nodes::complete(&mut runner, &migrations)?.summary();
    report.done = true;
    // It holds what the guards' functions were.
    if ddl_guard::State::read(&mut runner.session.client)? != ddl_guard::State::Off {
        let sql = ddl_guard::sql(&schema);
        runner.transaction("renewing the DDL guard", As::Connected, |transaction| {
            transaction.batch_execute(&sql)
        })?;
    }
    lock.release(&mut session.client)?;
    context.output.result(&report)?;
    Ok(Exit::Done)
}

/// The report before anything is done, and the owner of the tables where that is not the connected role.
fn look(
    session: &mut Session,
    schema: &Schema,
    migrations: &[Migration],
) -> Result<(Report, Option<String>), Error> {
    let mut transaction = session.read_only()?;
    let history = History::read(&mut transaction, schema, migrations)?.agreed()?;
    let purpose = Purpose {
        run: true,
        extension: false,
    };
    let applied = history.versions();
    let inspection = Inspection::read(&mut transaction, schema, migrations, &applied, purpose)?;
    let found = inspection.citus.as_ref().ok_or(Error::NoCitus)?;
    let refusals = refusals(
        &inspection,
        found,
        schema,
        history.pending(migrations).len(),
    );
    let steps = match found.layout() {
        Layout::Local if refusals.is_empty() => Distribution::plan(found, schema),
        _ => Distribution { steps: Vec::new() },
    };
    let report = Report {
        schema: schema.name().to_owned(),
        citus: found.summary(),
        refusals,
        steps,
        done: false,
        rows: None,
    };
    let owner = inspection.other_owner();
    Ok((report, owner))
}

fn refusals(
    inspection: &Inspection,
    found: &Found,
    schema: &Schema,
    pending: usize,
) -> Vec<Finding> {
    let mut refusals = inspection.preflight.refusals.clone();
    if found.worker {
        return refusals;
    }
    if pending > 0 {
        refusals.push(
            Finding::error(
                "NOT_MIGRATED",
                schema.name(),
                "migrations have to run before the tables are distributed",
            )
            .with_mend("ext-migrate up"),
        );
    }
    match found.layout() {
        Layout::Local => {
            let drifted = inspection.drift(schema).into_iter();
            refusals.extend(drifted.filter(Finding::is_error));
            refusals.extend(found.obstacles());
        }
        Layout::Mixed => {
            refusals.extend(found.findings(schema, &inspection.applied));
        }
        Layout::Absent | Layout::Distributed => {}
    }
    refusals
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.citus)?;
        for refusal in &self.refusals {
            write!(f, "{refusal:#}")?;
        }
        if !self.refusals.is_empty() {
            return f.write_str("refused, nothing was changed");
        }
        if let Some(rows) = &self.rows {
            return write!(f, "{rows}: each arrived as it was");
        }
        if self.steps.steps.is_empty() {
            return f.write_str("the tables are distributed already");
        }
        write!(
            f,
            "\n{}\nnothing was changed; ext-migrate distribute --yes does it",
            self.steps
        )
    }
}
