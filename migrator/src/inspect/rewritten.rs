//! Values of a column that were converted after they were published: `ALTER COLUMN … TYPE … USING` passes by all
//! triggers, and may leave the type as it was.

use postgres::Transaction;

use super::facts::{Facts, GUARDED, Relation};
use super::finding::Finding;
use super::shape;
use crate::error::{Doing, Error};
use crate::schema::{Schema, quote_ident};

/// Such a command writes every row, and the column's own row in the catalog, in one transaction, and the row of a system
/// column keeps the transaction that created the table (a restore in one transaction). Rows are written again only by
/// an UPDATE that changes nothing: so the whole first page is looked at.
const QUERY: &str = "
    SELECT a.attname::text
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_attribute s ON s.attrelid = a.attrelid AND s.attname = 'ctid'
    WHERE a.attrelid = pg_catalog.to_regclass($1)
      AND a.attname = ANY ($2)
      AND a.xmin <> s.xmin
      AND a.xmin IN (SELECT x.xmin FROM ONLY @table@ x WHERE x.ctid < '(1,0)')
    ORDER BY a.attnum";

/// One finding for each column; none for tables that the role may not read.
///
/// # Errors
/// What the server answers.
pub fn read(
    transaction: &mut Transaction,
    facts: &Facts,
    schema: &Schema,
) -> Result<Vec<Finding>, Error> {
    let looked_at = |relation: &&Relation| {
        GUARDED.contains(&relation.name.as_str()) && relation.kind == "r" && relation.readable
    };
    let mut findings = Vec::new();
    for relation in facts.relations.iter().filter(looked_at) {
        let table = format!("{}.{}", schema.quoted(), quote_ident(&relation.name));
        let doing = "looking for rewritten columns";
        let columns = shape::column_names(&relation.name);
        let rows = transaction
            .query(&QUERY.replace("@table@", &table), &[&table, &columns])
            .doing(doing)?;
        for row in rows {
            let column: String = row.try_get(0).doing(doing)?;
            findings.push(
                Finding::error(
                    "COLUMN_REWRITTEN",
                    format!("{}.{column}", relation.name),
                    "ALTER TABLE … TYPE has written its values anew after they were published",
                )
                .with_mend(
                    "compare with a backup; a dump and restore of the table ends this report",
                ),
            );
        }
    }
    Ok(findings)
}
