//! The log of published versions, as the functions that append to it and read it share it.

pub mod checkpoint;
pub mod prove;
mod rows;
pub mod seal;
pub mod sign;
mod tiles;
pub mod verify;

use ext_registry_core::log::Hash;
use pgrx::datum::DatumWithOid;
use pgrx::spi::{SpiClient, SpiTupleTable};

use crate::citus;
use crate::error::Error;
use crate::ffi::{Call, Setting};
use crate::tables::Tables;

pub use rows::of_version;
pub use tiles::{StoredTiles, tile};

/// Compiling a query that runs once, and is long, would take longer than it does.
const SETTINGS: [Setting; 1] = [(c"jit", c"off")];

/// The tables of the log, and those whose rows are in it.
pub struct Log(Tables);

impl Log {
    /// The log in the schema of the function that is being called. On Citus only the coordinator has it.
    pub fn of(call: &Call) -> Result<Self, Error> {
        let names = [
            c"extension_registry",
            c"extension_version",
            c"extension_bundle",
            c"extension_log_leaf",
            c"extension_log_tile",
            c"extension_log_checkpoint",
            c"extension_log_signature",
        ];
        match Tables::of(call, &names) {
            Ok(tables) => Ok(Self(tables)),
            Err(Error::NotMigrated { .. }) if citus::is_worker()? => Err(Error::LogElsewhere),
            Err(error) => Err(error),
        }
    }

    /// Runs `work` with the rights of the owner of the tables.
    pub fn as_owner<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        self.0.as_owner(&SETTINGS, || work(self))
    }

    fn select<'conn>(
        &self,
        client: &SpiClient<'conn>,
        sql: &str,
        parameters: &[DatumWithOid<'_>],
    ) -> Result<SpiTupleTable<'conn>, Error> {
        Ok(client.select(&self.0.sql(sql), None, parameters)?)
    }

    fn update<'conn>(
        &self,
        client: &mut SpiClient<'conn>,
        sql: &str,
        parameters: &[DatumWithOid<'_>],
    ) -> Result<SpiTupleTable<'conn>, Error> {
        Ok(client.update(&self.0.sql(sql), None, parameters)?)
    }
}

/// A proof as SQL has it.
pub fn bytes(proof: Vec<Hash>) -> Vec<Vec<u8>> {
    proof.iter().map(|hash| hash.as_bytes().to_vec()).collect()
}

/// A column that cannot be NULL unless somebody has changed the table.
fn stored<T>(value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::LogDamaged("a column that is never NULL is NULL".to_owned()))
}

/// A size or index of the tree, which the tables hold as bigint.
fn unsigned(value: i64) -> Result<u64, Error> {
    u64::try_from(value).map_err(|_| Error::LogDamaged(format!("{value} is no size and no index")))
}

/// The same the other way.
fn signed(value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::LogDamaged(format!("{value} is beyond bigint")))
}
