//! The one module with `unsafe`: what Postgres offers only in C.

mod bytes;
mod errors;
mod json;

use std::ffi::{CStr, CString, c_int};

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, Oid};
use pgrx::prelude::*;

pub use bytes::{Bytes, Jsonb, with_memory_of_its_own};
pub use errors::{ErrorFields, attach, keeping_errors, without_backtraces};
pub use json::Json;

/// The arguments of the SQL function that is being called, untouched.
///
/// pgrx's own argument types panic before our code runs on values that Postgres allows: NULL, jsonb numbers beyond
/// f64, deep jsonb, text of a database that is not UTF-8.
#[derive(Clone, Copy)]
pub struct Call {
    fcinfo: pg_sys::FunctionCallInfo,
    /// An argument that is not as given.
    other: Option<(usize, pg_sys::Datum)>,
}

impl Call {
    /// `fcinfo` comes from pgrx's wrapper of the function that is being called.
    pub fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        Self {
            fcinfo,
            other: None,
        }
    }

    /// The call with another value for a `jsonb` argument, of which it takes no copy.
    pub fn with_jsonb(self, index: usize, value: Jsonb) -> Self {
        Self {
            other: Some((index, value.0)),
            ..self
        }
    }

    fn datum(&self, index: usize) -> Option<pg_sys::Datum> {
        if let Some((other, value)) = self.other
            && other == index
        {
            return Some(value);
        }
        // SAFETY: Postgres passes a valid fcinfo with as many arguments as CREATE FUNCTION declares.
        unsafe {
            let given = usize::try_from((*self.fcinfo).nargs).unwrap_or(0);
            let argument = (*self.fcinfo).args.as_slice(given).get(index)?;
            (!argument.isnull).then_some(argument.value)
        }
    }

    /// The argument as a parameter of a query, as it came. `oid` is the type in CREATE FUNCTION.
    pub fn parameter(&self, index: usize, oid: Oid) -> DatumWithOid<'_> {
        match self.datum(index) {
            // SAFETY: the datum has the declared type and lives as long as the call.
            Some(datum) => unsafe { DatumWithOid::new(datum, oid) },
            None => DatumWithOid::null_oid(oid),
        }
    }

    /// A `uuid` argument.
    pub fn uuid(&self, index: usize) -> Option<pgrx::Uuid> {
        // SAFETY: only called for arguments declared uuid.
        self.datum(index)
            .and_then(|d| unsafe { pgrx::Uuid::from_datum(d, false) })
    }

    /// An `integer` argument.
    pub fn integer(&self, index: usize) -> Option<i32> {
        // SAFETY: only called for arguments declared integer, which is passed by value.
        self.datum(index)
            .and_then(|d| unsafe { i32::from_datum(d, false) })
    }

    /// A `bigint` argument.
    pub fn bigint(&self, index: usize) -> Option<i64> {
        // SAFETY: only called for arguments declared bigint, which is passed by value.
        self.datum(index)
            .and_then(|d| unsafe { i64::from_datum(d, false) })
    }

    /// The bytes of a `text` or `bytea` argument, in the database's encoding.
    pub fn bytes(&self, index: usize) -> Option<&[u8]> {
        self.datum(index).map(|datum| {
            // SAFETY: only called for arguments declared text or bytea; the detoasted copy, if one is made, lives in
            // the memory context of the call.
            unsafe {
                let varlena = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
                pgrx::varlena::varlena_to_byte_slice(varlena)
            }
        })
    }

    /// How many bytes a `jsonb` or `text` argument has once detoasted.
    pub fn size(&self, index: usize) -> Option<usize> {
        // SAFETY: only called for arguments declared jsonb or text, which are varlena types.
        let with_header = self
            .datum(index)
            .map(|datum| unsafe { pg_sys::toast_raw_datum_size(datum) })?;
        Some(with_header.saturating_sub(pg_sys::VARHDRSZ))
    }

    /// A `jsonb` argument printed as text, in the database's encoding.
    pub fn jsonb_text(&self, index: usize) -> Option<&[u8]> {
        self.datum(index).map(|datum| {
            // SAFETY: only called for arguments declared jsonb; jsonb_out returns a palloc'd C string.
            unsafe {
                let text = pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(datum)]);
                text.map_or(&[][..], |text| {
                    CStr::from_ptr(text.cast_mut_ptr()).to_bytes()
                })
            }
        })
    }

    /// Whether the numbers of a `jsonb` argument alone take more than `limit` bytes as text: `1e131071` is stored in a
    /// dozen, and a text that cannot be held must not be asked for.
    pub fn numbers_exceed(&self, index: usize, limit: usize) -> bool {
        let Some(datum) = self.datum(index) else {
            return false;
        };
        let mut length = 0;
        // SAFETY: only called for arguments declared jsonb; the detoasted value is not changed while it is iterated
        // over, `value` is read as what its type says, and numeric_out returns a palloc'd C string.
        unsafe {
            let jsonb: *mut pg_sys::Jsonb = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
            let mut iterator = pg_sys::JsonbIteratorInit(&raw mut (*jsonb).root);
            let mut value = pg_sys::JsonbValue::default();
            loop {
                match pg_sys::JsonbIteratorNext(&mut iterator, &mut value, false) {
                    pg_sys::JsonbIteratorToken::WJB_DONE => return false,
                    pg_sys::JsonbIteratorToken::WJB_ELEM
                    | pg_sys::JsonbIteratorToken::WJB_VALUE
                        if value.type_ == pg_sys::jbvType::jbvNumeric =>
                    {
                        let number = Some(pg_sys::Datum::from(value.val.numeric));
                        let printed =
                            pgrx::direct_function_call_as_datum(pg_sys::numeric_out, &[number]);
                        if let Some(printed) = printed {
                            length += CStr::from_ptr(printed.cast_mut_ptr()).count_bytes();
                            pg_sys::pfree(printed.cast_mut_ptr());
                        }
                        if length > limit {
                            return true;
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// The schema that the function, and so the tables, are in.
    pub fn schema(&self) -> Oid {
        // SAFETY: flinfo is set in every call that comes through fmgr.
        unsafe { pg_sys::get_func_namespace((*(*self.fcinfo).flinfo).fn_oid) }
    }
}

/// The name of a schema in the database's encoding; `None` when it has been dropped meanwhile.
pub fn schema_name(schema: Oid) -> Option<CString> {
    // SAFETY: returns NULL or a palloc'd C string.
    unsafe {
        let name = pg_sys::get_namespace_name(schema);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_owned())
    }
}

/// Whether the database has the extension.
pub fn has_extension(name: &CStr) -> bool {
    // SAFETY: reads the C string and the catalog.
    unsafe { pg_sys::get_extension_oid(name.as_ptr(), true) != Oid::INVALID }
}

/// A name as SQL carries it.
pub fn quote_identifier(name: &CStr) -> CString {
    // SAFETY: returns the name itself or a palloc'd C string.
    unsafe { CStr::from_ptr(pg_sys::quote_identifier(name.as_ptr())).to_owned() }
}

/// The owner of a table; `None` when the schema has no relation of that name.
pub fn table_owner(schema: Oid, table: &CStr) -> Option<Oid> {
    // SAFETY: get_relname_relid reads the C string; the tuple is released before its memory could go away.
    unsafe {
        let relation = pg_sys::get_relname_relid(table.as_ptr(), schema);
        let cache = pg_sys::SysCacheIdentifier::RELOID as c_int;
        let tuple = pg_sys::SearchSysCache1(cache, pg_sys::Datum::from(relation));
        if tuple.is_null() {
            return None;
        }
        let class: pg_sys::Form_pg_class = pg_sys::GETSTRUCT(tuple).cast();
        let owner = (*class).relowner;
        pg_sys::ReleaseSysCache(tuple);
        Some(owner)
    }
}

const SEARCH_PATH: Setting = (c"search_path", c"pg_catalog, pg_temp");

/// A setting and its value.
pub type Setting = (&'static CStr, &'static CStr);

/// Runs `work` with the rights of `owner`, as the foreign-key checks do for the owner of their table.
///
/// What the owner may have hung on the tables gets no further: deferred triggers are refused (they would run as the
/// caller at commit), settings (those given hold meanwhile) are rolled back, row-level security does not hide the owner's rows from it, and names
/// resolve in `pg_catalog` only. After an error the abort of the (sub)transaction restores user and settings.
pub fn as_owner<T>(owner: Oid, settings: &[Setting], work: impl FnOnce() -> T) -> T {
    let restrictions = pg_sys::SECURITY_LOCAL_USERID_CHANGE
        | pg_sys::SECURITY_RESTRICTED_OPERATION
        | pg_sys::SECURITY_NOFORCE_RLS;
    let mut user = Oid::INVALID;
    let mut context: c_int = 0;
    // SAFETY: the pointers are to locals, the strings are literals, and the calls come in the order in which
    // REFRESH MATERIALIZED VIEW makes them.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
        pg_sys::SetUserIdAndSecContext(owner, context | restrictions as c_int);
        let level = pg_sys::NewGUCNestLevel();
        for (setting, value) in [SEARCH_PATH].iter().chain(settings) {
            pg_sys::set_config_option(
                setting.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
        let result = work();
        pg_sys::AtEOXact_GUC(false, level);
        pg_sys::SetUserIdAndSecContext(user, context);
        result
    }
}

/// Raises 25006 in a read-only transaction and on a standby, as any statement that writes would.
///
/// pgrx takes a transaction id before it runs such a statement, which a standby refuses with an internal error.
pub fn refuse_read_only(command: &CStr) {
    // SAFETY: reads the C string; returns or raises an error.
    unsafe { pg_sys::PreventCommandIfReadOnly(command.as_ptr()) }
}

/// The number of the transaction, which no other one of this cluster has; it is given one where it has none yet.
pub fn transaction() -> u64 {
    // SAFETY: reads and sets the state of the transaction.
    unsafe { pg_sys::GetTopFullTransactionId() }.value
}

/// The number that the next command of the transaction stores with its rows.
pub fn current_command() -> u32 {
    // SAFETY: reads the state of the transaction.
    unsafe { pg_sys::GetCurrentCommandId(false) }
}

/// Whether a row with this xmin was stored by the transaction, its subtransactions included.
pub fn is_current(xmin: u32) -> bool {
    // SAFETY: reads the state of the transaction.
    unsafe { pg_sys::TransactionIdIsCurrentTransactionId(xmin.into()) }
}

/// Microseconds since 2000-01-01 UTC, as timestamptz counts them.
pub fn clock() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// The encoding of the database, a `pg_enc` number.
pub fn database_encoding() -> u32 {
    // SAFETY: reads a global that is set when the backend starts.
    unsafe { pg_sys::GetDatabaseEncoding() as u32 }
}

/// Text of the database as UTF-8; in a SQL_ASCII database the bytes as they are, whatever they mean.
///
/// `Err` has what comes before the first character that Unicode does not have, or that is cut off.
pub fn utf8_from_server(text: &[u8]) -> Result<&[u8], &[u8]> {
    let encoding = database_encoding();
    if text.is_ascii()
        || encoding == pg_sys::pg_enc::PG_UTF8
        || encoding == pg_sys::pg_enc::PG_SQL_ASCII
    {
        return Ok(text);
    }
    let room = text.len() * pg_sys::MAX_CONVERSION_GROWTH as usize + 1;
    let ascii = &text[..text.iter().take_while(|byte| byte.is_ascii()).count()];
    let (Ok(length), Ok(size)) = (c_int::try_from(text.len()), c_int::try_from(room)) else {
        return Err(ascii);
    };
    // SAFETY: `room` is what the longest result takes, the text is only read, and the result is a C string that lives
    // in the memory context of the call.
    unsafe {
        let utf8 = pg_sys::pg_enc::PG_UTF8 as c_int;
        let conversion = pg_sys::FindDefaultConversionProc(encoding as c_int, utf8);
        if conversion == Oid::INVALID {
            return Err(ascii);
        }
        let converted: *mut u8 =
            pg_sys::MemoryContextAllocHuge(pg_sys::CurrentMemoryContext, room).cast();
        let done = pg_sys::pg_do_encoding_conversion_buf(
            conversion,
            encoding as c_int,
            utf8,
            text.as_ptr().cast_mut(),
            length,
            converted,
            size,
            true,
        );
        let converted = CStr::from_ptr(converted.cast()).to_bytes();
        if done == length {
            Ok(converted)
        } else {
            Err(converted)
        }
    }
}

/// The form NFC of a text that is in another, as the server's `normalize` has it. Only in a UTF8 database.
pub fn nfc(text: &str) -> Option<String> {
    // SAFETY: both functions take text and the name of a form as text, and look at nothing else of the call.
    unsafe {
        let arguments = [text.into_datum(), "NFC".into_datum()];
        if pgrx::direct_function_call(pg_sys::unicode_is_normalized, &arguments) == Some(true) {
            return None;
        }
        pgrx::direct_function_call(pg_sys::unicode_normalize_func, &arguments)
    }
}

/// Text of the database for an error: what UTF-8 does not have is left out or replaced.
pub fn readable(text: &[u8]) -> String {
    let (Ok(utf8) | Err(utf8)) = utf8_from_server(text);
    String::from_utf8_lossy(utf8).into_owned()
}
