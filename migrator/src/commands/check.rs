//! `check`: is everything in place? Reads only.

use std::fmt;

use serde::Serialize;

use crate::cli::CheckArgs;
use crate::commands::{Context, Look};
use crate::error::{Error, Exit};
use crate::situation::rows::{Counted, Orphans};
use crate::wanted::{DdlGuard, Finding, For, Purpose, State, orphaned};

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
    pub ddl_guard: DdlGuard,
    /// With `--rows` `versions` and `bundles` with their counts, else `not_counted` with the reason.
    pub old_rows: Counted,
}

/// Exits with 8 on any finding of level `error`, with 4 where the history disagrees with the files.
pub fn run(context: &Context, args: &CheckArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let migrations = context.migrations(&schema)?;
    let mut session = context.connect()?;
    let mut transaction = session.read_only()?;
    let purpose = Purpose {
        what: For::Report,
        extension: !args.without_extension,
    };
    let look = Look::take(&mut transaction, &schema, &migrations, purpose)?;
    let (situation, verdict) = (&look.situation, &look.verdict);
    let mut findings = verdict.findings(situation, &schema, &migrations, purpose);
    let mut old_rows = Counted::estimate(&situation.facts);
    if args.rows {
        // Shards have no rows in the tables' own files.
        if !situation.is_distributed() {
            let orphans = Orphans::read(&mut transaction, &situation.facts, &schema)?;
            findings.extend(orphaned(&orphans));
        }
        // Last: where the server refuses, the transaction is of no more use.
        old_rows = Counted::read(&mut transaction, &situation.facts, &schema)?;
    }
    let report = Report {
        schema: schema.name().to_owned(),
        state: verdict.state,
        ok: !findings.iter().any(Finding::is_error),
        findings,
        ddl_guard: verdict.ddl_guard,
        old_rows,
    };
    context.output.result(&report)?;
    Ok(match (report.ok, situation.history.problems.is_empty()) {
        (_, false) => Exit::History,
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
