//! The event triggers of `up --ddl-guard`: whether they are there, and the SQL that makes them.

use std::fmt;

use postgres::GenericClient;
use serde::Serialize;

use crate::error::{Doing, Error};
use crate::schema::Schema;

/// Makes or renews them; `@schema@` stands for the quoted name of the schema.
const SQL: &str = include_str!("../../../sql/ddl_guard.sql");

/// What `up` says to them in its own session; see `sql/ddl_guard.sql`.
pub const SWITCH_OFF: &str = "SET ext_registry.ddl_guard = off";

/// In JSON `off`, `on` or `broken`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not asked for.
    Off,
    /// All of them are there and fire always.
    On,
    /// Some are missing, disabled or silenced by session_replication_role.
    Broken,
}

impl State {
    /// Reads the catalogs; any role may.
    ///
    /// # Errors
    /// What the server answers.
    pub fn read(client: &mut impl GenericClient) -> Result<Self, Error> {
        let doing = "looking at the DDL guard";
        let row = client
            .query_one(
                "SELECT count(*) FILTER (WHERE e.evtenabled = 'A' AND n.nspname = 'ext_registry_ddl_guard'), \
                        to_regnamespace('ext_registry_ddl_guard') IS NOT NULL OR count(*) > 0 \
                 FROM pg_catalog.pg_event_trigger e \
                 JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid \
                 JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
                 WHERE e.evtname IN ('ext_registry_ddl_guard_end', 'ext_registry_ddl_guard_drop', \
                                     'ext_registry_ddl_guard_rewrite')",
                &[],
            )
            .doing(doing)?;
        let firing: i64 = row.try_get(0).doing(doing)?;
        let traces: bool = row.try_get(1).doing(doing)?;
        Ok(match (firing, traces) {
            (3, _) => Self::On,
            (_, false) => Self::Off,
            _ => Self::Broken,
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "DDL guard: off (ext-migrate up --ddl-guard)",
            Self::On => "DDL guard: on",
            Self::Broken => "DDL guard: BROKEN, run ext-migrate up --ddl-guard",
        })
    }
}

/// True where the connected role may renew what is there.
///
/// # Errors
/// What the server answers.
pub fn may_renew(client: &mut impl GenericClient) -> Result<bool, Error> {
    let doing = "looking at the DDL guard";
    client
        .query_one(
            "SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
            &[],
        )
        .doing(doing)?
        .try_get(0)
        .doing(doing)
}

/// The SQL for one schema.
pub fn sql(schema: &Schema) -> String {
    SQL.replace("@schema@", &schema.quoted())
}
