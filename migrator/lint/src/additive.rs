//! The list: what a migration may do, and the strongest lock each thing takes on a table that was there before.
//! A statement, a part of one or an expression that is not here, in [`super::calls`] or in what a function body may
//! hold ([`super::query`], [`super::plpgsql`]) is refused.

use std::fmt;

use serde::{Serialize, Serializer};

/// One row of the list.
pub struct Additive {
    pub class: Class,
    /// As it is shown and as JSON carries it.
    pub name: &'static str,
    pub lock: Lock,
    /// What it has to look like to count as additive.
    pub provided: &'static str,
}

macro_rules! additive {
    ($($class:ident, $name:literal, $lock:ident, $provided:literal;)*) => {
        /// What a classified statement does. A statement may do several of these.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Class { $($class),* }

        /// Everything that is additive.
        pub const ADDITIVE: &[Additive] = &[
            $(Additive { class: Class::$class, name: $name, lock: Lock::$lock, provided: $provided }),*
        ];
    };
}

additive! {
    CreateSchema, "create schema", None,
        "IF NOT EXISTS, for no other owner, nothing inside the statement";
    CreateTable, "create table", None,
        "an ordinary permanent table: no LIKE, INHERITS, PARTITION, OF, TEMPORARY, UNLOGGED";
    ReferenceTable, "foreign key of a new table", ShareRowExclusive,
        "no action that changes or deletes rows when the other table's do";
    AddColumn, "add column", AccessExclusive,
        "built-in type, nullable or with a constant default (no rewrite), no other constraint in the same breath";
    SetDefault, "set default", AccessExclusive,
        "SET DEFAULT: for rows to come; DROP DEFAULT could refuse them";
    AddCheck, "add check not valid", AccessExclusive,
        "named, NOT VALID, so that no row is read under the lock";
    AddForeignKey, "add foreign key not valid", ShareRowExclusive,
        "named, NOT VALID, no action that changes or deletes rows";
    AddToNewTable, "add constraint to new table", None,
        "the table is created by the same file, without IF NOT EXISTS";
    Validate, "validate constraint", ShareUpdateExclusive,
        "reads every row, and lets others read and write";
    IndexNewTable, "create index on new table", None,
        "the table is created by the same file, without IF NOT EXISTS";
    IndexConcurrently, "create index concurrently", ShareUpdateExclusive,
        "IF NOT EXISTS, named, alone in its file: it runs outside a transaction and may be repeated";
    CreateView, "create view", AccessShare,
        "without OR REPLACE, permanent, a query that only reads";
    CreateFunction, "create function", None,
        "SQL or PL/pgSQL whose body reads, raises or inserts; SECURITY DEFINER pins search_path and is revoked from PUBLIC";
    ReplaceFunction, "replace own function", None,
        "the same, and an earlier statement of the same set created it";
    CreateTrigger, "create trigger", ShareRowExclusive,
        "without OR REPLACE, BEFORE or AFTER, calling a function that the same set created";
    RemakeTrigger, "remake own trigger", AccessExclusive,
        "DROP TRIGGER of one that an earlier statement of the same set created, and that the same file creates again on the same table and sets to ENABLE ALWAYS";
    EnableAlways, "enable always trigger", ShareRowExclusive,
        "a trigger that the same set created";
    CommentOnTable, "comment on table", ShareUpdateExclusive,
        "on a table, view, column, index, constraint or trigger; not IS NULL";
    Comment, "comment", None,
        "on a function, schema or type; not IS NULL";
    Grant, "grant", None,
        "SELECT or INSERT on tables, EXECUTE, USAGE on schemas, by name, to named roles, without GRANT OPTION";
    RevokeFromNew, "revoke on new object", None,
        "the object is created by the same file: nobody had the right before";
}

impl Class {
    /// Its row of the list.
    pub fn row(self) -> &'static Additive {
        // The macro writes enum and list from the same rows, in the same order.
        &ADDITIVE[self as usize]
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().name)
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.row().name)
    }
}

/// What a part of a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    pub class: Class,
    /// Nobody else can see a table of this transaction, so its lock keeps nobody waiting.
    pub on_new_table: bool,
}

impl Action {
    pub fn new(class: Class) -> Self {
        Self {
            class,
            on_new_table: false,
        }
    }

    pub fn lock(self) -> Lock {
        if self.on_new_table {
            Lock::None
        } else {
            self.class.row().lock
        }
    }
}

/// What it does, or why it is refused.
pub type Verdict = Result<Vec<Action>, String>;

/// A table lock, named as Postgres names it in `pg_locks` and its documentation; weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// No lock on a table that was there before.
    None,
    AccessShare,
    /// Lets others read and write.
    ShareUpdateExclusive,
    /// Lets others read; writers wait.
    ShareRowExclusive,
    /// Everybody waits.
    AccessExclusive,
}

impl Lock {
    pub fn name(self) -> &'static str {
        match self {
            Lock::None => "none",
            Lock::AccessShare => "ACCESS SHARE",
            Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Lock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Lock::None => serializer.serialize_none(),
            lock => serializer.serialize_str(lock.name()),
        }
    }
}
