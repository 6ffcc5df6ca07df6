//! The layout on Citus: registry, versions and bundles as reference tables, so that every node has all of them, and
//! installs distributed by tenant. Everything here runs only where Citus is installed.
//!
//! The tables are made by the same migrations as anywhere, and distributed afterwards, in one transaction. The guards
//! keep their triggers and get other functions (`sql/citus/guards.sql`).

mod distribution;
mod found;
mod nodes;
mod obstacles;

pub use distribution::{Distribution, Rows, Step};
pub use found::{Found, Kind, Layout, Summary};
pub use nodes::Node;

use crate::apply::Runner;
use crate::error::Error;
use crate::inspect::Shipped;
use crate::migrations::Migration;
use crate::schema::Schema;

const GUARDS: &str = include_str!("../../../sql/citus/guards.sql");
const READERS: &str = include_str!("../../../pg_ext/src/citus.sql");

/// The functions of the guards for tables in shards.
pub fn guards(schema: &Schema) -> String {
    GUARDS.replace("@schema@", &schema.quoted())
}

/// Turns the functions that read into what Citus can plan; the script of the extension holds the same block.
fn readers(schema: &Schema) -> String {
    READERS.replace("@extschema@", &schema.quoted())
}

/// The last step of `up` on Citus: distributes tables that hold nothing yet, and completes what is distributed on nodes
/// where something is missing. Tables with rows are left to `distribute`.
///
/// # Errors
/// What the server answers, and [`Error::Node`] where a node refuses.
pub fn settle(runner: &mut Runner, migrations: &[Migration]) -> Result<Found, Error> {
    let found = Found::read(&mut runner.session.client, runner.schema)?;
    match found.layout() {
        Layout::Local if found.obstacles().is_empty() && runner.tables_are_empty()? => {
            Distribution::plan(&found, runner.schema).run(runner)?;
        }
        Layout::Distributed => {}
        _ => return Ok(found),
    }
    complete(runner, migrations)
}

/// Gives every node the guards and functions that it lacks.
///
/// # Errors
/// As for [`settle`].
pub fn complete(runner: &mut Runner, migrations: &[Migration]) -> Result<Found, Error> {
    let mut shipped = Shipped::of(migrations)?;
    shipped.replace_functions(&guards(runner.schema))?;
    let found = Found::read(&mut runner.session.client, runner.schema)?;
    if runner.complete_nodes(&found, &shipped)? {
        return Found::read(&mut runner.session.client, runner.schema);
    }
    Ok(found)
}
