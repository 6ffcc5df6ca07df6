//! The layout on Citus: registry, versions and bundles as reference tables, so that every node has all of them, and
//! installs distributed by tenant. Everything here runs only where Citus is installed.
//!
//! The tables are made by the same migrations as anywhere, and distributed afterwards, in one transaction. The guards
//! keep their triggers and get other functions (`sql/citus/guards.sql`).

mod found;
pub mod nodes;
mod obstacles;

pub use found::{Found, Kind, Layout, Summary};
pub use nodes::Node;

use crate::schema::Schema;

const GUARDS: &str = include_str!("../../../sql/citus/guards.sql");
const READERS: &str = include_str!("../../../pg_ext/src/citus.sql");

/// The functions of the guards for tables in shards.
pub fn guards(schema: &Schema) -> String {
    GUARDS.replace("@schema@", &schema.quoted())
}

/// Turns the functions that read into what Citus can plan; the script of the extension holds the same block.
pub fn readers(schema: &Schema) -> String {
    READERS.replace("@extschema@", &schema.quoted())
}
