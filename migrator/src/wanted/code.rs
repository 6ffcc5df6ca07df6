//! Every finding there is. `doc/findings.md` is made from this table.

use std::fmt;

use serde::{Serialize, Serializer};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Refuses an adoption; leaves a registry unguarded or drifted.
    Error,
    /// Worth knowing.
    Note,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// Stable.
    pub name: &'static str,
    pub level: Level,
    /// Found on Citus alone.
    pub citus: bool,
    /// What it is about, in Markdown.
    pub about: &'static str,
    /// What mends it, in Markdown.
    pub mend: &'static str,
}

macro_rules! codes {
    ($($variant:ident $name:literal $level:ident $citus:literal, $about:literal, $mend:literal;)*) => {
        /// In JSON its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($variant),* }

        /// In the order of [`Code`].
        pub const ROWS: &[Row] = &[$(Row {
            name: $name,
            level: Level::$level,
            citus: $citus,
            about: $about,
            mend: $mend,
        }),*];
    };
}

codes! {
    NotMigrated "NOT_MIGRATED" Error false, "no migration has run in this schema", "`up`";
    MigrationPending "MIGRATION_PENDING" Error false, "a migration has not run yet", "`up`";
    HistoryDisagrees "HISTORY_DISAGREES" Error false, "history and files disagree; exit code 4", "the release that fits, or the right files";
    HistoryLost "HISTORY_LOST" Error false, "what the migrations make is there, and the history is not: a dump of the schema alone, or of some tables, was restored", "`up`";
    GuardMissing "GUARD_MISSING" Error false, "a guard (trigger) is not there", "`up`";
    GuardNotAlways "GUARD_NOT_ALWAYS" Error false, "a guard is disabled, or not ENABLE ALWAYS, as `pg_restore --disable-triggers` leaves it", "`up`";
    GuardChanged "GUARD_CHANGED" Error false, "a trigger of that name does something else, or is bound to an operator of somebody's", "drop it, then `up`";
    GuardFunctionMissing "GUARD_FUNCTION_MISSING" Error false, "the function of a guard is not there", "`up`";
    GuardFunctionChanged "GUARD_FUNCTION_CHANGED" Error false, "its definition is not as shipped: body, SECURITY, settings", "`up` (where it is no trigger function: drop it first)";
    GuardFunctionOwner "GUARD_FUNCTION_OWNER" Error false, "the function belongs to another role than the tables", "ALTER FUNCTION … OWNER TO, then `up`";
    DefaultChanged "DEFAULT_CHANGED" Error false, "a default is gone or another: that of `adopted`, of `created_at` on versions and bundles, or any of the log's", "`up`; for `created_at` SET DEFAULT";
    IndexMissing "INDEX_MISSING" Error false, "an index is not there", "`up`";
    IndexInvalid "INDEX_INVALID" Error false, "its build was cut short", "`up`";
    IndexChanged "INDEX_CHANGED" Error false, "an index of that name is another", "drop it, then `up`";
    IndexTwice "INDEX_TWICE" Note false, "another index does the same as one of ours, and costs as much with every publish", "DROP INDEX CONCURRENTLY";
    IndexLeftOver "INDEX_LEFT_OVER" Note false, "an invalid index that a broken REINDEX or CREATE INDEX CONCURRENTLY has left", "DROP INDEX CONCURRENTLY";
    ConstraintMissing "CONSTRAINT_MISSING" Error false, "a CHECK is not there", "`up`; where rows break it, it binds new rows only and `up` says so";
    ConstraintNotValid "CONSTRAINT_NOT_VALID" Error false, "a constraint was never proven for all rows, or (18) is not enforced", "`up`; where rows break it, it stays as it is and `up` says so";
    ConstraintChanged "CONSTRAINT_CHANGED" Error false, "a constraint of that name is another, or is bound to an operator of somebody's", "drop it, then `up`";
    ConstraintTwice "CONSTRAINT_TWICE" Note false, "another constraint says the same as one of ours", "DROP CONSTRAINT";
    KeyMissing "KEY_MISSING" Error false, "a primary or unique key, by its columns, or it is deferrable; of the log: by its name", "add it; of the log: `up`";
    KeyWithoutConstraint "KEY_WITHOUT_CONSTRAINT" Note false, "a unique index stands in place of a key: errors would name no constraint", "`up` makes it one (ADD CONSTRAINT … USING INDEX)";
    ForeignKeyMissing "FOREIGN_KEY_MISSING" Error false, "an enforced foreign key of the contract", "add it, or `ALTER CONSTRAINT … ENFORCED`; of the log: `up`";
    ForeignKeyDisabled "FOREIGN_KEY_DISABLED" Error false, "the triggers that enforce a foreign key are off", "ENABLE TRIGGER ALL as superuser, then `up`";
    RowsOrphaned "ROWS_ORPHANED" Error false, "`check --rows`: rows that refer to a row that is not there: they came in while foreign keys slept, in a restore or replication; not seen where the role may not read the tables", "restore the missing rows";
    ColumnMissing "COLUMN_MISSING" Error false, "a column of the contract or of the log", "people";
    ColumnType "COLUMN_TYPE" Error false, "a column has another type", "people";
    ColumnNullable "COLUMN_NULLABLE" Error false, "a column may be NULL that identifies rows, or that the log needs", "of the log: `up`; else SET NOT NULL";
    ColumnGenerated "COLUMN_GENERATED" Error false, "a column is GENERATED ALWAYS: nothing can be inserted into it", "people";
    ColumnCollation "COLUMN_COLLATION" Error false, "a name, publisher or version has a nondeterministic collation: strings that differ would be the same version", "ALTER COLUMN … TYPE … COLLATE";
    ColumnRequired "COLUMN_REQUIRED" Note false, "a further column is NOT NULL without a default, so publishing fails with 23502", "give it a default";
    NotOurs "NOT_OURS" Error false, "a trigger, constraint or default that no migration made, on a table of the log or the history: rows may be changed on their way or refused", "drop it";
    TableMissing "TABLE_MISSING" Error false, "only some of the four tables are there, or a table of the log is not", "restore them";
    OlderSchema "OLDER_SCHEMA" Error false, "installs have `enabled` or `installed_at`: one step older than what can be adopted", "the app's own migrations";
    NotATable "NOT_A_TABLE" Error false, "a view, a partitioned or foreign table", "people";
    TypedTable "TYPED_TABLE" Error false, "a table OF a type", "people";
    NotLogged "NOT_LOGGED" Error false, "an UNLOGGED table", "SET LOGGED";
    Inherited "INHERITED" Error false, "a child table: its rows pass the guards by", "NO INHERIT";
    Inherits "INHERITS" Error false, "a parent table, from where rows can be changed", "NO INHERIT, DETACH PARTITION";
    OwnersDiffer "OWNERS_DIFFER" Error false, "the tables, those of the log included, must have one owner", "ALTER TABLE … OWNER TO";
    OwnerName "OWNER_NAME" Error false, "an extension script cannot carry the owner's name; exit code 2", "ALTER ROLE … RENAME TO";
    NoRight "NO_RIGHT" Error false, "the connected role cannot act for the owner, or may not create in the schema", "GRANT";
    NameTaken "NAME_TAKEN" Error false, "something else has a name that the migrations use", "rename it";
    SecondSchema "SECOND_SCHEMA" Error false, "another schema of the database holds the registry", "`--schema`";
    ExtensionElsewhere "EXTENSION_ELSEWHERE" Error false, "the extension is installed in another schema, which has no tables of the registry", "DROP EXTENSION, then `up`";
    ForceRowSecurity "FORCE_ROW_SECURITY" Error false, "policies bind the owner, so the guards cannot see every row", "NO FORCE ROW LEVEL SECURITY";
    RowSecurity "ROW_SECURITY" Note false, "readers list only what the policies show them", "";
    DeferredCheck "DEFERRED_CHECK" Error false, "a foreign key or constraint trigger that is INITIALLY DEFERRED: publishing would fail with 42501", "ALTER CONSTRAINT … NOT DEFERRABLE; constraint triggers: create them again";
    Rule "RULE" Error false, "a rule rewrites statements on a guarded table", "DROP RULE";
    ForeignTrigger "FOREIGN_TRIGGER" Note false, "a BEFORE trigger of somebody else may change or drop what is published", "";
    TriggerRight "TRIGGER_RIGHT" Note false, "a role besides the owner may put triggers on a guarded table, and so replace the guard against TRUNCATE", "REVOKE TRIGGER";
    DdlGuardBroken "DDL_GUARD_BROKEN" Error false, "an event trigger or the function of `up --ddl-guard` is missing, changed, disabled, not ENABLE ALWAYS, or of another owner", "`up --ddl-guard` as superuser, or `DROP SCHEMA ext_registry_ddl_guard CASCADE`";
    PublicRight "PUBLIC_RIGHT" Error false, "PUBLIC has a right on a table or function of the registry", "REVOKE (`up` does it for functions)";
    ExtensionMissing "EXTENSION_MISSING" Error false, "the extension is not installed", "`up`; `--without-extension` does not ask for it";
    ExtensionOutdated "EXTENSION_OUTDATED" Error false, "the server has a newer version of the extension", "`up`";
    ExtensionAhead "EXTENSION_AHEAD" Error false, "the server's files are older than the extension in the database, or know no way from it", "`make install` of that release or a newer one";
    ExtensionUnavailable "EXTENSION_UNAVAILABLE" Error false, "the server does not offer the extension (any more)", "`make install`";
    ExtensionFunctionMissing "EXTENSION_FUNCTION_MISSING" Error false, "a function of the extension was dropped", "`up` as superuser";
    ExtensionFunctionChanged "EXTENSION_FUNCTION_CHANGED" Error false, "a function of the extension is not as shipped: body, SECURITY, settings, volatility, or it belongs to no extension any more", "`up` as superuser";
    OwnerRight "OWNER_RIGHT" Note false, "the owner of the tables may not call the extension's functions, because another role has installed it, as a superuser does in a restore", "`up` as superuser, then `ext-migrate grant`";
    CitusWorker "CITUS_WORKER" Error true, "the connection leads to a worker", "connect to the coordinator";
    CitusLocal "CITUS_LOCAL" Note true, "the tables are on the coordinator alone", "`distribute`";
    CitusLayout "CITUS_LAYOUT" Error true, "the tables are distributed in another way", "`undistribute_table`, then `distribute`";
    DistributedAlready "DISTRIBUTED_ALREADY" Error true, "tables of the old schema are distributed before `up` has run", "`undistribute_table`, then `up` and `distribute`";
    ShardGuardMissing "SHARD_GUARD_MISSING" Error true, "a guard on a shard is not there, not ENABLE ALWAYS, or another", "`up`; another one: drop it first";
    ShardGuardFunction "SHARD_GUARD_FUNCTION" Error true, "the function of a guard on a node is not there, or another", "`up`";
    ReaderNotPlanned "READER_NOT_PLANNED" Error true, "a function that reads is in SQL on some node, which Citus does not plan: Citus came after the extension", "`up`";
    NodeSilent "NODE_SILENT" Note true, "a node does not answer, and was not looked at", "";
    WriteRight "WRITE_RIGHT" Error true, "a role besides the owner may write to a replicated table; through one node it could make the replicas differ", "REVOKE";
    DefaultPerReplica "DEFAULT_PER_REPLICA" Error true, "a default of CURRENT_TIMESTAMP, which each replica computes for itself", "SET DEFAULT now()";
    CoordinatorNotANode "COORDINATOR_NOT_A_NODE" Error true, "refusal: the coordinator is not in the list of nodes", "`citus_set_coordinator_host`";
    OwnerCannotLogIn "OWNER_CANNOT_LOG_IN" Error true, "refusal: Citus connects to the nodes as the owner of the tables", "ALTER ROLE … LOGIN";
    ForeignKey "FOREIGN_KEY" Error true, "refusal: a foreign key between one of the four tables and another table", "drop it";
    KeyWithoutTenant "KEY_WITHOUT_TENANT" Error true, "refusal: a unique key of the installs without `tenant_id`", "drop it";
    ReplicaTrigger "FOREIGN_TRIGGER" Error true, "refusal: a trigger of somebody else would run once on each replica", "drop it";
}

impl Code {
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.row().name)
    }
}
