//! What is different on Citus. The registry entry comes by statements of its own: in one statement with the version,
//! every publish would wait for every other, or deadlock.

use pgrx::pg_sys::{JSONBOID, UUIDOID};
use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiClient};
use uuid::Uuid;

use crate::error::Error;
use crate::ffi::{self, Call};

const WORKER: &str = "SELECT EXISTS (
    SELECT FROM pg_catalog.pg_dist_local_group g WHERE g.groupid OPERATOR(pg_catalog.<>) 0
)";

/// Stands in INSERT for the entry: its id is known.
pub const KNOWN_ENTRY: &str = "extension AS (SELECT $11 AS id)";

const ENTRY: &str = include_str!("statements/citus_entry.sql");
const NEW_ENTRY: &str = include_str!("statements/citus_new_entry.sql");

/// Whether this is a worker of Citus, which has no tables but those that are distributed.
pub fn is_worker() -> Result<bool, Error> {
    match ffi::has_extension(c"citus") {
        true => Ok(Spi::get_one(WORKER)? == Some(true)),
        false => Ok(false),
    }
}

/// Kept plans.
pub struct Entry {
    find: OwnedPreparedStatement,
    create: OwnedPreparedStatement,
}

impl Entry {
    /// None where the database has no Citus. Distributed or not, there the tables are written in this way: they may be
    /// distributed while a session goes on.
    pub fn prepare(
        prepare: impl Fn(&str, &[pg_sys::Oid]) -> Result<OwnedPreparedStatement, Error>,
    ) -> Result<Option<Self>, Error> {
        if !ffi::has_extension(c"citus") {
            return Ok(None);
        }
        Ok(Some(Self {
            find: prepare(ENTRY, &[JSONBOID])?,
            create: prepare(NEW_ENTRY, &[JSONBOID, UUIDOID])?,
        }))
    }

    /// The id of the entry that the manifest in argument 0 names.
    pub fn find(&self, client: &SpiClient<'_>, call: &Call) -> Result<Option<pgrx::Uuid>, Error> {
        let found = client
            .select(&self.find, Some(1), &[call.parameter(0, JSONBOID)])?
            .first();
        match found.is_empty() {
            true => Ok(None),
            false => Ok(found.get(1)?),
        }
    }

    /// The same, created where it is missing. None where a transaction that this snapshot does not show has created it.
    pub fn find_or_create(
        &self,
        client: &mut SpiClient<'_>,
        call: &Call,
        id: Uuid,
    ) -> Result<Option<pgrx::Uuid>, Error> {
        if let Some(found) = self.find(client, call)? {
            return Ok(Some(found));
        }
        let id = pgrx::Uuid::from_bytes(*id.as_bytes());
        let created = client
            .update(
                &self.create,
                Some(1),
                &[call.parameter(0, JSONBOID), id.into()],
            )?
            .first();
        match created.is_empty() {
            true => Ok(None),
            false => Ok(created.get(1)?),
        }
    }
}
