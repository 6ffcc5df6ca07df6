//! Errors of Postgres on their way through Rust, and all fields of our own.
//!
//! pgrx makes a panic of an error, so that destructors run, and reports it anew with five of its fields. Hence each
//! error is copied while Postgres raises it, and the new report gets every field back from the copy. Both happen in
//! error-context callbacks, which Postgres runs for that.

use std::backtrace::Backtrace;
use std::env;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use pgrx::pg_sys::errcodes::PgSqlErrorCode;
use pgrx::pg_sys::panic::{CaughtError, ErrorReportWithLevel};
use pgrx::pg_sys::{self, ErrorContextCallback, ErrorData, MemoryContext};

// Not those of pgrx, which make a panic of what is raised in them: the callbacks below have Postgres above and below
// them, and nothing to drop, so an error in them may jump over them.
unsafe extern "C-unwind" {
    fn CopyErrorData() -> *mut ErrorData;
    fn FreeErrorData(error: *mut ErrorData);
    fn errcode(sqlstate: c_int) -> c_int;
    fn errmsg_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_log(format: *const c_char, ...) -> c_int;
    fn errhint(format: *const c_char, ...) -> c_int;
    fn errcontext_msg(format: *const c_char, ...) -> c_int;
    fn err_generic_string(field: c_int, text: *const c_char) -> c_int;
    fn errposition(position: c_int) -> c_int;
    fn internalerrposition(position: c_int) -> c_int;
    fn internalerrquery(query: *const c_char) -> c_int;
}

/// How many errors are remembered. PL/pgSQL's `RAISE;` raises an error again without telling anybody: it is not the
/// last one where its handler has caught others meanwhile.
const REMEMBERED: usize = 8;

/// The last errors that were raised inside of a call of ours.
struct Raised {
    callback: ErrorContextCallback,
    memory: MemoryContext,
    copies: [*mut ErrorData; REMEMBERED],
    count: usize,
}

/// Runs `work`. An error of Postgres that ends it is reported to the caller with all its fields, as it was when it
/// passed by here; the context lines of our callers follow.
///
/// Copies are in the memory context of the call and go with it. Without an error nothing is allocated.
pub fn keeping_errors<T>(work: impl FnOnce() -> T) -> T {
    let mut raised = Raised {
        callback: ErrorContextCallback::default(),
        memory: ptr::null_mut(),
        copies: [ptr::null_mut(); REMEMBERED],
        count: 0,
    };
    let raised = &raw mut raised;
    // SAFETY: the callback is on the stack of callbacks while `raised` lives: a panic is caught here, an error of
    // Postgres has become one before it comes here, and whoever catches either in between puts the stack back.
    let outcome = unsafe {
        (*raised).memory = pg_sys::CurrentMemoryContext;
        (*raised).callback.callback = Some(remember);
        (*raised).callback.arg = raised.cast();
        let before = pg_sys::error_context_stack;
        (*raised).callback.previous = before;
        pg_sys::error_context_stack = &raw mut (*raised).callback;
        let outcome = catch_unwind(AssertUnwindSafe(work));
        pg_sys::error_context_stack = before;
        outcome
    };
    outcome.unwrap_or_else(|panic| {
        if let Some(CaughtError::PostgresError(report)) = panic.downcast_ref() {
            // SAFETY: the copies, and the memory context, live until the error is caught beyond us.
            unsafe {
                if let Some(error) = (*raised).find(report) {
                    restore_from(error, (*raised).memory);
                }
            }
        }
        resume_unwind(panic)
    })
}

/// Runs while Postgres raises an error, or prints a message.
unsafe extern "C-unwind" fn remember(raised: *mut c_void) {
    // SAFETY: `keeping_errors` gave the pointer, and has not returned; CopyErrorData gives a palloc'd copy of the
    // message that is being handled, which Postgres wants made outside of ErrorContext.
    unsafe {
        let raised = raised.cast::<Raised>();
        let before = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = (*raised).memory;
        let error = CopyErrorData();
        if (*error).elevel == pg_sys::elog::PgLogLevel::ERROR as c_int {
            let place = &raw mut (*raised).copies[(*raised).count % REMEMBERED];
            if !(*place).is_null() {
                FreeErrorData(*place);
            }
            *place = error;
            (*raised).count += 1;
        } else {
            FreeErrorData(error);
        }
        pg_sys::CurrentMemoryContext = before;
    }
}

impl Raised {
    /// The error that pgrx has caught; the latest where several look alike. None where it has been forgotten.
    ///
    /// # Safety
    /// The copies must still be there.
    unsafe fn find(&self, report: &ErrorReportWithLevel) -> Option<*mut ErrorData> {
        let oldest = self.count.saturating_sub(REMEMBERED);
        (oldest..self.count)
            .rev()
            .map(|number| self.copies[number % REMEMBERED])
            // SAFETY: those that were counted are copies that Postgres made.
            .find(|error| unsafe { is(&**error, report) })
    }
}

/// Whether pgrx has made this report of that error. Names of file and function are not part of the copy, and may be
/// gone.
///
/// # Safety
/// The texts of the error must be C strings or NULL.
unsafe fn is(error: &ErrorData, report: &ErrorReportWithLevel) -> bool {
    let same = |text: *const c_char, reported: Option<&str>| {
        // SAFETY: as above.
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy());
        text.as_deref() == reported
    };
    u32::try_from(error.lineno) == Ok(report.line_number())
        && PgSqlErrorCode::from(error.sqlerrcode) == report.sql_error_code()
        && same(error.message, Some(report.message()))
        && same(error.detail, report.detail())
        && same(error.hint, report.hint())
}

/// Names of the object that an error is about, for the error's own fields.
pub struct ErrorFields {
    pub schema: CString,
    pub table: &'static CStr,
    pub constraint: &'static CStr,
}

/// Gives the error that is raised next schema, table and constraint name, which pgrx's ErrorReport has no place for.
///
/// To be called right before that error is raised: whoever catches it puts the context stack back.
pub fn attach(fields: &ErrorFields) {
    // SAFETY: the memory is the (sub)transaction's, so it outlives the frames that the error unwinds and goes with
    // the abort.
    unsafe {
        let memory = pg_sys::CurTransactionContext;
        let copied = |text: &CStr| pg_sys::MemoryContextStrdup(memory, text.as_ptr());
        let error: *mut ErrorData =
            pg_sys::MemoryContextAllocZero(memory, size_of::<ErrorData>()).cast();
        (*error).schema_name = copied(&fields.schema);
        (*error).table_name = copied(fields.table);
        (*error).constraint_name = copied(fields.constraint);
        restore_from(error, memory);
    }
}

/// Gives the error that is raised next all fields that `error` has.
///
/// # Safety
/// `error` and `memory` must outlive the frames that the error unwinds.
unsafe fn restore_from(error: *mut ErrorData, memory: MemoryContext) {
    // SAFETY: the stack is a list that Postgres walks from the head we set.
    unsafe {
        let callback: *mut ErrorContextCallback =
            pg_sys::MemoryContextAllocZero(memory, size_of::<ErrorContextCallback>()).cast();
        (*callback).callback = Some(restore);
        (*callback).arg = error.cast();
        (*callback).previous = pg_sys::error_context_stack;
        pg_sys::error_context_stack = callback;
    }
}

/// Runs while Postgres raises an error that pgrx reports: before the callbacks of our callers, which find it as they
/// would have found the first one.
unsafe extern "C-unwind" fn restore(error: *mut c_void) {
    // SAFETY: errfinish calls this with the pointer given to it in `restore_from`, still allocated then; Postgres
    // copies the texts.
    unsafe {
        let error = &*error.cast::<ErrorData>();
        if error.sqlerrcode != 0 {
            errcode(error.sqlerrcode);
        }
        let set: [(unsafe extern "C-unwind" fn(*const c_char, ...) -> c_int, _); 5] = [
            (errmsg_internal, error.message),
            (errdetail_internal, error.detail),
            (errdetail_log, error.detail_log),
            (errhint, error.hint),
            (errcontext_msg, error.context),
        ];
        for (set, text) in set {
            if !text.is_null() {
                set(c"%s".as_ptr(), text);
            }
        }
        for (field, text) in [
            (pg_sys::PG_DIAG_SCHEMA_NAME, error.schema_name),
            (pg_sys::PG_DIAG_TABLE_NAME, error.table_name),
            (pg_sys::PG_DIAG_COLUMN_NAME, error.column_name),
            (pg_sys::PG_DIAG_DATATYPE_NAME, error.datatype_name),
            (pg_sys::PG_DIAG_CONSTRAINT_NAME, error.constraint_name),
        ] {
            if !text.is_null() {
                err_generic_string(field as c_int, text);
            }
        }
        errposition(error.cursorpos);
        internalerrposition(error.internalpos);
        internalerrquery(error.internalquery);
    }
}

/// Keeps Rust's backtraces out of DETAIL, where pgrx puts them if the server's environment asks for them.
///
/// The library has its own copy of Rust's runtime, which looks at the environment once: other extensions and the
/// programs that the server starts find it as it was.
pub fn without_backtraces() {
    const SWITCH: &str = "RUST_LIB_BACKTRACE";
    let before = env::var_os(SWITCH);
    // SAFETY: a process of Postgres has one thread.
    unsafe {
        env::set_var(SWITCH, "0");
        drop(Backtrace::capture());
        match before {
            Some(before) => env::set_var(SWITCH, before),
            None => env::remove_var(SWITCH),
        }
    }
}
