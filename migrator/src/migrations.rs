//! The migration files: embedded or from a directory, in order, with the schema filled in.

use std::path::Path;

use refinery::{Migration as File, load_sql_migrations};

use crate::error::Error;
use crate::schema::Schema;

mod embedded {
    refinery::embed_migrations!("../sql/migrations");
}

/// Stands in the files for the quoted name of the schema.
const PLACEHOLDER: &str = "@schema@";

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
}

/// How a migration has to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// In one transaction with its history row.
    Transactional,
    /// One CREATE INDEX CONCURRENTLY, which refuses to run in a transaction.
    Concurrent { index: String, table: String },
}

impl Migration {
    /// The name of the file.
    pub fn file(&self) -> String {
        format!("V{}__{}.sql", self.version, self.name)
    }
}

/// All migrations by version; from `dir` instead of the embedded ones where it is given.
///
/// Errors with [`Error::Usage`] where the files of `dir` cannot be used.
pub fn load(dir: Option<&Path>, schema: &Schema) -> Result<Vec<Migration>, Error> {
    let files = match dir {
        None => embedded::migrations::runner().get_migrations().clone(),
        Some(dir) => load_sql_migrations(dir)
            .map_err(|error| Error::Usage(format!("--migrations {}: {error}", dir.display())))?,
    };
    if files.is_empty() {
        return Err(Error::Usage(
            "there are no migration files (V1__name.sql, V2__name.sql, …)".to_owned(),
        ));
    }
    let mut migrations = files
        .iter()
        .map(|file| render(file, schema))
        .collect::<Result<Vec<_>, _>>()?;
    migrations.sort_by_key(|migration| migration.version);
    if let Some(pair) = migrations
        .windows(2)
        .find(|pair| pair[0].version == pair[1].version)
    {
        return Err(Error::Usage(format!(
            "{} and {} have the same number",
            pair[0].file(),
            pair[1].file()
        )));
    }
    Ok(migrations)
}

fn render(file: &File, schema: &Schema) -> Result<Migration, Error> {
    if !file.to_string().starts_with('V') {
        return Err(Error::Usage(format!(
            "{file}.sql: only versioned migrations (V…) are run"
        )));
    }
    let sql = file
        .sql()
        .unwrap_or_default()
        .replace(PLACEHOLDER, &schema.quoted());
    let kind =
        kind(&sql).map_err(|reason| Error::Destructive(vec![format!("{file}.sql: {reason}")]))?;
    Ok(Migration {
        version: file.version(),
        name: file.name().to_owned(),
        checksum: file.checksum(),
        sql,
        kind,
    })
}

/// How a text has to run. One that does not parse is transactional here; the lint names what is wrong with it.
pub fn kind(sql: &str) -> Result<Kind, &'static str> {
    use pg_query::NodeEnum;

    let Ok(parsed) = pg_query::parse(sql, pg_query::ParserOptions::DEFAULT) else {
        return Ok(Kind::Transactional);
    };
    let statements = parsed.protobuf.stmts;
    let concurrent = statements.iter().find_map(|statement| {
        match statement.stmt.as_ref().and_then(|s| s.node.as_ref()) {
            Some(NodeEnum::IndexStmt(index)) if index.concurrent => Some(index),
            _ => None,
        }
    });
    let Some(index) = concurrent else {
        return Ok(Kind::Transactional);
    };
    if statements.len() != 1 {
        return Err("CREATE INDEX CONCURRENTLY has to be the only statement of its file");
    }
    if !index.if_not_exists || index.idxname.is_empty() {
        return Err(
            "CREATE INDEX CONCURRENTLY needs a name and IF NOT EXISTS: it may have to run twice",
        );
    }
    Ok(Kind::Concurrent {
        index: index.idxname.clone(),
        table: index
            .relation
            .as_ref()
            .map(|relation| relation.relname.clone())
            .unwrap_or_default(),
    })
}
