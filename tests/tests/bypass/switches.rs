//! What Postgres lets the owner of the tables do: `check` reports it, the DDL guard refuses it.

use std::fmt::Write;

use ext_registry_tests::Database;

use crate::world::{self, Who};

pub struct Switch {
    pub name: &'static str,
    pub who: Who,
    pub sql: &'static str,
    /// The code of `check` that names it; empty where the audit of the log does.
    check: &'static str,
}

const fn by_owner(name: &'static str, sql: &'static str, check: &'static str) -> Switch {
    Switch {
        name,
        who: Who::Owner,
        sql,
        check,
    }
}

const fn by_superuser(name: &'static str, sql: &'static str, check: &'static str) -> Switch {
    Switch {
        who: Who::Superuser,
        ..by_owner(name, sql, check)
    }
}

/// In the order of the document.
pub const SWITCHES: &[Switch] = &[
    by_owner("DISABLE TRIGGER", "ALTER TABLE extension_version DISABLE TRIGGER extension_version_immutable", "GUARD_NOT_ALWAYS"),
    by_owner("ENABLE TRIGGER (no longer ALWAYS)", "ALTER TABLE extension_bundle ENABLE TRIGGER extension_bundle_immutable_stored", "GUARD_NOT_ALWAYS"),
    by_owner("DISABLE TRIGGER USER", "ALTER TABLE extension_registry DISABLE TRIGGER USER", "GUARD_NOT_ALWAYS"),
    by_superuser("DISABLE TRIGGER ALL", "ALTER TABLE extension_bundle DISABLE TRIGGER ALL", "FOREIGN_KEY_DISABLED"),
    by_superuser("ENABLE TRIGGER ALL (pg_restore --disable-triggers)", "ALTER TABLE extension_bundle ENABLE TRIGGER ALL", "GUARD_NOT_ALWAYS"),
    by_owner("DROP TRIGGER", "DROP TRIGGER extension_version_immutable_stored ON extension_version", "GUARD_MISSING"),
    by_owner("ALTER TRIGGER … RENAME", "ALTER TRIGGER extension_version_immutable ON extension_version RENAME TO other", "GUARD_MISSING"),
    by_owner("CREATE OR REPLACE TRIGGER", "CREATE OR REPLACE TRIGGER extension_bundle_immutable_truncate BEFORE TRUNCATE ON extension_bundle
        FOR EACH STATEMENT EXECUTE FUNCTION extension_version_immutable()", "GUARD_CHANGED"),
    by_owner("CREATE OR REPLACE FUNCTION of a guard", "CREATE OR REPLACE FUNCTION extension_version_immutable() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN NEW; END $$", "GUARD_FUNCTION_CHANGED"),
    by_owner("ALTER FUNCTION of a guard", "ALTER FUNCTION extension_bundle_immutable() SECURITY INVOKER", "GUARD_FUNCTION_CHANGED"),
    by_owner("DROP FUNCTION … CASCADE", "DROP FUNCTION extension_version_immutable() CASCADE", "GUARD_FUNCTION_MISSING"),
    by_owner("ALTER FUNCTION … RENAME", "ALTER FUNCTION extension_version_immutable() RENAME TO other", "GUARD_FUNCTION_MISSING"),
    by_owner("DROP INDEX", "DROP INDEX extension_bundle_version_id_unique", "INDEX_MISSING"),
    by_owner("DROP CONSTRAINT of a key", "ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique", "KEY_MISSING"),
    by_owner("DROP CONSTRAINT of a foreign key", "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey", "FOREIGN_KEY_MISSING"),
    by_owner("DROP CONSTRAINT of a check", "ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_content_hash_check", "CONSTRAINT_MISSING"),
    by_owner("ALTER COLUMN adopted SET DEFAULT true", "ALTER TABLE extension_bundle ALTER COLUMN adopted SET DEFAULT true", "DEFAULT_CHANGED"),
    by_owner("ALTER COLUMN adopted DROP NOT NULL", "ALTER TABLE extension_bundle ALTER COLUMN adopted DROP NOT NULL", "COLUMN_NULLABLE"),
    by_owner("ALTER COLUMN … TYPE … USING, another type", "ALTER TABLE extension_version ALTER COLUMN assets TYPE text USING 'x'", "COLUMN_TYPE"),
    by_owner("ALTER COLUMN … TYPE … USING, the same type", "ALTER TABLE extension_version ALTER COLUMN runtime TYPE varchar(255) USING 'x'", ""),
    by_owner("DROP COLUMN", "ALTER TABLE extension_version DROP COLUMN runtime", "COLUMN_MISSING"),
    by_owner("RENAME COLUMN", "ALTER TABLE extension_version RENAME COLUMN runtime TO other", "COLUMN_MISSING"),
    by_owner("DROP COLUMN, ADD COLUMN of the same name", "ALTER TABLE extension_bundle DROP COLUMN signature, ADD COLUMN signature text", ""),
    by_owner("RENAME COLUMN that exchanges two", "ALTER TABLE extension_version RENAME COLUMN runtime TO held;
        ALTER TABLE extension_version RENAME COLUMN main_entry TO runtime;
        ALTER TABLE extension_version RENAME COLUMN held TO main_entry", ""),
    by_owner("DROP TABLE", "DROP TABLE extension_bundle", "TABLE_MISSING"),
    by_owner("RENAME of a table", "ALTER TABLE extension_bundle RENAME TO other", "TABLE_MISSING"),
    by_owner("SET SCHEMA", "ALTER TABLE extension_bundle SET SCHEMA hostile", "TABLE_MISSING"),
    by_owner("SET UNLOGGED", "ALTER TABLE extension_bundle SET UNLOGGED", "NOT_LOGGED"),
    by_owner("INHERIT by another table", "CREATE TABLE child () INHERITS (extension_version)", "INHERITED"),
    by_superuser("DROP OWNED", "DROP OWNED BY bypass_owner", "NOT_MIGRATED"),
    by_superuser("DROP SCHEMA … CASCADE", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", "NOT_MIGRATED"),
    by_superuser("ALTER SCHEMA … RENAME", "ALTER SCHEMA public RENAME TO other; CREATE SCHEMA public", "NOT_MIGRATED"),
    by_superuser("DROP EXTENSION … CASCADE", "DROP EXTENSION ext_registry CASCADE", "EXTENSION_MISSING"),
];

/// The part of the document.
pub fn text() -> String {
    let mut text = "
## The owner's own switches

Postgres lets the owner of a table do these; the DDL guard (`ext-migrate up --ddl-guard`) refuses each with 23001,
`VERSION_IMMUTABLE`, unless `SET ext_registry.ddl_guard = off` says that it is meant, which counts for roles that may act
as the owner and for nobody else. `ext-migrate up` says so in its own session.

| command | `ext-migrate check` (exit code 8) |
|---|---|
"
    .to_owned();
    for switch in SWITCHES {
        let found = match switch.check {
            "" => "nothing; `ext-migrate audit` names each sealed row".to_owned(),
            code => format!("`{code}`"),
        };
        writeln!(text, "| {} | {found} |", switch.name).unwrap();
    }
    text
}

pub const LIMITS: &str = "
## What this does not protect against

- The owner of the tables and superusers, where the DDL guard is off or switched off: see above.
- A role that the owner has given the TRIGGER privilege can replace the guards against TRUNCATE (only row triggers can
  be made irreplaceable), and its own triggers run with the rights of whoever writes, the owner's in a publish.
  `ext-migrate check` notes such roles (`TRIGGER_RIGHT`); the DDL guard refuses the replacement.
- DROP COLUMN followed by ADD COLUMN of the same name, and renames that exchange columns, where the DDL guard is off:
  `check` sees columns as they should be. `ext-migrate audit` names each sealed row.
- Superusers who write the catalogs (`UPDATE pg_trigger …`, which `check` reports), use `pg_surgery`, `pageinspect` and
  the like, or change files; and DROP DATABASE.
- Whoever a superuser has granted SET on the parameter `session_replication_role`: to insert rows marked as adopted.
- A restore of an older backup.
- New rows: who may INSERT into the tables can publish anything under any name that is free.
";

pub fn check(db: &Database, code: i32) -> Vec<String> {
    let codes = errors(db);
    assert_eq!(codes.is_empty(), code == 0, "{codes:?}");
    codes
}

/// The codes of `check`, whose exit code is 8 where there are any.
fn errors(db: &Database) -> Vec<String> {
    let outcome = db.ext_migrate(&["check", "--format", "json"]);
    let report = outcome.json();
    assert_eq!(
        outcome.code,
        if report["ok"] == true { 0 } else { 8 },
        "{outcome:?}"
    );
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    findings
        .iter()
        .filter(|finding| finding["level"] == "error")
        .map(|finding| finding["code"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn check_reports_every_switch() {
    let mut wrong = Vec::new();
    for switch in SWITCHES {
        let db = world::database();
        db.client_as(switch.who.role())
            .batch_execute(switch.sql)
            .unwrap_or_else(|error| panic!("{}: {error:?}", switch.name));
        let codes = errors(&db);
        let as_it_says = match switch.check {
            "" => codes.is_empty(),
            wanted => codes.iter().any(|code| code == wanted),
        };
        if !as_it_says {
            wrong.push(format!("{}: {codes:?}, not {}", switch.name, switch.check));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn check_reports_a_trigger_disabled_in_the_catalog() {
    let db = world::database();
    db.client()
        .batch_execute(
            "UPDATE pg_trigger SET tgenabled = 'D' WHERE tgname = 'extension_version_immutable'",
        )
        .unwrap();
    assert_eq!(check(&db, 8), ["GUARD_NOT_ALWAYS"]);
}
