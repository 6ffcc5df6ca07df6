//! Errors of PostgreSQL, of what the owner has put on the tables, and of the guards.

use ext_registry_tests::Refusal;
use postgres::error::ErrorPosition;
use serde_json::{Value, json};

use crate::server;
use crate::told::{INSERT, assert_alike, assert_told_alike, finalize, prepare, registry, told};

/// A trigger of the owner's with this body.
fn trigger(on: &str, body: &str) -> String {
    format!(
        "CREATE FUNCTION owners() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;
         CREATE TRIGGER owners BEFORE INSERT ON {on} FOR EACH ROW EXECUTE FUNCTION owners()"
    )
}

/// Every field that RAISE can set.
const RAISE: &str = "RAISE EXCEPTION USING
    ERRCODE = 'XY123', MESSAGE = E'two\nlines of äöü', DETAIL = 'a detail', HINT = 'a hint', SCHEMA = 'a schema',
    TABLE = 'a table', COLUMN = 'a column', DATATYPE = 'a type', CONSTRAINT = 'a constraint'";

const RAISED: [(&str, &str); 9] = [
    ("sqlstate", "XY123"),
    ("message", "two\nlines of äöü"),
    ("detail", "a detail"),
    ("hint", "a hint"),
    ("schema", "a schema"),
    ("table", "a table"),
    ("column", "a column"),
    ("datatype", "a type"),
    ("constraint", "a constraint"),
];

#[test]
fn constraints_of_the_owner() {
    for (ground, expected) in [
        (
            "ALTER TABLE extension_version ADD COLUMN note text NOT NULL",
            [
                ("sqlstate", "23502"),
                ("table", "extension_version"),
                ("column", "note"),
            ],
        ),
        (
            "CREATE TABLE other (id integer PRIMARY KEY);
             ALTER TABLE extension_version ADD COLUMN other integer DEFAULT 7 REFERENCES other",
            [
                ("sqlstate", "23503"),
                ("constraint", "extension_version_other_fkey"),
                ("detail", "Key (other)=(7) is not present in table \"other\"."),
            ],
        ),
        (
            "ALTER TABLE extension_version ADD COLUMN one integer DEFAULT 1 UNIQUE;
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), id, '0.1.0', 'node@20', 'main' FROM extension_registry",
            [
                ("sqlstate", "23505"),
                ("constraint", "extension_version_one_key"),
                ("detail", "Key (one)=(1) already exists."),
            ],
        ),
        (
            "ALTER TABLE extension_bundle ADD CONSTRAINT unsigned CHECK (signature <> 'signed')",
            [
                ("sqlstate", "23514"),
                ("constraint", "unsigned"),
                ("table", "extension_bundle"),
            ],
        ),
        (
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), id, '0.1.0', 'node@20', 'main' FROM extension_registry;
             ALTER TABLE extension_version ADD CONSTRAINT one_runtime EXCLUDE USING btree (runtime WITH =)",
            [
                ("sqlstate", "23P01"),
                ("constraint", "one_runtime"),
                ("schema", "public"),
            ],
        ),
        (
            "CREATE DOMAIN even AS integer CONSTRAINT is_even CHECK (value % 2 = 0);
             ALTER TABLE extension_version ADD COLUMN sum even;
             -- PostgreSQL names the domain with its schema where that is not in the search_path.
             CREATE FUNCTION owners() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
                 AS $$ BEGIN NEW.sum := 3; RETURN NEW; END $$;
             CREATE TRIGGER owners BEFORE INSERT ON extension_version FOR EACH ROW EXECUTE FUNCTION owners()",
            [
                ("sqlstate", "23514"),
                ("datatype", "even"),
                ("constraint", "is_even"),
            ],
        ),
    ] {
        let db = registry();
        let mut client = db.client();
        client.batch_execute(ground).unwrap();
        assert_told_alike(&mut client, &expected);
    }
}

#[test]
fn a_guard_of_ours() {
    let db = registry();
    let mut client = db.client();
    client
        .batch_execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), id, '0.1.0', 'node@20', 'main' FROM extension_registry",
        )
        .unwrap();
    client
        .batch_execute(&trigger(
            "public.extension_bundle",
            "BEGIN DELETE FROM public.extension_version WHERE version = '0.1.0'; RETURN NEW; END",
        ))
        .unwrap();
    assert_told_alike(
        &mut client,
        &[
            ("sqlstate", "23001"),
            ("schema", "public"),
            ("table", "extension_version"),
            ("constraint", "extension_version_immutable"),
            ("hint", "Publish a new version instead."),
        ],
    );
    let context = told(&mut client, &finalize())["inner"].take();
    for line in [
        "PL/pgSQL function public.extension_version_immutable() line ",
        "SQL statement \"DELETE FROM public.extension_version",
        "PL/pgSQL function owners() line 1 at SQL statement",
    ] {
        assert!(context.as_str().unwrap().contains(line), "{context:#}");
    }
}

#[test]
fn every_field_of_raise() {
    for on in ["extension_version", "extension_bundle"] {
        let db = registry();
        let mut client = db.client();
        client
            .batch_execute(&trigger(on, &format!("BEGIN {RAISE}; END")))
            .unwrap();
        assert_told_alike(&mut client, &RAISED);
    }
}

/// Texts are in the encoding of the database.
#[test]
fn raise_in_another_encoding() {
    let db = server().database_with("TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    db.ext_migrate(&["up"]).succeeded();
    prepare(&db);
    let mut client = db.client();
    client
        .batch_execute(&trigger(
            "extension_version",
            &format!("BEGIN {RAISE}; END"),
        ))
        .unwrap();
    assert_told_alike(&mut client, &RAISED);
}

/// RAISE without arguments raises a caught error again, of which nobody is told.
#[test]
fn an_error_that_is_raised_again() {
    let other = "BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;";
    let alike = "BEGIN RAISE unique_violation USING MESSAGE = 'two', TABLE = 'another'; EXCEPTION WHEN OTHERS THEN NULL; END;";
    for between in ["", other, alike, &other.repeat(5)] {
        let db = registry();
        let mut client = db.client();
        client
            .batch_execute(&trigger(
                "extension_version",
                &format!(
                    "BEGIN
                         {other}
                         {RAISE};
                     EXCEPTION WHEN SQLSTATE 'XY123' THEN
                         {between}
                         RAISE;
                     END"
                ),
            ))
            .unwrap();
        assert_told_alike(&mut client, &RAISED);
    }
}

/// Where more errors came between than are remembered, SQLSTATE and texts stay.
#[test]
fn an_error_that_is_raised_again_after_many_others() {
    let db = registry();
    let mut client = db.client();
    client
        .batch_execute(&trigger(
            "extension_version",
            "BEGIN
                 RAISE unique_violation USING MESSAGE = 'first', DETAIL = 'a detail', HINT = 'a hint';
             EXCEPTION WHEN unique_violation THEN
                 FOR i IN 1..1000 LOOP
                     BEGIN RAISE NOTICE 'next'; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
                 END LOOP;
                 RAISE;
             END",
        ))
        .unwrap();
    let (mut plain, mut ours) = (told(&mut client, INSERT), told(&mut client, &finalize()));
    plain["inner"] = Value::Null;
    ours["inner"] = Value::Null;
    assert_eq!(plain, ours);
}

/// What was caught inside is not what is told.
#[test]
fn errors_that_the_owner_catches() {
    let db = registry();
    let mut client = db.client();
    client
        .batch_execute(&trigger(
            "extension_version",
            &format!(
                "BEGIN
                     BEGIN {RAISE}; EXCEPTION WHEN SQLSTATE 'XY123' THEN NULL; END;
                     RAISE WARNING 'a warning' USING TABLE = 'a table';
                     RETURN NEW;
                 END"
            ),
        ))
        .unwrap();
    let published = told(&mut client, &finalize());
    assert_eq!(published, json!({"sqlstate": "00000"}));
    let mut refused = told(&mut client, &finalize());
    let (inner, outer) = (refused["inner"].take(), refused["outer"].take());
    assert_eq!(refused["sqlstate"], "23505");
    assert_eq!(refused["table"], "extension_version");
    assert_eq!(refused["column"], "");
    assert_eq!(
        (inner.as_str(), outer.as_str().map(str::is_empty)),
        (Some(""), Some(false))
    );
}

/// Nothing of an error is left for the next one, after a handler or a savepoint.
#[test]
fn the_next_error_is_its_own() {
    let db = registry();
    let mut client = db.client();
    client
        .batch_execute(&trigger(
            "extension_version",
            &format!("BEGIN {RAISE}; END"),
        ))
        .unwrap();
    let before = told(&mut client, "SELECT 1 / 0");
    client.batch_execute("BEGIN").unwrap();
    for _ in 0..3 {
        assert_told_alike(&mut client, &RAISED);
        assert_eq!(told(&mut client, "SELECT 1 / 0"), before);
        client.batch_execute("SAVEPOINT here").unwrap();
        client
            .batch_execute(&finalize())
            .refused()
            .with_sqlstate("XY123");
        client.batch_execute("ROLLBACK TO SAVEPOINT here").unwrap();
        assert_eq!(told(&mut client, "SELECT 1 / 0"), before);
        client.batch_execute("SAVEPOINT here").unwrap();
        let error = client.batch_execute("SELECT 1 / 0").unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!((error.table(), error.where_()), (None, None));
        client.batch_execute("ROLLBACK TO SAVEPOINT here").unwrap();
    }
    client.batch_execute("COMMIT").unwrap();
}

/// An error in the text of a statement points into it.
#[test]
fn the_position_in_a_statement_of_the_owner() {
    let db = registry();
    let mut client = db.client();
    client
        .batch_execute(&trigger(
            "extension_version",
            "BEGIN PERFORM nowhere FROM pg_catalog.pg_class; RETURN NEW; END",
        ))
        .unwrap();
    assert_told_alike(&mut client, &[("sqlstate", "42703")]);
    for statement in [INSERT, &finalize()] {
        let error = client.batch_execute(statement).unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(
            error.position(),
            Some(&ErrorPosition::Internal {
                position: 8,
                query: "SELECT nowhere FROM pg_catalog.pg_class".to_owned()
            })
        );
        let context = error.where_().unwrap();
        assert!(
            context.starts_with("PL/pgSQL function owners() line 1 at PERFORM"),
            "{context}"
        );
    }
}

/// A function of ours inside of another: its errors pass through both.
#[test]
fn a_publish_within_a_publish() {
    for (within, expected) in [
        ("{}", [("sqlstate", "22023"), ("hint", "")]),
        (
            r#"{"publisher": "acme", "name": "widget", "version": "0.1.0", "runtime": "node@20"}"#,
            [("sqlstate", "XY123"), ("hint", "a hint")],
        ),
    ] {
        let db = registry();
        let mut client = db.client();
        client
            .batch_execute(&trigger(
                "extension_version",
                &format!(
                    "BEGIN
                         IF NEW.version = '0.1.0' THEN
                             {RAISE};
                         END IF;
                         PERFORM public.ext_finalize_version('{within}', repeat('a', 64));
                         RETURN NEW;
                     END"
                ),
            ))
            .unwrap();
        assert_told_alike(&mut client, &expected);
    }
}

/// Until the stack is full: each call passes the error of the one within it on.
#[test]
fn a_publish_within_itself_without_end() {
    let db = registry();
    let mut client = db.client();
    client
        .batch_execute(&trigger(
            "extension_version",
            "BEGIN
                 PERFORM public.ext_finalize_version(jsonb_build_object(
                     'publisher', 'acme', 'name', 'widget', 'runtime', 'node@20', 'version', '1.0.' || 1 + split_part(NEW.version, '.', 3)::integer), repeat('a', 64));
                 RETURN NEW;
             END",
        ))
        .unwrap();
    for depth in [100, 2048] {
        client
            .batch_execute(&format!("SET max_stack_depth = '{depth}kB'"))
            .unwrap();
        let told = told(&mut client, &finalize());
        assert_eq!(told["sqlstate"], "54001", "{told:#}");
        assert_eq!(told["message"], "stack depth limit exceeded");
        println!("{} bytes of CONTEXT", told["inner"].as_str().unwrap().len());
    }
    client
        .batch_execute("DROP TRIGGER owners ON extension_version; RESET max_stack_depth")
        .unwrap();
    client.batch_execute(&finalize()).unwrap();
}

/// The other finalize function, and a wildcard.
#[test]
fn every_way_to_publish() {
    let db = registry();
    let mut client = db.client();
    client
        .batch_execute(&trigger(
            "extension_version",
            &format!("BEGIN {RAISE}; END"),
        ))
        .unwrap();
    let plain = told(&mut client, INSERT);
    for statement in [
        finalize().replace("1.0.0", "1.0.*"),
        finalize().replace("widget", "another"),
        "SELECT * FROM ext_finalize_bundle('{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"1.0.0\", \"runtime\": \"node@20\"}', 'x')".to_owned(),
    ] {
        let ours = told(&mut client, &statement);
        assert_alike(plain.clone(), ours);
    }
}
