//! The extension's step of `up`: created where it is missing, updated where the server has a newer version.
//!
//! Not a migration file: what is to be done follows from what is there, so a dropped extension is mended by the next
//! `up`, and `--without-extension` needs no history of its own.

use serde::Serialize;

use crate::schema::Schema;
use crate::situation::Facts;
use crate::situation::extension::{NAME, grant_to};

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
    /// None where the extension is missing and the server does not offer it.
    pub fn due(facts: &Facts) -> Option<Self> {
        let state = &facts.extension;
        Some(match (&state.installed, &state.available) {
            (None, None) => return None,
            (None, Some(version)) => Self::Create {
                version: version.clone(),
            },
            (Some(from), Some(version)) if state.updatable => Self::Update {
                from: from.clone(),
                version: version.clone(),
            },
            (Some(version), _) => Self::None {
                version: version.clone(),
            },
        })
    }

    /// There is something to do.
    pub fn is_due(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Update { .. })
    }

    /// The statements, where there is something to do. `owner` is the owner of the tables, where another role installs:
    /// it may call the functions, and grant them.
    pub fn sql(&self, schema: &Schema, owner: Option<&str>) -> Option<String> {
        let mut sql = match self {
            Self::Create { .. } => format!("CREATE EXTENSION {NAME} SCHEMA {}", schema.quoted()),
            Self::Update { .. } => format!("ALTER EXTENSION {NAME} UPDATE"),
            Self::None { .. } | Self::Skip => return None,
        };
        if let Some(owner) = owner {
            sql = format!("{sql};\n{}", grant_to(owner));
        }
        Some(sql)
    }
}
