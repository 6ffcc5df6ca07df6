//! The extension's step of `up`: created where it is missing, updated where the server has a newer version.
//!
//! Not a migration file: what is to be done follows from what is there, so a dropped extension is mended by the next
//! `up`, and `--without-extension` needs no history of its own.

use postgres::GenericClient;
use serde::Serialize;

use crate::error::{Doing, Error};
use crate::schema::{Schema, extension_script_can_carry};

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

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "action")]
pub enum Action {
    Create {
        version: String,
    },
    Update {
        from: String,
        version: String,
    },
    None {
        version: String,
    },
    /// `--without-extension`.
    Skip,
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

    /// Decides, and refuses before anything happens what could not be done later.
    ///
    /// Errors: [`Error::ExtensionUnavailable`]; [`Error::UnusableName`] (exit 2) where the name of the role that would
    /// install it cannot stand in an extension script.
    pub fn action(&self, client: &mut impl GenericClient) -> Result<Action, Error> {
        match (&self.installed, &self.available) {
            (None, None) => Err(Error::ExtensionUnavailable),
            (None, Some(version)) => {
                let role: String = client
                    .query_one("SELECT current_user::text", &[])
                    .doing(DOING)?
                    .try_get(0)
                    .doing(DOING)?;
                extension_script_can_carry("owner", &role)?;
                Ok(Action::Create {
                    version: version.clone(),
                })
            }
            (Some(from), Some(version)) if self.updatable => Ok(Action::Update {
                from: from.clone(),
                version: version.clone(),
            }),
            (Some(version), _) => Ok(Action::None {
                version: version.clone(),
            }),
        }
    }
}

impl Action {
    /// The statement, where there is something to do.
    pub fn sql(&self, schema: &Schema) -> Option<String> {
        match self {
            Self::Create { .. } => Some(format!(
                "CREATE EXTENSION {NAME} SCHEMA {}",
                schema.quoted()
            )),
            Self::Update { .. } => Some(format!("ALTER EXTENSION {NAME} UPDATE")),
            Self::None { .. } | Self::Skip => None,
        }
    }
}
