//! jsonb as text.

use std::ffi::{CStr, c_char};
use std::ops::Deref;
use std::ptr::NonNull;

use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pg_sys::{self, Oid};

/// The text of a `jsonb` column, as `::text` prints it, in the database's encoding. It is gone with the memory in which
/// it was read: see [`super::with_memory_of_its_own`].
pub struct Json(NonNull<c_char>);

impl Deref for Json {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: a palloc'd C string, which nobody changes.
        unsafe { CStr::from_ptr(self.0.as_ptr()) }.to_bytes()
    }
}

impl FromDatum for Json {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: SPI has checked that the column is jsonb; jsonb_out returns a palloc'd C string.
        let text =
            unsafe { pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(datum)]) };
        NonNull::new(text?.cast_mut_ptr()).map(Self)
    }
}

impl IntoDatum for Json {
    /// Only read.
    fn into_datum(self) -> Option<pg_sys::Datum> {
        None
    }

    fn type_oid() -> Oid {
        pg_sys::JSONBOID
    }
}
