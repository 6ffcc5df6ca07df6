//! The tables of the registry as a function finds them: in its own schema, all with one owner.

use std::ffi::{CStr, CString};

use pgrx::pg_sys::Oid;

use crate::error::Error;
use crate::ffi::{self, Call, Setting};

/// Where the tables are and whose they are.
pub struct Tables {
    /// The name of the schema in the database's encoding.
    pub schema: CString,
    owner: Oid,
}

impl Tables {
    /// The tables of these names in the schema of the function that is being called.
    ///
    /// Several owners are refused: triggers of one would run with the rights of the other.
    pub fn of(call: &Call, names: &[&CStr]) -> Result<Self, Error> {
        let oid = call.schema();
        let schema = ffi::schema_name(oid).unwrap_or_default();
        let readable = || ffi::readable(schema.to_bytes());
        let mut owners = Vec::with_capacity(names.len());
        for name in names {
            owners.push(
                ffi::table_owner(oid, name)
                    .ok_or_else(|| Error::NotMigrated { schema: readable() })?,
            );
        }
        match owners[..] {
            [owner, ref others @ ..] if others.iter().all(|other| *other == owner) => {
                Ok(Self { schema, owner })
            }
            _ => Err(Error::SeveralOwners { schema: readable() }),
        }
    }

    /// Runs `work` with the rights of the owner; see [`ffi::as_owner`].
    pub fn as_owner<T>(&self, settings: &[Setting], work: impl FnOnce() -> T) -> T {
        ffi::as_owner(self.owner, settings, work)
    }

    /// The statement with the name of the schema put in.
    pub fn sql(&self, sql: &str) -> CString {
        in_schema(sql, &ffi::quote_identifier(&self.schema))
    }
}

/// The statement with the schema's name put in. As bytes: the name is in the database's encoding.
pub fn in_schema(sql: &str, quoted: &CStr) -> CString {
    let parts: Vec<&[u8]> = sql.split("@schema@").map(str::as_bytes).collect();
    // Cannot happen: neither the literals that come here nor a C string have a NUL inside.
    CString::new(parts.join(quoted.to_bytes())).expect("SQL without NUL")
}
