//! `doc/bypass.md` is what the tables say: `UPDATE_DOC=1 cargo test --test bypass document` writes it anew.

use std::fmt::Write;
use std::fs;

use ext_registry_tests::workspace_root;

use crate::matrix::Way;
use crate::world::Who;
use crate::{switches, ways};

const HEAD: &str = "\
# Ways to change published history, and what happens

Made from `tests/tests/bypass`, which tries every line of it on a real server and asserts afterwards that all published
rows are as they were. A code is the SQLSTATE of the refusal, a name its `constraint`; `-` means that the way needs
something this role has not got in the first place.

The app role has SELECT, INSERT, UPDATE, DELETE, TRUNCATE and REFERENCES on all four tables, as old apps do. The owner
is no superuser.
";

fn text() -> String {
    let mut text = HEAD.to_owned();
    for (heading, ways) in ways::groups() {
        let shown: Vec<Who> = Who::ALL
            .into_iter()
            .filter(|who| ways.iter().any(|way| way.outcome(*who).is_some()))
            .collect();
        let titles: Vec<_> = shown.iter().map(|who| who.title()).collect();
        write!(
            text,
            "\n## {heading}\n\n| way | {} |\n|---|{}\n",
            titles.join(" | "),
            "---|".repeat(shown.len())
        )
        .unwrap();
        for way in &ways {
            writeln!(text, "| {} | {} |", way.name, cells(way, &shown)).unwrap();
        }
    }
    text.push_str(&switches::text());
    text
}

fn cells(way: &Way, shown: &[Who]) -> String {
    let cells: Vec<_> = shown
        .iter()
        .map(|who| {
            way.outcome(*who)
                .map_or("-".to_owned(), |outcome| outcome.to_string())
        })
        .collect();
    cells.join(" | ")
}

#[test]
fn the_document_says_what_is_tested() {
    let path = workspace_root().join("doc/bypass.md");
    if std::env::var_os("UPDATE_DOC").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text(),
        "doc/bypass.md is not what the tests say: UPDATE_DOC=1 cargo test --test bypass document writes it"
    );
}
