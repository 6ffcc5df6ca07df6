//! Postgres' own count of the rows that this transaction updated and deleted.

use std::collections::HashMap;

use postgres::{GenericClient, Row};

use crate::error::{Doing, Error};

/// Updated and deleted rows by table, where there are any. The counters go on from the session's last transaction, so
/// only differences mean something. What a savepoint rolled back is counted too.
#[derive(Debug)]
pub struct Counters {
    touched: HashMap<u32, Touched>,
    /// How many tables Postgres counts.
    pub tables: i64,
}

/// Rows of one table.
#[derive(Debug, Default)]
pub struct Touched {
    pub table: String,
    pub updated: i64,
    pub deleted: i64,
}

/// Temporary tables are nobody else's; TOAST follows its table.
const COUNTED: &str = "
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't'";

const DOING: &str = "reading the counters of this transaction";

impl Counters {
    /// Errors with [`Error::Destructive`] where Postgres does not count.
    pub fn read(client: &mut impl GenericClient) -> Result<Self, Error> {
        let tables = counted_tables(client)?;
        let rows = client
            .query(
                &format!(
                    "SELECT oid, name, updated, deleted FROM (
                         SELECT c.oid, n.nspname || '.' || c.relname AS name,
                                pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated,
                                pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted
                         {COUNTED}
                     ) counted
                     WHERE updated > 0 OR deleted > 0"
                ),
                &[],
            )
            .doing(DOING)?;
        let touched: Result<_, postgres::Error> = rows.iter().map(Touched::read).collect();
        Ok(Self {
            touched: touched.doing(DOING)?,
            tables,
        })
    }

    /// The tables that had rows updated or deleted since `before`.
    pub fn since(self, before: &Self) -> impl Iterator<Item = (u32, Touched)> {
        self.touched.into_iter().filter_map(|(oid, mut now)| {
            if let Some(then) = before.touched.get(&oid) {
                now.updated -= then.updated;
                now.deleted -= then.deleted;
            }
            (now.updated > 0 || now.deleted > 0).then_some((oid, now))
        })
    }
}

fn counted_tables(client: &mut impl GenericClient) -> Result<i64, Error> {
    let row = client
        .query_one(
            &format!(
                "SELECT pg_catalog.current_setting('track_counts') = 'on', count(*) {COUNTED}"
            ),
            &[],
        )
        .doing(DOING)?;
    if !row.try_get::<_, bool>(0).doing(DOING)? {
        return Err(Error::Destructive(vec![
            "track_counts is off, so the server does not count the rows that are updated or deleted, and nothing can \
             be proved: a superuser can switch it on for this database"
                .to_owned(),
        ]));
    }
    row.try_get(1).doing(DOING)
}

impl Touched {
    fn read(row: &Row) -> Result<(u32, Self), postgres::Error> {
        let touched = Self {
            table: row.try_get(1)?,
            updated: row.try_get(2)?,
            deleted: row.try_get(3)?,
        };
        Ok((row.try_get(0)?, touched))
    }
}
