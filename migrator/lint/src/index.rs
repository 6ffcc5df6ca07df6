//! CREATE INDEX.

use pg_query::NodeEnum;
use pg_query::protobuf::IndexStmt;

use super::additive::{Action, Class, Verdict};
use super::known::Known;
use super::names::Name;
use super::query::reads_only;

pub fn create_index(statement: &IndexStmt, alone: bool, known: &Known) -> Verdict {
    let table = Name::from(statement.relation.as_ref().ok_or("it names no table")?);
    for column in &statement.index_params {
        let Some(NodeEnum::IndexElem(column)) = &column.node else {
            return Err("a part of it is not on the list".into());
        };
        reads_only(&column.expr, known)?;
    }
    reads_only(&statement.where_clause, known)?;
    if !statement.concurrent {
        if known.is_new_table(&table) {
            return Ok(vec![Action::new(Class::IndexNewTable)]);
        }
        return Err(
            "an index on a table that may hold rows keeps writers waiting: build it CONCURRENTLY"
                .into(),
        );
    }
    if !alone {
        return Err(
            "CREATE INDEX CONCURRENTLY runs outside a transaction: it has to be alone in its file"
                .into(),
        );
    }
    if !statement.if_not_exists || statement.idxname.is_empty() {
        return Err(
            "CREATE INDEX CONCURRENTLY needs IF NOT EXISTS and a name: it has to be repeatable"
                .into(),
        );
    }
    Ok(vec![Action::new(Class::IndexConcurrently)])
}
