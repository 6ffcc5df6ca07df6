//! Values of columns, in memory of Postgres: where there is none left, Postgres raises an error, and Rust would end the
//! process and with it every session of the server.

use std::ops::Deref;
use std::ptr::NonNull;

use pgrx::PgMemoryContexts;
use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pg_sys::{self, Oid};

/// The bytes of a `text` or `bytea` column as they are stored, whatever the encoding of the database makes of them.
///
/// Its memory is freed with it. It does not outlive the transaction.
pub struct Bytes(NonNull<pg_sys::varlena>);

impl Bytes {
    /// A copy of the first bytes, at most so many.
    pub fn start(&self, most: usize) -> Vec<u8> {
        self[..self.len().min(most)].to_vec()
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: a detoasted value, which is nobody else's.
        unsafe { pgrx::varlena::varlena_to_byte_slice(self.0.as_ptr()) }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // SAFETY: palloc'd below, in a memory context that lives on while SPI is left.
        unsafe { pg_sys::pfree(self.0.as_ptr().cast()) }
    }
}

impl FromDatum for Bytes {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: SPI has checked that the column is text or bytea; the copy is made in every case.
        NonNull::new(unsafe { pg_sys::pg_detoast_datum_copy(datum.cast_mut_ptr()) }).map(Self)
    }
}

impl IntoDatum for Bytes {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        self.to_vec().into_datum()
    }

    fn type_oid() -> Oid {
        pg_sys::BYTEAOID
    }

    fn is_compatible_with(other: Oid) -> bool {
        other == pg_sys::BYTEAOID || other == pg_sys::TEXTOID
    }
}

/// A `jsonb` that a query has given, as it is. It is gone when SPI is left.
pub struct Jsonb(pub(super) pg_sys::Datum);

impl FromDatum for Jsonb {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: Oid) -> Option<Self> {
        // SAFETY: SPI has checked that the column is jsonb, a varlena type; the copy is in SPI's memory context.
        (!is_null).then(|| unsafe {
            let copy = pg_sys::pg_detoast_datum_copy(datum.cast_mut_ptr());
            Self(pg_sys::Datum::from(copy))
        })
    }
}

impl IntoDatum for Jsonb {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.0)
    }

    fn type_oid() -> Oid {
        pg_sys::JSONBOID
    }
}

/// Runs `work` and frees all memory that Postgres gave it. Nothing of that may be in the result.
pub fn with_memory_of_its_own<T>(work: impl FnOnce() -> T) -> T {
    // Two of them: pgrx reads the columns of a row in the parent of the current one.
    // SAFETY: the contexts are made here; when they go, after an error too, pgrx goes back to the one before.
    unsafe {
        PgMemoryContexts::new("ext_registry rows")
            .switch_to(|_| PgMemoryContexts::new("ext_registry").switch_to(|_| work()))
    }
}
