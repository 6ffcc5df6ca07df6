//! The extension's step of `up`: created where it is missing, updated where the server has a newer version.
//!
//! Not a migration file: what is to be done follows from what is there, so a dropped extension is mended by the next
//! `up`, and `--without-extension` needs no history of its own.

use postgres::GenericClient;
use serde::Serialize;

use crate::error::{Doing, Error};
use crate::extension::{NAME, State};
use crate::schema::{Schema, extension_script_can_carry};

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

impl Action {
    /// Decides, and refuses before anything happens what could not be done later.
    ///
    /// Errors: [`Error::ExtensionUnavailable`]; [`Error::UnusableName`] (exit 2) where the name of the role that would
    /// install it cannot stand in an extension script.
    pub fn due(state: &State, client: &mut impl GenericClient) -> Result<Self, Error> {
        match (&state.installed, &state.available) {
            (None, None) => Err(Error::ExtensionUnavailable),
            (None, Some(version)) => {
                let role: String = client
                    .query_one("SELECT current_user::text", &[])
                    .doing("looking at the connected role")?
                    .try_get(0)
                    .doing("looking at the connected role")?;
                extension_script_can_carry("owner", &role)?;
                Ok(Self::Create {
                    version: version.clone(),
                })
            }
            (Some(from), Some(version)) if state.updatable => Ok(Self::Update {
                from: from.clone(),
                version: version.clone(),
            }),
            (Some(version), _) => Ok(Self::None {
                version: version.clone(),
            }),
        }
    }

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
