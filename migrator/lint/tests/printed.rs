//! What `ext-migrate` holds instead of a grammar: the migrations of this tree are additive, and `sql/statements.json` says
//! what each of their statements does. `UPDATE_STATEMENTS=1` writes it anew.

use std::fs;
use std::path::PathBuf;

use ext_migrate::migrations::{Kind, Migrations};
use ext_migrate::schema::Schema;
use ext_registry_lint::{File, MigrationReport, Refusal, classify};

/// The name under which the files are read.
const PLACEHOLDER: &str = "@schema@";

fn sql(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../sql")
        .join(path)
}

fn migrations() -> Vec<ext_migrate::migrations::Migration> {
    let schema = Schema::new(PLACEHOLDER).expect("a good name");
    let migrations = Migrations::embedded().in_schema(&schema);
    migrations.expect("statements.json can be read")
}

fn files() -> Vec<File> {
    let file = |migration: &ext_migrate::migrations::Migration| File {
        name: migration.file(),
        sql: migration.sql.clone(),
    };
    migrations().iter().map(file).collect()
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("JSON")
}

fn assert_printed(path: &str, text: &str) {
    if std::env::var_os("UPDATE_STATEMENTS").is_some() {
        fs::write(sql(path), text).expect("the file can be written");
    }
    let found = fs::read_to_string(sql(path)).unwrap_or_default();
    assert!(
        found == text,
        "sql/{path} is not what the migrations do: UPDATE_STATEMENTS=1 cargo test --package ext_registry_lint"
    );
}

#[test]
fn every_statement_is_additive_and_printed() {
    let reports = classify(&files());
    let refusals: Vec<_> = reports.iter().flat_map(|report| &report.refusals).collect();
    let refusals: Vec<_> = refusals.into_iter().map(Refusal::to_string).collect();
    assert!(refusals.is_empty(), "{}", refusals.join("\n"));
    // A line for each statement, so that a change of one is seen as such.
    let file = |report: &MigrationReport| {
        let statements = report.statements.iter().map(json).collect::<Vec<_>>();
        format!(
            "{{\"file\": {}, \"statements\": [\n  {}\n]}}",
            json(&report.file),
            statements.join(",\n  ")
        )
    };
    let files: Vec<_> = reports.iter().map(file).collect();
    assert_printed("statements.json", &format!("[{}]\n", files.join(", ")));
}

/// The first line of a file is what decides, and may not be wrong.
#[test]
fn a_file_says_whether_it_runs_in_a_transaction() {
    for (migration, report) in migrations().iter().zip(classify(&files())) {
        let says = match &migration.kind {
            Kind::Transactional => None,
            Kind::Concurrent { index, table } => Some((index.clone(), table.clone())),
        };
        assert_eq!(
            says, report.concurrent,
            "{}: the first line of a file that builds an index CONCURRENTLY is \
             -- outside a transaction: INDEX on TABLE",
            report.file
        );
    }
}
