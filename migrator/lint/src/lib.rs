//! Classifies every statement of every migration with the server's own grammar (libpg_query), and refuses what is
//! not on the list of additive statements in [`additive`]. Tests and the build use it: what is shipped is embedded and
//! frozen, so `ext-migrate` holds what this prints ([`sql/statements.json`](../../../sql/statements.json)) instead.

pub mod additive;
mod calls;
mod function;
mod index;
mod known;
mod locks;
mod names;
mod plpgsql;
mod query;
mod statement;
mod table;
#[cfg(test)]
mod tests;

use pg_query::NodeEnum;
use pg_query::protobuf::{RawStmt, ScanToken, Token};
use serde::Serialize;

pub use self::additive::{ADDITIVE, Class, Lock};
use self::known::Known;

/// A migration file.
#[derive(Debug, Clone)]
pub struct File {
    pub name: String,
    /// With a quoted name for the schema.
    pub sql: String,
}

/// What a migration does, statement by statement.
#[derive(Debug, Serialize)]
pub struct MigrationReport {
    pub file: String,
    pub statements: Vec<StatementReport>,
    /// Index and table of the one CREATE INDEX CONCURRENTLY that it is, which runs outside a transaction.
    #[serde(skip)]
    pub concurrent: Option<(String, String)>,
    #[serde(skip)]
    pub refusals: Vec<Refusal>,
}

/// A statement that is on the list.
#[derive(Debug, Serialize)]
pub struct StatementReport {
    /// In the file, from 1.
    pub line: usize,
    /// Each thing it does, once.
    pub classes: Vec<Class>,
    /// The strongest lock it takes on a table that was there before.
    pub lock: Lock,
}

/// A statement that is refused.
#[derive(Debug)]
pub struct Refusal {
    pub file: String,
    pub line: usize,
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.reason)
    }
}

/// Classifies all migrations of a set, in order: what a later one may replace depends on what an earlier one made.
pub fn classify(files: &[File]) -> Vec<MigrationReport> {
    let mut known = Known::default();
    files
        .iter()
        .map(|file| classify_file(file, &mut known))
        .collect()
}

fn classify_file(file: &File, known: &mut Known) -> MigrationReport {
    let source = Source::new(&file.sql);
    let mut report = MigrationReport {
        file: file.name.clone(),
        statements: Vec::new(),
        concurrent: None,
        refusals: Vec::new(),
    };
    let refuse = |line, reason: String| Refusal {
        file: file.name.clone(),
        line,
        reason: reason.lines().map(str::trim).collect::<Vec<_>>().join(" "),
    };

    let statements = match pg_query::parse(source.sql, 0) {
        Ok(parsed) => parsed.protobuf.stmts,
        Err(error) => {
            report
                .refusals
                .push(refuse(source.first_unreadable_line(), error.to_string()));
            return report;
        }
    };
    if statements.is_empty() {
        report
            .refusals
            .push(refuse(1, "the file holds no statement".into()));
    }
    known.begin_file();
    for raw in &statements {
        let (line, sql) = source.locate(raw);
        let Some(statement) = raw.stmt.as_deref() else {
            continue;
        };
        match statement::classify(statement, sql, statements.len() == 1, known) {
            Ok(actions) => {
                if let Some(NodeEnum::IndexStmt(index)) = &statement.node
                    && index.concurrent
                {
                    let table = index.relation.clone().unwrap_or_default().relname;
                    report.concurrent = Some((index.idxname.clone(), table));
                }
                let mut classes: Vec<Class> = Vec::new();
                for action in &actions {
                    if !classes.contains(&action.class) {
                        classes.push(action.class);
                    }
                }
                let lock = actions
                    .iter()
                    .map(|action| action.lock())
                    .max()
                    .unwrap_or(Lock::None);
                report.statements.push(StatementReport {
                    line,
                    classes,
                    lock,
                });
            }
            Err(reason) => report.refusals.push(refuse(line, reason)),
        }
    }
    if let Some(function) = known.left_open() {
        let reason = format!(
            "function {} has its owner's rights (SECURITY DEFINER): REVOKE ALL … FROM PUBLIC in the same file",
            function.name.name
        );
        report.refusals.push(refuse(source.lines(), reason));
    }
    if let Some(trigger) = known.left_dropped() {
        let reason = format!(
            "trigger {trigger} is dropped: CREATE it again on the same table and ENABLE ALWAYS in the same file"
        );
        report.refusals.push(refuse(source.lines(), reason));
    }
    if report.refusals.is_empty() {
        let findings = locks::findings(source.sql, report.concurrent.is_none());
        report.refusals.extend(
            findings
                .into_iter()
                .map(|(at, reason)| refuse(source.line(at), reason)),
        );
    }
    report
}

/// The text of a file and where its tokens are.
struct Source<'a> {
    sql: &'a str,
    tokens: Vec<ScanToken>,
}

impl<'a> Source<'a> {
    fn new(sql: &'a str) -> Self {
        let tokens = pg_query::scan(sql)
            .map(|scan| scan.tokens)
            .unwrap_or_default();
        Self { sql, tokens }
    }

    /// Line and text of a statement, without the comments before it.
    fn locate(&self, raw: &RawStmt) -> (usize, &'a str) {
        let from = usize::try_from(raw.stmt_location).unwrap_or_default();
        let length = usize::try_from(raw.stmt_len).unwrap_or_default();
        let end = if length == 0 {
            self.sql.len()
        } else {
            from + length
        };
        let start = self.tokens.iter().find_map(|token| {
            let start = usize::try_from(token.start).ok()?;
            let comment = matches!(token.token(), Token::SqlComment | Token::CComment);
            (start >= from && !comment && token.token() != Token::Ascii59).then_some(start)
        });
        let start = start.unwrap_or(from);
        (
            self.line(start),
            self.sql.get(start..end).unwrap_or_default().trim_end(),
        )
    }

    fn line(&self, offset: usize) -> usize {
        let before = self
            .sql
            .as_bytes()
            .get(..offset)
            .unwrap_or(self.sql.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn lines(&self) -> usize {
        self.sql.lines().count().max(1)
    }

    /// The parser names no position: the first statement that does not parse by itself.
    fn first_unreadable_line(&self) -> usize {
        let statements = pg_query::split_with_scanner(self.sql).unwrap_or_default();
        let unreadable = statements
            .iter()
            .find(|statement| pg_query::parse(statement, 0).is_err());
        unreadable.map_or(1, |statement| {
            let offset = statement.as_ptr() as usize - self.sql.as_ptr() as usize;
            let blank = statement.len() - statement.trim_start().len();
            self.line(offset + blank)
        })
    }
}
