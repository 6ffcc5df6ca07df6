//! The extension in this database and on this server.

use postgres::GenericClient;
use serde::Serialize;

use crate::error::{Doing, Error};

/// The extension's name.
pub const NAME: &str = "ext_registry";

const DOING: &str = "looking at the extension";

/// The extension in this database and on this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// The version in this database.
    pub installed: Option<String>,
    /// The schema it is installed in.
    pub schema: Option<String>,
    /// The version that the server would install now.
    pub available: Option<String>,
    /// True when the server knows the way from the installed to the available version.
    pub updatable: bool,
}

impl State {
    /// Reads the catalogs; any role may.
    pub fn read(client: &mut impl GenericClient) -> Result<Self, Error> {
        let row = client
            .query_one(
                "SELECT e.extversion, n.nspname::text, a.default_version \
                 FROM (SELECT $1::name AS name) AS wanted \
                 LEFT JOIN pg_catalog.pg_extension e ON e.extname = wanted.name \
                 LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
                 LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = wanted.name",
                &[&NAME],
            )
            .doing(DOING)?;
        let mut state = Self {
            installed: row.try_get(0).doing(DOING)?,
            schema: row.try_get(1).doing(DOING)?,
            available: row.try_get(2).doing(DOING)?,
            updatable: false,
        };
        if let (Some(installed), Some(available)) = (&state.installed, &state.available)
            && installed != available
        {
            let row = client
                .query_one(
                    "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension_update_paths($1) \
                     WHERE source = $2 AND target = $3 AND path IS NOT NULL)",
                    &[&NAME, installed, available],
                )
                .doing(DOING)?;
            state.updatable = row.try_get(0).doing(DOING)?;
        }
        Ok(state)
    }
}
