//! The README's table of what each driver raises.

use std::collections::BTreeSet;
use std::fs;

use ext_registry_tests::workspace_root;

use crate::program::{ALL, Program};

pub struct Row {
    file: String,
    pub raised: String,
    /// The expressions that give the error's parts.
    parts: Vec<String>,
}

/// The rows that begin with a link to a program.
fn rows() -> Vec<Row> {
    let readme = fs::read_to_string(workspace_root().join("README.md")).expect("there is a README");
    readme.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.strip_prefix("| [")?.split(" | ").collect();
    let (_, target) = cells[0].split_once("](tests/apps/")?;
    let (file, _) = target.split_once(')')?;
    let [_, raised, parts] = cells.as_slice() else {
        panic!("not three cells: {line}");
    };
    Some(Row {
        file: file.to_owned(),
        raised: quoted(raised)
            .next()
            .expect("something is raised")
            .to_owned(),
        parts: quoted(parts).map(str::to_owned).collect(),
    })
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[track_caller]
pub fn row_of(program: &Program) -> Row {
    let row = rows().into_iter().find(|row| row.file == program.file);
    row.unwrap_or_else(|| panic!("README.md has no row for {}", program.file))
}

#[test]
fn every_program_has_a_row_and_a_test() {
    let apps = workspace_root().join("tests/apps");
    let mut files = BTreeSet::new();
    for language in fs::read_dir(&apps).unwrap() {
        for file in fs::read_dir(language.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(&apps).unwrap().display().to_string();
            if name.to_lowercase().contains("/with") {
                files.insert(name);
            }
        }
    }
    let tested: BTreeSet<String> = ALL.iter().map(|program| program.file.to_owned()).collect();
    let documented: BTreeSet<String> = rows().into_iter().map(|row| row.file).collect();
    assert_eq!(tested, files);
    assert_eq!(documented, files);
}

#[test]
fn the_expressions_in_the_table_are_those_of_the_programs() {
    for program in ALL {
        let source = program.source();
        for part in row_of(program).parts {
            assert!(source.contains(&part), "{} has no {part}", program.file);
        }
    }
}
