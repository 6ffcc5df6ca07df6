//! Proves, from the server's counters and catalogs, that a transaction added and did nothing else: no row that existed
//! was updated or deleted, no table rewritten or truncated, no object that existed dropped, renamed, narrowed,
//! replaced, disabled or given away, and no right taken from anybody.
//!
//! Locks are held while it compares, so it costs what the transaction touched: the registry's own objects are compared
//! one by one, everything else by how many rows the catalogs hold that are older than the transaction. Where that
//! number has fallen, the same is done again with a list of everything, which tells what it was.
//!
//! What it cannot see: what another session does (dblink), what a superuser hides by switching `track_counts` off and
//! on again, the position of sequences, settings of roles and databases, and files outside the database.

mod catalog;
mod counters;

use std::collections::BTreeMap;
use std::fmt;

use postgres::GenericClient;
use serde::Serialize;

use self::catalog::{Catalog, Which};
use self::counters::Counters;
use crate::error::{Doing, Error};
use crate::schema::Schema;
use crate::wanted;

/// No error names more losses than this.
const SHOWN: usize = 20;

const DOING: &str = "reading the catalogs";

/// How closely a transaction is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The registry's objects one by one, everything else by numbers.
    Registry,
    /// Everything one by one.
    Everything,
}

/// Counters and catalogs before the first statement.
///
/// In a transaction at REPEATABLE READ, everything that differs later is this transaction's doing. Below that,
/// changes of others would count too.
#[derive(Debug)]
pub struct Snapshot {
    depth: Depth,
    own: Own,
    catalog: Catalog,
    counters: Counters,
    others: Others,
}

/// The catalog entries of one table before a statement that cannot run in a transaction; the counters start anew at any
/// moment there. What others do to that table meanwhile counts too, and nothing can be rolled back.
#[derive(Debug)]
pub struct Outside<'a> {
    schema: &'a Schema,
    table: &'a str,
    catalog: Catalog,
}

/// Oids of what is the registry's.
#[derive(Debug)]
struct Own {
    compared: Vec<u32>,
    /// These, and the members of the extension.
    all: Vec<u32>,
}

/// Rows of the catalogs that are older than the transaction and not the registry's.
#[derive(Debug)]
struct Others {
    rows: i64,
    made_by_users: i64,
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

impl Own {
    fn read(
        client: &mut impl GenericClient,
        schema: &Schema,
        tables: &[String],
    ) -> Result<Self, Error> {
        let row = client
            .query_one(include_str!("own.sql"), &[&schema.name(), &tables])
            .doing(DOING)?;
        Ok(Self {
            compared: row.try_get(0).doing(DOING)?,
            all: row.try_get(1).doing(DOING)?,
        })
    }
}

impl Others {
    fn read(client: &mut impl GenericClient, own: &Own) -> Result<Self, Error> {
        let row = client
            .query_one(include_str!("counts.sql"), &[&own.all])
            .doing(DOING)?;
        Ok(Self {
            rows: row.try_get(0).doing(DOING)?,
            made_by_users: row.try_get(1).doing(DOING)?,
        })
    }
}

impl Snapshot {
    /// First thing in the transaction. Errors with [`Error::Destructive`] where the server does not count.
    pub fn take(
        transaction: &mut impl GenericClient,
        schema: &Schema,
        depth: Depth,
    ) -> Result<Self, Error> {
        let tables = wanted::Catalog::shipped().all_tables();
        let own = Own::read(transaction, schema, &tables)?;
        let which = match depth {
            Depth::Registry => Which::Own,
            Depth::Everything => Which::All,
        };
        Ok(Self {
            depth,
            counters: Counters::read(transaction)?,
            others: Others::read(transaction, &own)?,
            catalog: Catalog::read(transaction, &own.compared, which)?,
            own,
        })
    }

    /// Last thing before the commit. `None` where something changed that is not the registry's and was looked at by
    /// numbers alone: only [`Depth::Everything`] can tell whether that took anything away.
    ///
    /// Errors with [`Error::Destructive`] where something that existed was touched, or where the server does not count
    /// any more.
    pub fn verify(self, client: &mut impl GenericClient) -> Result<Option<Proof>, Error> {
        let own = &self.own.compared;
        let mut losses = self.counters.losses(client, own)?;
        let mut after = Catalog::read(client, own, Which::Touched)?;
        let changed = self.others.rows - Others::read(client, &self.own)?.rows;
        losses.extend(match self.depth {
            Depth::Registry if changed > 0 && losses.is_empty() => return Ok(None),
            // Not all that changed is there in another form: some of it is gone.
            Depth::Everything if changed != self.catalog.others_kept(&after) as i64 => {
                after = Catalog::read(client, own, Which::All)?;
                self.catalog.losses(&after, true)
            }
            _ => self.catalog.losses(&after, false),
        });
        refuse(losses)?;
        Ok(Some(Proof {
            tables_watched: self.counters.tables,
            objects_kept: self.catalog.len()
                + match self.depth {
                    Depth::Registry => self.others.made_by_users as usize,
                    Depth::Everything => 0,
                },
            objects_added: self.catalog.added(&after),
            ..Proof::default()
        }))
    }
}

impl<'a> Outside<'a> {
    /// Before the statement.
    pub fn take(
        client: &mut impl GenericClient,
        schema: &'a Schema,
        table: &'a str,
    ) -> Result<Self, Error> {
        let own = Own::read(client, schema, &[table.to_owned()])?;
        Ok(Self {
            catalog: Catalog::read(client, &own.compared, Which::Own)?,
            schema,
            table,
        })
    }

    /// After it. Errors with [`Error::Destructive`] as in a transaction.
    pub fn verify(self, client: &mut impl GenericClient) -> Result<Proof, Error> {
        let own = Own::read(client, self.schema, &[self.table.to_owned()])?;
        let after = Catalog::read(client, &own.compared, Which::Own)?;
        refuse(self.catalog.losses(&after, false))?;
        Ok(Proof {
            objects_added: self.catalog.added(&after),
            outside_transaction: 1,
            ..Proof::default()
        })
    }
}

fn refuse(mut losses: Vec<String>) -> Result<(), Error> {
    if losses.is_empty() {
        return Ok(());
    }
    if losses.len() > SHOWN {
        let more = losses.len() - SHOWN;
        losses.truncate(SHOWN);
        losses.push(format!("and {more} more"));
    }
    Err(Error::Destructive(losses))
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
