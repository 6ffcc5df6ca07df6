//! The tables of codes are those of the code.

use std::collections::BTreeSet;
use std::fs;

use ext_registry_tests::workspace_root;

use crate::markdown::page;

fn source(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every word in capitals that stands between these two texts.
fn words<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
    let capitals =
        |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split(after).next())
        .filter(capitals)
        .collect()
}

/// The rows of the tables below a heading, up to the next one.
fn rows(text: &str, heading: &str) -> String {
    let (_, section) = text
        .split_once(heading)
        .unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_errors_of_the_functions_and_guards() {
    let extension = source("pg_ext/src/error.rs");
    let mut raised = words(&extension, "\"code\": \"", "\"");
    let guards = [
        "V7__bundle_guards.sql",
        "V8__version_guards.sql",
        "V9__registry_guards.sql",
        "V16__log_owner.sql",
    ]
    .map(|file| source(&format!("sql/migrations/{file}")));
    for guard in &guards {
        raised.extend(words(guard, "'code', '", "'"));
    }
    let readme = page("README.md").text;
    let table = rows(&readme, "\n## Errors\n");
    assert_eq!(words(&table, "`", "`"), raised);
}

#[test]
fn the_errors_of_the_command() {
    let source = source("migrator/src/error.rs");
    let (_, rows_of_errors) = source.split_once("fn row(").expect("errors have a row");
    let codes = words(rows_of_errors, ", \"", "\"");
    let text = page("doc/ext-migrate.md").text;
    let table = rows(&text, "\n## Errors\n");
    assert_eq!(words(&table, "`", "`"), codes);
}

#[test]
fn the_exit_codes() {
    let source = source("migrator/src/error.rs");
    let (_, exit) = source
        .split_once("pub enum Exit {")
        .expect("there are exit codes");
    let codes: BTreeSet<&str> = exit
        .split_once('}')
        .map_or(exit, |(body, _)| body)
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .map(|(_, code)| code)
        .collect();
    let text = page("doc/ext-migrate.md").text;
    let table = rows(&text, "\n## Exit codes\n");
    let documented: BTreeSet<&str> = table
        .lines()
        .filter_map(|row| row.trim_start_matches("| ").split(" |").next())
        .filter(|cell| cell.chars().all(|c| c.is_ascii_digit()))
        .collect();
    assert_eq!(documented, codes);
}
