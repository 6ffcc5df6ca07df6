//! The audit from outside: everything that is stored, passed on in its order.

use ext_registry_core::log::audit::{Audit, OUTSIDE, Outside, TWICE, Twice, UNLOGGED};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Portal, Row, Transaction};

use super::rows::{Id, Rows};
use super::tiles::StoredTiles;
use super::{READING, get, time, unsigned};
use crate::error::{Doing, Error};
use crate::schema::Schema;

/// Indexes of leaves that are fetched at once: what is stored beside these is held in memory.
const FETCHED: i32 = 8192;

/// Runs it; the transaction has one snapshot. `seen` is called again and again, to take what has been found.
pub fn run(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    audit: &mut Audit,
    mut seen: impl FnMut(&mut Audit),
) -> Result<(), Error> {
    let mut leaves = 0;
    each(transaction, schema, OUTSIDE, |row| {
        let what: String = get(row, 0)?;
        match Outside::from_name(&what) {
            Some(what) => {
                let id = Id::read(row, 4)?;
                let id = id.as_ref().map(Id::row);
                audit.outside(what, get(row, 1)?, get(row, 2)?, id.as_ref());
            }
            None => {
                leaves = unsigned(get(row, 3)?);
                audit.ends_at(leaves);
            }
        }
        seen(audit);
        Ok(())
    })?;
    walk(transaction, schema, leaves, audit, &mut seen)?;
    each(transaction, schema, TWICE, |row| {
        let what: String = get(row, 0)?;
        if let (Some(what), Some(id)) = (Twice::from_name(&what), Id::read(row, 1)?) {
            audit.twice(what, &id.row());
        }
        seen(audit);
        Ok(())
    })?;
    each(transaction, schema, UNLOGGED, |row| {
        if let Some(id) = Id::read(row, 0)? {
            audit.unlogged(&id.row(), time(row, 3)?);
        }
        seen(audit);
        Ok(())
    })
}

/// Every leaf with its row. The connection has no time for tiles and checkpoints meanwhile: so it is first asked where
/// the next leaves are.
fn walk(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    leaves: u64,
    audit: &mut Audit,
    seen: &mut impl FnMut(&mut Audit),
) -> Result<(), Error> {
    let rows = Rows::open(transaction, schema, 0, leaves)?;
    let indexes = indexes(transaction, schema, leaves)?;
    let mut stored = StoredTiles::new(transaction, schema);
    loop {
        let next: Vec<u64> = stored
            .transaction
            .query_portal(&indexes, FETCHED)
            .doing(READING)?
            .iter()
            .map(|row| Ok(unsigned(get(row, 0)?)))
            .collect::<Result<_, Error>>()?;
        if next.is_empty() {
            break;
        }
        for run in next.chunk_by(|one, other| other - one <= 1) {
            audit.missing_until(run[0], &mut stored)?;
            stored.each_leaf(&rows, run, |record, stored| {
                audit.leaf(&record.leaf(), stored)
            })?;
            seen(audit);
        }
    }
    audit.end(&mut stored)?;
    seen(audit);
    Ok(())
}

/// Those of [`Rows`], in the same order.
fn indexes(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    leaves: u64,
) -> Result<Portal, Error> {
    let statement = transaction
        .prepare(&format!(
            "SELECT leaf_index FROM {}.extension_log_leaf \
             WHERE leaf_index >= 0 AND leaf_index < $1 ORDER BY leaf_index",
            schema.quoted()
        ))
        .doing(READING)?;
    transaction
        .bind(&statement, &[&super::signed(leaves)])
        .doing(READING)
}

/// Passes on each row of a query, none of which is kept.
fn each(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    sql: &str,
    mut work: impl FnMut(&Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let sql = sql.replace("@schema@", &schema.quoted());
    let mut rows = transaction
        .query_raw(&sql, std::iter::empty::<&str>())
        .doing(READING)?;
    while let Some(row) = rows.next().doing(READING)? {
        work(&row)?;
    }
    Ok(())
}
