//! The migration files, in order, with the schema filled in.

use std::path::Path;

use refinery::{Migration as File, load_sql_migrations};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::schema::Schema;

mod embedded {
    refinery::embed_migrations!("../sql/migrations");
}

/// What the statements of each file do, printed by the tests of the lint.
const STATEMENTS: &str = include_str!("../../sql/statements.json");

/// Stands in the files for the quoted name of the schema.
const PLACEHOLDER: &str = "@schema@";

/// First line of a file that builds one index CONCURRENTLY; the name of the index, ` on ` and that of its table follow.
const CONCURRENT: &str = "-- outside a transaction: ";

/// Files that were released before files had such a line.
const RELEASED: [(&str, &str, &str); 3] = [
    (
        "V4__bundle_version_index",
        "extension_bundle_version_id_unique",
        "extension_bundle",
    ),
    (
        "V5__version_list_index",
        "extension_version_list_idx",
        "extension_version",
    ),
    (
        "V6__version_release_index",
        "extension_version_release_idx",
        "extension_version",
    ),
];

/// A set of migration files.
#[derive(Debug, Clone)]
pub struct Migrations(Vec<File>);

/// One migration, ready to run in one schema.
#[derive(Debug, Clone)]
pub struct Migration {
    pub version: i32,
    /// `tables` for `V1__tables.sql`.
    pub name: String,
    /// As refinery computes it: on name, version and the text of the file, before the schema is filled in.
    pub checksum: u64,
    /// The SQL with the schema filled in.
    pub sql: String,
    pub kind: Kind,
    /// What it does; empty for a file that is not of this release.
    pub statements: Vec<Statement>,
}

/// How a migration has to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// In one transaction with its history row.
    Transactional,
    /// One CREATE INDEX CONCURRENTLY, which refuses to run in a transaction.
    Concurrent { index: String, table: String },
}

/// What one statement of a file does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Statement {
    /// In the file, from 1.
    pub line: usize,
    /// Each thing it does, once: `create table`, `add column` …
    pub classes: Vec<String>,
    /// The strongest lock it takes on a table that was there before, as PostgreSQL names it.
    pub lock: Option<String>,
}

/// The statements of one file, as they are printed.
#[derive(Deserialize)]
struct Printed {
    file: String,
    statements: Vec<Statement>,
}

impl Migration {
    /// The name of the file.
    pub fn file(&self) -> String {
        format!("V{}__{}.sql", self.version, self.name)
    }

    /// The SQL cut where its statements begin; in one piece for a file that is not of this release.
    pub fn each_statement(&self) -> Vec<&str> {
        let mut rest = self.sql.as_str();
        let mut pieces = Vec::new();
        let mut line = 1;
        for statement in self.statements.iter().skip(1) {
            let lines = rest.split_inclusive('\n').take(statement.line - line);
            let (piece, after) = rest.split_at(lines.map(str::len).sum());
            if !piece.is_empty() {
                pieces.push(piece);
            }
            (rest, line) = (after, statement.line);
        }
        pieces.push(rest);
        pieces
    }
}

impl Migrations {
    /// Those of this release.
    pub fn embedded() -> Self {
        Self(embedded::migrations::runner().get_migrations().clone())
    }

    /// The files of a folder: what tests run instead.
    ///
    /// # Errors
    /// [`Error::Usage`] where they cannot be read.
    pub fn of_folder(folder: &Path) -> Result<Self, Error> {
        load_sql_migrations(folder)
            .map(Self)
            .map_err(|error| Error::Usage(format!("{}: {error}", folder.display())))
    }

    /// The migrations by version, for one schema.
    pub fn in_schema(&self, schema: &Schema) -> Result<Vec<Migration>, Error> {
        let mut printed: Vec<Printed> =
            serde_json::from_str(STATEMENTS).map_err(|error| Error::Io {
                doing: "reading what the migrations do".to_owned(),
                source: error.into(),
            })?;
        let mut migrations: Vec<_> = self
            .0
            .iter()
            .map(|file| {
                let name = format!("{file}.sql");
                let statements = printed
                    .iter_mut()
                    .find(|printed| printed.file == name)
                    .map(|printed| std::mem::take(&mut printed.statements));
                let sql = file.sql().unwrap_or_default();
                Migration {
                    version: file.version(),
                    name: file.name().to_owned(),
                    checksum: file.checksum(),
                    kind: kind(&file.to_string(), sql),
                    sql: sql.replace(PLACEHOLDER, &schema.quoted()),
                    statements: statements.unwrap_or_default(),
                }
            })
            .collect();
        migrations.sort_by_key(|migration| migration.version);
        Ok(migrations)
    }
}

/// How a file says that it has to run.
fn kind(name: &str, sql: &str) -> Kind {
    let line = sql
        .lines()
        .next()
        .and_then(|line| line.strip_prefix(CONCURRENT));
    let built = match line.and_then(|line| line.split_once(" on ")) {
        Some(built) => Some(built),
        None => RELEASED
            .iter()
            .find(|(released, ..)| *released == name)
            .map(|(_, index, table)| (*index, *table)),
    };
    match built {
        Some((index, table)) => Kind::Concurrent {
            index: index.to_owned(),
            table: table.to_owned(),
        },
        None => Kind::Transactional,
    }
}

#[cfg(test)]
mod tests;
