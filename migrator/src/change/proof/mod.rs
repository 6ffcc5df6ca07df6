//! Proves, from the server's counters and catalogs, that a transaction added and did nothing else: no row that existed
//! was updated or deleted, no table rewritten or truncated, no object that existed dropped, renamed, narrowed,
//! replaced, disabled or given away, and no right taken from anybody.
//!
//! What it cannot see: what another session does (dblink), what a superuser hides by switching `track_counts` off and
//! on again, the position of sequences, settings of roles and databases, and files outside the database.

mod catalog;
mod counters;
mod rights;

use std::collections::BTreeMap;
use std::fmt;

use postgres::GenericClient;
use serde::Serialize;

use self::catalog::Catalog;
use self::counters::Counters;
use crate::error::Error;
use crate::schema::Schema;

/// No error names more losses than this.
const SHOWN: usize = 20;

/// Counters and catalogs before the first statement.
///
/// In a transaction at REPEATABLE READ, everything that differs later is this transaction's doing. Below that,
/// changes of others would count too.
#[derive(Debug)]
pub struct Snapshot {
    schema: Schema,
    catalog: Catalog,
    scope: Scope,
}

/// What is compared.
#[derive(Debug)]
enum Scope {
    /// In a transaction: everything.
    Database(Counters),
    /// Outside one, where the counters start anew at any moment: the catalog entries of one table.
    Table(String),
}

/// What was compared, for people (`Display`) and programs. In JSON:
///
/// ```json
/// {
///   "tables_watched": 12, "rows_updated": 0, "rows_deleted": 0,
///   "objects_kept": 431, "objects_added": {"index": 3, "table": 4},
///   "outside_transaction": 3
/// }
/// ```
///
/// `objects_kept` are those that were there before and are there after, unchanged; `outside_transaction` counts the
/// steps that cannot run in a transaction: for them the catalog entries of the table they are about were compared.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proof {
    pub tables_watched: i64,
    pub rows_updated: i64,
    pub rows_deleted: i64,
    pub objects_kept: usize,
    pub objects_added: BTreeMap<String, usize>,
    pub outside_transaction: usize,
}

impl Snapshot {
    /// First thing in the transaction. Errors with [`Error::Destructive`] where the server does not count.
    pub fn take(transaction: &mut impl GenericClient, schema: &Schema) -> Result<Self, Error> {
        Ok(Self {
            schema: schema.clone(),
            scope: Scope::Database(Counters::read(transaction)?),
            catalog: Catalog::read(transaction, schema, None)?,
        })
    }

    /// Before a statement that cannot run in a transaction: the catalog entries of the table it is about. What others
    /// do to that table meanwhile counts too, and nothing can be rolled back.
    pub fn take_outside(
        client: &mut impl GenericClient,
        schema: &Schema,
        table: &str,
    ) -> Result<Self, Error> {
        Ok(Self {
            schema: schema.clone(),
            scope: Scope::Table(table.to_owned()),
            catalog: Catalog::read(client, schema, Some(&[table]))?,
        })
    }

    /// Last thing before the commit. Errors with [`Error::Destructive`] where something that existed was touched, or
    /// where the server does not count any more.
    pub fn verify(self, client: &mut impl GenericClient) -> Result<Proof, Error> {
        let mut losses: Vec<String> = Vec::new();
        if let Scope::Database(before) = &self.scope {
            let touched = Counters::read(client)?.since(before);
            for (_, rows) in touched.filter(|(table, _)| self.catalog.has_table(*table)) {
                losses.push(format!(
                    "table {}: {} rows updated, {} rows deleted",
                    rows.table, rows.updated, rows.deleted
                ));
            }
            losses.sort();
        }
        let changed = match &self.scope {
            Scope::Database(_) => self.catalog.read_changed(client, &self.schema)?,
            Scope::Table(_) => None,
        };
        let all = changed.is_none();
        let after = match (changed, &self.scope) {
            (Some(changed), _) => changed,
            (None, Scope::Database(_)) => Catalog::read(client, &self.schema, None)?,
            (None, Scope::Table(table)) => {
                Catalog::read(client, &self.schema, Some(&[table.as_str()]))?
            }
        };
        losses.extend(self.catalog.losses(&after, all));
        if losses.is_empty() {
            let mut proof = Proof {
                objects_added: self.catalog.added(&after),
                ..Proof::default()
            };
            match self.scope {
                Scope::Database(counters) => {
                    proof.tables_watched = counters.tables;
                    proof.objects_kept = self.catalog.len();
                }
                Scope::Table(_) => proof.outside_transaction = 1,
            }
            return Ok(proof);
        }
        if losses.len() > SHOWN {
            let more = losses.len() - SHOWN;
            losses.truncate(SHOWN);
            losses.push(format!("and {more} more"));
        }
        Err(Error::Destructive(losses))
    }
}

impl Proof {
    /// Adds the proof of the next step: what was there before the first was kept by all.
    pub fn merge(&mut self, other: Proof) {
        if self.objects_kept == 0 {
            self.objects_kept = other.objects_kept;
            self.tables_watched = other.tables_watched;
        }
        self.rows_updated += other.rows_updated;
        self.rows_deleted += other.rows_deleted;
        self.outside_transaction += other.outside_transaction;
        for (kind, count) in other.objects_added {
            *self.objects_added.entry(kind).or_default() += count;
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "proof: in {} tables {} rows updated and {} deleted, {} objects kept as they were, ",
            self.tables_watched, self.rows_updated, self.rows_deleted, self.objects_kept
        )?;
        if self.objects_added.is_empty() {
            return f.write_str("none added");
        }
        let added: Vec<String> = self
            .objects_added
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        write!(f, "added: {}", added.join(", "))
    }
}
