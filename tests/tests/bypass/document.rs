//! `doc/bypass.md` and the README's short form of it are what the tables say: `UPDATE_DOC=1 cargo test --test bypass
//! document` writes both anew.

use std::fmt::Write;
use std::fs;

use ext_registry_tests::workspace_root;

use crate::matrix::Way;
use crate::world::Who;
use crate::{ddl_guard, switches, ways};

const HEAD: &str = "\
# Ways to change published history, and what happens

Made from `tests/tests/bypass`, which tries every line of it on a real server and asserts afterwards that all published
rows are as they were. A code is the SQLSTATE of the refusal, a name its `constraint`; `-` means that the way needs
something this role has not got in the first place. Every line is tried with the DDL guard on, too (`ext-migrate up
--ddl-guard`): the last column has what happens then to roles that may do DDL on the tables, where it is something else.

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
            "\n## {heading}\n\n| way | {} | DDL guard on |\n|---|{}\n",
            titles.join(" | "),
            "---|".repeat(shown.len() + 1)
        )
        .unwrap();
        for way in &ways {
            let with_ddl_guard = way
                .with_ddl_guard
                .map_or("the same".to_owned(), |outcome| outcome.to_string());
            let cells = cells(way, &shown);
            writeln!(text, "| {} | {cells} | {with_ddl_guard} |", way.name).unwrap();
        }
    }
    text.push_str(&switches::text());
    text.push_str(&ddl_guard::text());
    text.push_str(switches::LIMITS);
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

/// Where the README's short form stands.
const MARKS: [&str; 2] = ["<!-- made from tests/tests/bypass -->\n", "<!-- end -->\n"];

/// One line for each way: who gets which outcome.
fn short_form() -> String {
    let mut text = "| way | who: outcome |\n|---|---|\n".to_owned();
    for way in ways::groups().iter().flat_map(|(_, ways)| ways) {
        let mut outcomes: Vec<(String, Vec<&str>)> = Vec::new();
        for who in Who::ALL {
            let Some(outcome) = way.outcome(who).map(|outcome| outcome.to_string()) else {
                continue;
            };
            match outcomes.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, everyone)) => everyone.push(who.title()),
                None => outcomes.push((outcome, vec![who.title()])),
            }
        }
        let cells: Vec<_> = outcomes
            .iter()
            .map(|(outcome, everyone)| format!("{}: {outcome}", everyone.join(", ")))
            .collect();
        writeln!(text, "| {} | {} |", way.name, cells.join("; ")).unwrap();
    }
    text
}

/// The README with the short form as the tests have it.
fn with_short_form(readme: &str) -> String {
    let [begin, end] = MARKS;
    let (before, rest) = readme.split_once(begin).expect("the README has the mark");
    let (_, after) = rest.split_once(end).expect("the README has the end mark");
    format!("{before}{begin}\n{}\n{end}{after}", short_form())
}

#[test]
fn the_documents_say_what_is_tested() {
    for (page, whole) in [("doc/bypass.md", true), ("README.md", false)] {
        let path = workspace_root().join(page);
        let written = fs::read_to_string(&path).unwrap_or_default();
        let expected = if whole {
            text()
        } else {
            with_short_form(&written)
        };
        if std::env::var_os("UPDATE_DOC").is_some() {
            fs::write(&path, &expected).unwrap();
            continue;
        }
        assert!(
            written == expected,
            "{page} is not what the tests say: UPDATE_DOC=1 cargo test --test bypass document writes it"
        );
    }
}
