//! Schema names on the command line: what an extension script cannot carry is refused, everything else works.

use ext_registry_tests::{Database, Outcome, Refusal, Server, hash};
use serde_json::Value;

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Runs a command for this schema.
fn run(db: &Database<'_>, schema: &str, arguments: &[&str]) -> Outcome {
    // In one argument: a name may begin with a hyphen.
    let option = format!("--schema={schema}");
    let mut all = arguments.to_vec();
    all.push(&option);
    db.ext_migrate(&all)
}

/// The end of everything: up, status, check, plan, grant, and the functions through the granted roles.
#[track_caller]
fn works(schema: &str) {
    let db = Server::shared().empty_database();
    run(&db, schema, &["up"]).succeeded();
    let again = run(&db, schema, &["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(again["applied"], Value::Array(vec![]), "{schema}: {again}");
    assert_eq!(again["schema"], schema);
    run(&db, schema, &["status", "--exit-code"]).succeeded();
    run(&db, schema, &["plan", "--exit-code"]).succeeded();
    run(&db, schema, &["check"]).succeeded();
    let (publisher, reader) = (db.create_role("publisher"), db.create_role("reader"));
    run(
        &db,
        schema,
        &["grant", "--publisher", &publisher, "--reader", &reader],
    )
    .succeeded();
    let name = quoted(schema);
    let publish = format!(
        r#"SELECT extension_id FROM {name}.ext_finalize_version(
            '{{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b"}}', $1)"#
    );
    let mut client = db.client_as(&publisher);
    client
        .query_one(&publish, &[&hash(0)])
        .unwrap_or_else(|error| panic!("{schema}: {error:?}"));
    client
        .query_one(&publish, &[&hash(0)])
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_table(schema, "extension_version");
    let list =
        format!("SELECT FROM {name}.ext_list_versions({name}.ext_extension_id('p', 'n'), 't')");
    assert_eq!(db.client_as(&reader).query(&list, &[]).unwrap().len(), 1);
    // A second schema is refused and says which one is there.
    let second = db.ext_migrate(&["up", "--schema", "second"]).exited(1);
    assert!(
        second.stderr.contains(schema) || second.stderr.contains(&format!("{schema:?}")),
        "{second:?}"
    );
}

#[test]
fn names_that_need_quotes_work() {
    for schema in [
        "UPPER and lower",
        "Schéma",
        "select",
        "user",
        " lead ",
        "a.b;c",
        "1st %I",
        "@schema@",
        "日本語",
        "👩‍👩‍👧\u{202e}",
        "(a,b)[c]{d}:e",
        "-x",
        "pgx",
    ] {
        works(schema);
    }
}

#[test]
fn the_longest_name_works_and_one_byte_more_is_refused() {
    works(&"x".repeat(63));
    works(&format!("{}x", "é".repeat(31)));
    let db = Server::shared().empty_database();
    // PostgreSQL would cut the name silently, in the middle of a character where it falls so.
    for schema in ["x".repeat(64), "é".repeat(32), "x".repeat(10_000)] {
        let outcome = run(&db, &schema, &["up"]).exited(2);
        assert!(outcome.stderr.contains("63 bytes"), "{}", outcome.stderr);
        one_sentence(&outcome);
    }
}

#[test]
fn what_an_extension_script_cannot_carry_is_wrong_usage() {
    let db = Server::shared().empty_database();
    for schema in [
        "My \"x\" Schéma",
        "a$b",
        "a'b",
        "a\\b",
        "$$",
        "\"",
        "",
        "a\nb",
        "a--b",
        "a/*b",
        "*/",
        "@extschema@",
        "MODULE_PATHNAME",
        "a\u{7f}b",
    ] {
        for command in [
            &["up"][..],
            &["up", "--without-extension"],
            &["status"],
            &["plan"],
            &["check"],
            &["grant", "--reader", "r"],
        ] {
            let outcome = run(&db, schema, command).exited(2);
            one_sentence(&outcome);
            assert_eq!(outcome.stdout, "", "{schema:?} {command:?}");
        }
    }
    let found: i64 = db
        .client()
        .query_one("SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')", &[])
        .unwrap()
        .get(0);
    assert_eq!(found, 0);
}

#[test]
fn the_systems_own_names_are_refused_in_a_sentence() {
    let db = Server::shared().empty_database();
    for schema in [
        "pg_mine",
        "pg_catalog",
        "pg_temp",
        "pg_toast",
        "information_schema",
    ] {
        let outcome = run(&db, schema, &["up"]);
        assert_eq!(outcome.code, 2, "{outcome:?}");
        assert!(outcome.stderr.contains("reserved"), "{}", outcome.stderr);
        one_sentence(&outcome);
    }
}

/// Something to read, on one line, and no debug output.
#[track_caller]
fn one_sentence(outcome: &Outcome) {
    let lines: Vec<_> = outcome
        .stderr
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert!(
        lines.len() == 1 && !outcome.stderr.contains("panicked"),
        "{outcome:?}"
    );
}

/// In text and in JSON alike.
#[test]
fn a_refusal_is_json_where_json_is_asked_for() {
    let db = Server::shared().empty_database();
    let outcome = run(&db, "a$b", &["up", "--format", "json"]).exited(2);
    let json: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    assert_eq!(json["error"]["code"], "UNUSABLE_NAME", "{json}");
}
