//! A registry whose history is gone: a dump of the schema alone was restored, or one without the history table. All
//! that the migrations made is there; to run them again would fail, and to take the tables for old ones would be wrong.

use super::facts::{Facts, GUARDED, TABLES};
use super::finding::Finding;
use super::shipped::Shipped;

/// True where every guard is there, for a history that is empty or missing. What else the migrations made may have
/// been lost too: that is drift, and is found and mended as such.
pub fn is_lost(facts: &Facts, shipped: &Shipped) -> bool {
    let tables = TABLES.iter().all(|table| facts.relation(table).is_some());
    let marks = GUARDED[1..].iter().all(|table| {
        facts
            .relation(table)
            .is_some_and(|relation| relation.column("adopted").is_some())
    });
    let functions = shipped.functions.iter().all(|function| {
        facts
            .function(&function.name)
            .is_some_and(|found| found.returns == "trigger")
    });
    let triggers = shipped.triggers.iter().all(|trigger| {
        facts
            .relation(&trigger.table)
            .is_some_and(|relation| relation.trigger(&trigger.name).is_some())
    });
    tables && marks && functions && triggers && !shipped.triggers.is_empty()
}

pub fn finding() -> Finding {
    Finding::error(
        "HISTORY_LOST",
        crate::history::TABLE,
        "all that the migrations make is there, and the history is not: a dump without its rows was restored",
    )
    .mended_by_up()
}
