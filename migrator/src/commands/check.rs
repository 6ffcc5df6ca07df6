//! `check`: is everything in place? Reads only.

use std::fmt;

use serde::Serialize;

use crate::change::ddl_guard;
use crate::cli::CheckArgs;
use crate::commands::Context;
use crate::error::{Error, Exit};
use crate::history::History;
use crate::inspect::{self, Counted, Finding, Inspection, Purpose, State};

/// What `check` prints. The fields are stable.
#[derive(Debug, Serialize)]
pub struct Report {
    pub schema: String,
    /// `fresh`, `adoptable`, `in_progress`, `current` or `refused`
    pub state: State,
    /// No finding of level `error`.
    pub ok: bool,
    pub findings: Vec<Finding>,
    /// `off`, `on` or `broken`
    pub ddl_guard: ddl_guard::State,
    /// `versions` and `bundles` with their counts, or `not_counted` with the reason.
    pub old_rows: Counted,
    #[serde(skip)]
    history_disagrees: bool,
}

/// Exits with 8 on any finding of level `error`, with 4 where the history disagrees with the files.
pub fn run(context: &Context, args: &CheckArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let migrations = context.migrations(&schema)?;
    let mut session = context.connect()?;
    let mut transaction = session.read_only()?;
    let mut history = History::read(&mut transaction, &schema, &migrations)?;
    let purpose = Purpose {
        run: false,
        extension: !args.without_extension,
    };
    let inspection = Inspection::read(
        &mut transaction,
        &schema,
        &migrations,
        &history.versions(),
        purpose,
    )?;
    if inspection.history_lost {
        history.assume(&migrations);
    }
    let ddl_guard = ddl_guard::State::read(&mut transaction)?;
    let mut findings = inspect::check::findings(
        &inspection,
        &schema,
        &history,
        &migrations,
        purpose.extension,
    );
    // Rows in shards are written again whenever Citus moves a shard, and are not in the tables' own files.
    if !inspection.is_distributed() {
        findings.extend(inspect::rewritten::read(
            &mut transaction,
            &inspection.facts,
            &schema,
        )?);
        findings.extend(inspect::orphans::read(
            &mut transaction,
            &inspection.facts,
            &schema,
        )?);
    }
    if ddl_guard == ddl_guard::State::Broken {
        findings.push(
            Finding::error(
                "DDL_GUARD_BROKEN",
                "ext_registry_ddl_guard",
                "an event trigger of the DDL guard is missing, disabled or not ENABLE ALWAYS",
            )
            .with_mend("ext-migrate up --ddl-guard, or DROP SCHEMA ext_registry_ddl_guard CASCADE"),
        );
    }
    let report = Report {
        schema: schema.name().to_owned(),
        state: inspection.preflight.state,
        ok: !findings.iter().any(Finding::is_error),
        findings,
        ddl_guard,
        old_rows: Counted::read(&mut transaction, &inspection.facts, &schema)?,
        history_disagrees: !history.problems.is_empty(),
    };
    context.output.result(&report)?;
    Ok(match (report.ok, report.history_disagrees) {
        (_, true) => Exit::History,
        (true, _) => Exit::Done,
        (false, _) => Exit::Unguarded,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            write!(f, "{finding:#}")?;
        }
        writeln!(f, "{}", self.old_rows)?;
        writeln!(f, "{}", self.ddl_guard)?;
        let errors = self
            .findings
            .iter()
            .filter(|finding| finding.is_error())
            .count();
        match errors {
            0 => write!(f, "schema {:?}: everything is in place", self.schema),
            1 => write!(f, "schema {:?}: 1 error", self.schema),
            _ => write!(f, "schema {:?}: {errors} errors", self.schema),
        }
    }
}
