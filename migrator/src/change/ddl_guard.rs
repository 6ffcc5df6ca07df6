//! The event triggers of `up --ddl-guard`.

use crate::schema::Schema;

/// Makes or renews them; `@schema@` stands for the quoted name of the schema.
const SQL: &str = include_str!("../../../sql/ddl_guard.sql");

/// What `up` says to them in its own session; see `sql/ddl_guard.sql`.
pub const SWITCH_OFF: &str = "SET ext_registry.ddl_guard = off";

/// The SQL for one schema.
pub fn sql(schema: &Schema) -> String {
    SQL.replace("@schema@", &schema.quoted())
}
