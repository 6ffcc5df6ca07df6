//! The extension in this database and on this server.

use serde::{Deserialize, Serialize};

use crate::schema::{Schema, quote_ident};

/// The extension's name.
pub const NAME: &str = "ext_registry";

/// The release of this program, and of the functions that it knows.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The version in this database.
    pub installed: Option<String>,
    /// The schema it is installed in.
    pub schema: Option<String>,
    /// Who installed it, as SQL writes it.
    #[serde(skip_serializing)]
    pub owner: Option<String>,
    /// The connected role may act for that one.
    #[serde(skip_serializing)]
    pub owned: Option<bool>,
    /// The version that the server would install now.
    pub available: Option<String>,
    /// True when the server knows the way from the installed to the available version.
    pub updatable: bool,
}

impl State {
    pub fn is_in(&self, schema: &Schema) -> bool {
        self.schema.as_deref() == Some(schema.name())
    }

    /// Its functions are those that this program knows.
    pub fn is_of_this_release(&self, schema: &Schema) -> bool {
        self.is_in(schema) && self.installed.as_deref() == Some(RELEASE)
    }

    /// `up` has something to do about it.
    pub fn is_due(&self) -> bool {
        self.updatable || (self.installed.is_none() && self.available.is_some())
    }
}

/// Lets a role call all functions of the extension, and grant them, as its script does for whoever installs it.
pub fn grant_to(role: &str) -> String {
    format!(
        "DO $grant$ DECLARE f regprocedure; BEGIN \
         FOR f IN SELECT d.objid FROM pg_catalog.pg_depend d \
             JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = '{NAME}' \
             WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e' \
         LOOP EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO {} WITH GRANT OPTION', f); END LOOP; \
         END $grant$",
        // Inside a literal, and that inside format().
        quote_ident(role).replace('\'', "''").replace('%', "%%")
    )
}
