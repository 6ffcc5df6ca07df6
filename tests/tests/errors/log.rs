//! The same for the functions of the log.

use ext_registry_tests::{Database, publish};
use postgres::Client;

use crate::told::{registry, told};

/// A registry with one version.
fn published() -> Database<'static> {
    let db = registry();
    publish(&mut db.client(), "1.0.0");
    db
}

fn raise_on(client: &mut Client, table: &str) {
    client
        .batch_execute(&format!(
            "CREATE FUNCTION owners() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 RAISE EXCEPTION USING
                     ERRCODE = 'XY123', MESSAGE = 'a message', DETAIL = 'a detail', HINT = 'a hint', SCHEMA = 'a schema',
                     TABLE = 'a table', COLUMN = 'a column', DATATYPE = 'a type', CONSTRAINT = 'a constraint';
             END $$;
             CREATE TRIGGER owners BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION owners()"
        ))
        .unwrap();
}

#[track_caller]
fn assert_raised(client: &mut Client, statement: &str) {
    let told = told(client, statement);
    for (field, value) in [
        ("sqlstate", "XY123"),
        ("message", "a message"),
        ("detail", "a detail"),
        ("hint", "a hint"),
        ("schema", "a schema"),
        ("table", "a table"),
        ("column", "a column"),
        ("datatype", "a type"),
        ("constraint", "a constraint"),
    ] {
        assert_eq!(told[field], value, "{field} of {told:#}");
    }
    let inner = told["inner"].as_str().unwrap();
    assert!(
        inner.starts_with("PL/pgSQL function public.owners() line 3 at RAISE\nSQL statement \""),
        "{inner}"
    );
}

#[test]
fn sealing() {
    for table in ["extension_log_leaf", "extension_log_checkpoint"] {
        let db = published();
        let mut client = db.client();
        raise_on(&mut client, table);
        assert_raised(&mut client, "SELECT FROM ext_seal_log()");
    }
}

#[test]
fn signing() {
    let db = published();
    let mut client = db.client();
    client
        .batch_execute("SELECT FROM ext_seal_log('example.com/registry')")
        .unwrap();
    raise_on(&mut client, "extension_log_signature");
    let line = format!("\u{2014} example.com/registry {}", "A".repeat(96));
    assert_raised(
        &mut client,
        &format!("SELECT ext_sign_checkpoint(2, '{line}')"),
    );
}

/// Reading from a log that somebody has taken columns from: the error points into the query.
#[test]
fn reading() {
    for (table, column, statement) in [
        (
            "extension_log_checkpoint",
            "root",
            "SELECT FROM ext_log_checkpoint()",
        ),
        (
            "extension_log_leaf",
            "leaf_hash",
            "SELECT ext_log_tile(0, 0)",
        ),
        (
            "extension_log_leaf",
            "leaf_hash",
            "SELECT ext_inclusion_proof(0, 2)",
        ),
        (
            "extension_log_leaf",
            "leaf_hash",
            "SELECT ext_consistency_proof(2, 4)",
        ),
        (
            "extension_log_leaf",
            "leaf_hash",
            "SELECT FROM ext_verify_log()",
        ),
        (
            "extension_log_leaf",
            "leaf_index",
            "SELECT FROM extension_version v, ext_version_leaf(v.id)",
        ),
    ] {
        let db = published();
        let mut client = db.client();
        client.batch_execute("SELECT FROM ext_seal_log()").unwrap();
        publish(&mut client, "1.0.1");
        client.batch_execute("SELECT FROM ext_seal_log()").unwrap();
        client
            .batch_execute(&format!(
                "ALTER TABLE {table} RENAME COLUMN {column} TO gone"
            ))
            .unwrap();
        let error = client.batch_execute(statement).unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), "42703", "{statement}: {error:#?}");
        assert!(
            matches!(
                error.position(),
                Some(postgres::error::ErrorPosition::Internal { query, .. }) if query.contains(column)
            ),
            "{statement}: {error:#?}"
        );
        assert_eq!(error.detail(), None, "{statement}");
    }
}
