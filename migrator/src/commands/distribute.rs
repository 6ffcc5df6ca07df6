//! `distribute`: turns migrated plain tables into the layout for Citus. Without `--yes` it reads only.

use std::fmt;

use serde::Serialize;

use crate::change::distribution::{Distribution, Rows};
use crate::change::lock::Lock;
use crate::change::{As, Runner};
use crate::change::{ddl_guard, nodes};
use crate::cli::DistributeArgs;
use crate::commands::{Context, Look};
use crate::error::{Error, Exit};
use crate::migrations::Migration;
use crate::schema::Schema;
use crate::session::Session;
use crate::situation::citus::{self, Citus, Layout};
use crate::wanted::{Code, DdlGuard, Finding, For, Purpose, of_shards};

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
        let (report, _) = report(&mut session, &schema, &migrations)?;
        context.output.result(&report)?;
        return Ok(match report.refusals.is_empty() {
            true => Exit::Done,
            false => Exit::Failed,
        });
    }
    let lock = Lock::acquire(&mut session, context.options.wait)?;
    let (mut report, look) = report(&mut session, &schema, &migrations)?;
    if !report.refusals.is_empty() {
        let reasons = report.refusals.iter().map(ToString::to_string);
        return Err(Error::Unfit(reasons.collect()));
    }
    look.verdict.refuse_ddl_guard_of_others()?;
    if !context.output.json() && !report.steps.steps.is_empty() {
        context.output.log(&report.steps.to_string());
    }
    let mut runner = Runner {
        session: &mut session,
        lock: &lock,
        schema: &schema,
        owner: look.situation.other_owner(),
    };
    if !report.steps.steps.is_empty() {
        report.rows = Some(report.steps.run(&mut runner)?);
    }
    report.citus = nodes::complete(&mut runner, &look.catalog)?.summary();
    report.done = true;
    // It holds what the guards' functions were.
    if look.verdict.ddl_guard != DdlGuard::Off {
        let sql = ddl_guard::sql(&schema);
        runner.transaction("renewing the DDL guard", As::Connected, |transaction| {
            transaction.batch_execute(&sql)
        })?;
    }
    lock.release(&mut session.client)?;
    context.output.result(&report)?;
    Ok(Exit::Done)
}

/// The report before anything is done.
fn report(
    session: &mut Session,
    schema: &Schema,
    migrations: &[Migration],
) -> Result<(Report, Look), Error> {
    let mut transaction = session.read_only()?;
    let purpose = Purpose {
        what: For::Run,
        extension: false,
    };
    let look = Look::take(&mut transaction, schema, migrations, purpose)?;
    look.situation.history.agree()?;
    let citus = look.situation.citus.as_ref().ok_or(Error::NoCitus)?;
    let refusals = refusals(&look, citus, schema, migrations);
    let steps = match citus.layout() {
        Layout::Local if refusals.is_empty() => Distribution::plan(citus, schema),
        _ => Distribution { steps: Vec::new() },
    };
    let report = Report {
        schema: schema.name().to_owned(),
        citus: citus.summary(),
        refusals,
        steps,
        done: false,
        rows: None,
    };
    Ok((report, look))
}

fn refusals(look: &Look, citus: &Citus, schema: &Schema, migrations: &[Migration]) -> Vec<Finding> {
    let verdict = &look.verdict;
    let mut refusals = verdict.refusals.clone();
    if citus.worker {
        return refusals;
    }
    if !look.situation.history.pending(migrations).is_empty() {
        let message = "migrations have to run before the tables are distributed";
        refusals.push(
            Finding::new(Code::NotMigrated, schema.name(), message).with_mend("ext-migrate up"),
        );
    }
    let drifted = verdict
        .drift
        .iter()
        .filter(|finding| finding.is_error())
        .cloned();
    match citus.layout() {
        Layout::Local => {
            // Functions are no obstacle; those that read get their form for Citus with the distribution.
            refusals
                .extend(drifted.filter(|finding| finding.code != Code::ExtensionFunctionChanged));
            refusals.extend(citus.obstacles(&of_shards(&look.catalog, i32::MAX)));
        }
        Layout::Mixed => {
            refusals.extend(drifted.filter(|finding| finding.code == Code::CitusLayout));
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
