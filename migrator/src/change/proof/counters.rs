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
#[derive(Debug)]
struct Touched {
    table: String,
    updated: i64,
    deleted: i64,
    /// This transaction made it.
    new: bool,
}

/// Temporary tables are nobody else's; TOAST follows its table. Large objects are rows of a catalog.
const COUNTED: &str = "
    FROM pg_catalog.pg_class c
    WHERE (c.oid >= 16384 OR c.oid = 'pg_catalog.pg_largeobject'::regclass)
      AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't'";

/// The row of a system column is never written again.
const TOUCHED: &str = "
    SELECT c.oid, c.relnamespace::regnamespace || '.' || c.relname, c.updated, c.deleted, EXISTS (
               SELECT FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = c.oid AND a.attname = 'ctid' AND age(a.xmin) <= 0)
    FROM (
        SELECT c.*, pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated,
               pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted @counted@
    ) c
    WHERE c.updated > 0 OR c.deleted > 0";

/// Whose functions run with the statements of a migration.
const EVENT_TRIGGERS: &str = "
    SELECT coalesce(string_agg(format('%s (%s)', e.evtname, e.evtfoid::regprocedure), ', ' ORDER BY e.evtname), '')
    FROM pg_catalog.pg_event_trigger e
    WHERE e.evtenabled <> 'D' AND e.evtname !~ '^ext_registry_ddl_guard_'";

const DOING: &str = "reading the counters of this transaction";

impl Counters {
    /// Errors with [`Error::Destructive`] where Postgres does not count.
    pub fn read(client: &mut impl GenericClient) -> Result<Self, Error> {
        let count = format!("SELECT count(*) {COUNTED} AND c.oid >= 16384");
        let row = client.query_one(&count, &[]).doing(DOING)?;
        Ok(Self {
            touched: Touched::read_all(client)?,
            tables: row.try_get(0).doing(DOING)?,
        })
    }

    /// The tables that were there and had rows updated or deleted since then; `own` are the oids of the registry's.
    pub fn losses(
        &self,
        client: &mut impl GenericClient,
        own: &[u32],
    ) -> Result<Vec<String>, Error> {
        let mut losses = Vec::new();
        for (oid, mut now) in Touched::read_all(client)? {
            if let Some(then) = self.touched.get(&oid) {
                now.updated -= then.updated;
                now.deleted -= then.deleted;
            }
            if now.new || now.updated <= 0 && now.deleted <= 0 {
                continue;
            }
            let (table, updated, deleted) = (now.table, now.updated, now.deleted);
            let mut loss = format!("table {table}: {updated} rows updated, {deleted} rows deleted");
            if !own.contains(&oid) {
                loss.push_str(&of_somebody_else(client)?);
            }
            losses.push(loss);
        }
        losses.sort();
        Ok(losses)
    }
}

/// Whose doing it is when a table of others is written to: no migration of ours does that.
fn of_somebody_else(client: &mut impl GenericClient) -> Result<String, Error> {
    let row = client.query_one(EVENT_TRIGGERS, &[]).doing(DOING)?;
    let triggers: String = row.try_get(0).doing(DOING)?;
    Ok(match triggers.as_str() {
        "" => " (no table of the registry: a trigger of somebody else did that)".to_owned(),
        _ => format!(
            " (no table of the registry: an event trigger of this database did that, {triggers}; \
             ALTER EVENT TRIGGER … DISABLE while up runs)"
        ),
    })
}

impl Touched {
    fn read_all(client: &mut impl GenericClient) -> Result<HashMap<u32, Self>, Error> {
        let counts = "SELECT current_setting('track_counts') = 'on'";
        let row = client.query_one(counts, &[]).doing(DOING)?;
        if !row.try_get::<_, bool>(0).doing(DOING)? {
            return Err(Error::Destructive(vec![
                "track_counts is off, so the server does not count the rows that are updated or deleted, and nothing \
                 can be proved: a superuser can switch it on for this database"
                    .to_owned(),
            ]));
        }
        let rows = client
            .query(&TOUCHED.replace("@counted@", COUNTED), &[])
            .doing(DOING)?;
        rows.iter()
            .map(|row| Self::read(row).doing(DOING))
            .collect()
    }

    fn read(row: &Row) -> Result<(u32, Self), postgres::Error> {
        let touched = Self {
            table: row.try_get(1)?,
            updated: row.try_get(2)?,
            deleted: row.try_get(3)?,
            new: row.try_get(4)?,
        };
        Ok((row.try_get(0)?, touched))
    }
}
