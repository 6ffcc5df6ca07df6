//! A registry whose history is gone: a dump of the schema or of some tables was restored. What the migrations made
//! is there; to run them again would fail, and to take the tables for old ones would be wrong.

use super::facts::{Facts, TABLES};
use super::finding::Finding;
use super::shipped::Shipped;

/// True where the marks have the default that only the guards' migrations give them, and all guards or all checks are
/// there, for a history that is empty or missing. What else the migrations made may have been lost too, as the guards
/// are in a dump of the tables by name: that is drift, and is found and mended as such.
pub fn is_lost(facts: &Facts, shipped: &Shipped) -> bool {
    let tables = TABLES.iter().all(|table| facts.relation(table).is_some());
    let marks = shipped.defaults.iter().all(|shipped| {
        facts
            .relation(&shipped.table)
            .and_then(|relation| relation.column(&shipped.column))
            .is_some_and(|column| column.default.as_deref() == Some("false"))
    });
    let guards = shipped.triggers.iter().all(|shipped| {
        facts
            .relation(&shipped.table)
            .is_some_and(|relation| relation.trigger(&shipped.name).is_some())
    });
    let checks = shipped.checks.iter().all(|shipped| {
        facts
            .relation(&shipped.table)
            .is_some_and(|relation| relation.constraint(&shipped.name).is_some())
    });
    let ships_all = ![
        shipped.defaults.is_empty(),
        shipped.triggers.is_empty(),
        shipped.checks.is_empty(),
    ]
    .contains(&true);
    ships_all && tables && marks && (guards || checks)
}

pub fn finding() -> Finding {
    Finding::error(
        "HISTORY_LOST",
        crate::history::TABLE,
        "what the migrations make is there, and their history is not: a dump without its rows was restored",
    )
    .mended_by_up()
}
