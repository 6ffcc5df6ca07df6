//! `status`: what is applied, what is pending. Writes nothing.

use std::fmt;

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::cli::StatusArgs;
use crate::commands::{Context, Look};
use crate::error::{Error, Exit};
use crate::migrations::Migration;
use crate::schema::Schema;
use crate::situation::history::History;
use crate::situation::rows::Counted;
use crate::situation::{citus, extension};
use crate::wanted::{DdlGuard, For, Purpose, State};

/// What `status` found. In JSON:
///
/// ```json
/// {
///   "schema": "public",
///   "state": "current",
///   "current": 15,
///   "latest": 11,
///   "pending": 0,
///   "migrations": [
///     {"version": 1, "file": "V1__tables.sql", "state": "applied",
///      "applied_on": "2026-11-22T17:00:00.123456Z", "checksum": "123"}
///   ],
///   "problems": [],
///   "extension": {"installed": "1.2.0", "schema": "public", "available": "1.2.0", "updatable": false},
///   "ddl_guard": "off",
///   "old_rows": {"not_counted": "ext-migrate check --rows counts them", "about": {"versions": 0, "bundles": 0}}
/// }
/// ```
///
/// `state` and `old_rows` are described at [`State`] and [`Counted`]; `current` is null before the first migration;
/// a pending migration has null for `applied_on`; checksums are those of the files, as strings, because they do not
/// fit into a JavaScript number; `citus` is there only where Citus is installed ([`citus::Summary`]); `problems` says in sentences where history and files disagree (exit code 4).
#[derive(Serialize)]
struct Report {
    schema: String,
    state: State,
    current: Option<i32>,
    latest: i32,
    pending: usize,
    migrations: Vec<Line>,
    problems: Vec<String>,
    extension: extension::State,
    ddl_guard: DdlGuard,
    #[serde(skip_serializing_if = "Option::is_none")]
    citus: Option<citus::Summary>,
    old_rows: Counted,
}

#[derive(Serialize)]
struct Line {
    version: i32,
    file: String,
    state: &'static str,
    applied_on: Option<String>,
    checksum: String,
}

/// Runs `status`.
pub fn run(context: &Context, args: &StatusArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let migrations = context.migrations(&schema)?;
    let report = look(context, &schema, &migrations)?;
    context.output.result(&report)?;
    if !report.problems.is_empty() {
        let error = Error::History(report.problems);
        context.output.log(&format!("error: {error}"));
        return Ok(error.exit());
    }
    let extension_is_due = !args.without_extension && report.extension.is_due();
    Ok(
        match args.exit_code && (report.pending > 0 || extension_is_due) {
            true => Exit::Pending,
            false => Exit::Done,
        },
    )
}

fn look(context: &Context, schema: &Schema, migrations: &[Migration]) -> Result<Report, Error> {
    let mut session = context.connect()?;
    let mut transaction = session.read_only()?;
    let purpose = Purpose {
        what: For::Report,
        extension: false,
    };
    let Look {
        situation, verdict, ..
    } = Look::take(&mut transaction, schema, migrations, purpose)?;
    let history = situation.history;
    Ok(Report {
        schema: schema.name().to_owned(),
        state: verdict.state,
        current: history.versions().into_iter().max(),
        latest: migrations.last().map_or(0, |migration| migration.version),
        pending: history.pending(migrations).len(),
        migrations: migrations
            .iter()
            .map(|migration| line(migration, &history))
            .collect(),
        problems: history.problems,
        ddl_guard: verdict.ddl_guard,
        citus: situation.citus.as_ref().map(citus::Citus::summary),
        old_rows: Counted::estimate(&situation.facts),
        extension: situation.facts.extension,
    })
}

fn line(migration: &Migration, history: &History) -> Line {
    let applied = history.of(migration);
    Line {
        version: migration.version,
        file: migration.file(),
        state: match applied {
            Some(_) => "applied",
            None => "pending",
        },
        applied_on: applied.map(|row| row.applied_on.clone()),
        checksum: migration.checksum.to_string(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "Migration",
            "State",
            "Applied on",
            "Checksum",
        ]);
        for line in &self.migrations {
            table.add_row([
                line.file.as_str(),
                line.state,
                line.applied_on.as_deref().unwrap_or("-"),
                &line.checksum,
            ]);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
        writeln!(f, "{}\n", table.trim_fmt())?;
        match self.current {
            None => write!(f, "schema {}: not migrated yet", self.schema)?,
            Some(current) => write!(f, "schema {}: at V{current}", self.schema)?,
        }
        writeln!(f, ", {} of {} pending", self.pending, self.migrations.len())?;
        let extension = &self.extension;
        writeln!(
            f,
            "extension {}: {}, {}",
            extension::NAME,
            match &extension.installed {
                Some(version) => format!("{version} installed"),
                None => "not installed".to_owned(),
            },
            match (&extension.available, extension.updatable) {
                (Some(version), true) => format!("{version} available: run ext-migrate up"),
                (Some(version), false) => format!("{version} available"),
                (None, _) => "not available on this server".to_owned(),
            }
        )?;
        writeln!(f, "{}", self.ddl_guard)?;
        if let Some(citus) = &self.citus {
            writeln!(f, "{citus}")?;
        }
        write!(f, "{}", self.old_rows)
    }
}
