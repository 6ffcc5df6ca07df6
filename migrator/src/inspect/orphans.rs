//! Rows that refer to a row that is not there. Foreign keys forbid them, but sleep in a restore or replication that runs
//! in `session_replication_role = replica`, and stay valid by name.

use postgres::Transaction;

use super::facts::{BUNDLE, Facts, INSTALL, REGISTRY, Relation, VERSION};
use super::finding::Finding;
use crate::error::{Doing, Error};
use crate::schema::{Schema, quote_ident};

/// Table, column and the table it refers to.
const REFERENCES: [(&str, &str, &str); 4] = [
    (VERSION, "registry_id", REGISTRY),
    (BUNDLE, "version_id", VERSION),
    (INSTALL, "registry_id", REGISTRY),
    (INSTALL, "version_id", VERSION),
];

/// One finding for each reference that some row breaks. Tables that the role may not read, or sees through policies,
/// are left out.
///
/// # Errors
/// What the server answers.
pub fn read(
    transaction: &mut Transaction,
    facts: &Facts,
    schema: &Schema,
) -> Result<Vec<Finding>, Error> {
    let doing = "looking for rows without the row they refer to";
    let qualified = |table: &str| format!("{}.{}", schema.quoted(), quote_ident(table));
    let mut findings = Vec::new();
    for (table, column, target) in REFERENCES {
        let readable = |name: &str| {
            facts.relation(name).is_some_and(|relation: &Relation| {
                relation.is_table() && relation.readable && relation.column("id").is_some()
            })
        };
        let has_column = facts
            .relation(table)
            .is_some_and(|relation| relation.column(column).is_some());
        if !readable(table) || !readable(target) || !has_column {
            continue;
        }
        let (from, to) = (qualified(table), qualified(target));
        let policies = transaction
            .query_one(
                "SELECT pg_catalog.row_security_active($1) OR pg_catalog.row_security_active($2)",
                &[&from, &to],
            )
            .doing(doing)?;
        if policies.try_get(0).doing(doing)? {
            continue;
        }
        let row = transaction
            .query_one(
                &format!(
                    "SELECT count(*) FROM ONLY {from} x \
                     WHERE NOT EXISTS (SELECT FROM ONLY {to} y WHERE y.id = x.{column})"
                ),
                &[],
            )
            .doing(doing)?;
        let rows: i64 = row.try_get(0).doing(doing)?;
        if rows > 0 {
            findings.push(
                Finding::error(
                    "ROWS_ORPHANED",
                    format!("{table}.{column}"),
                    format!(
                        "{rows} rows refer to a row of {target} that is not there: they came in while foreign keys slept"
                    ),
                )
                .with_mend(format!("restore the missing rows of {target}")),
            );
        }
    }
    Ok(findings)
}
