//! README.md and the pages in doc/ tell the truth: every command in them is run, every output compared.
//!
//! `UPDATE_DOCS=1` writes the outputs that differ into the pages. A line `…` in an output stands for any lines.

mod apps;
mod codes;
mod compare;
mod links;
mod markdown;
mod reader;
mod session;
mod shell;

use ext_registry_tests::Outcome;
use serde_json::Value;

use markdown::{Block, Page, Part};
use reader::Reader;

/// Blocks to write back, by the line of their opening fence.
type Changes = Vec<(usize, Vec<String>)>;

#[test]
fn every_block_of_every_page_is_true() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut differences = Vec::new();
    for page in markdown::pages() {
        let mut changes = Changes::new();
        follow(&page, &mut changes);
        for (line, lines) in &changes {
            differences.push(format!(
                "{}, line {line}, should be:\n{}",
                page.name,
                lines.join("\n")
            ));
        }
        if update && !changes.is_empty() {
            page.replace(&changes);
        }
    }
    assert!(
        update || differences.is_empty(),
        "{}\n\nUPDATE_DOCS=1 writes these outputs into the pages",
        differences.join("\n\n")
    );
}

/// Does all that a page says.
fn follow(page: &Page, changes: &mut Changes) {
    let mut reader = Reader::new(page);
    let mut last: Option<Outcome> = None;
    for part in page.parts() {
        match part {
            Part::Database(kind) => reader.change_database(&kind),
            Part::Run(command) => last = reader.shell_block(&[command]),
            Part::Block(block) => match block.info.as_str() {
                "sh" => last = reader.shell_block(&block.lines),
                "sql" => reader.sql(&block.lines.join("\n")),
                // The tests of replication run these, on two servers; those of Citus the last.
                "sql publisher" | "sql subscriber" | "sql citus" => {}
                "sql synopsis" => assert_synopsis(&reader, &block),
                "psql" => changes.extend(session_changes(&reader, &block)),
                "text" => changes.extend(text_changes(page, &block, last.as_ref())),
                "python" | "js" | "rust" | "java" => apps::assert_extract(page, &block),
                info if info.split(' ').next() == Some("json") => {
                    changes.extend(json_changes(page, &block, last.as_ref()));
                }
                other => panic!(
                    "{}, line {}: nothing is known about blocks of {other:?}",
                    page.name, block.line
                ),
            },
        }
    }
}

fn session_changes(reader: &Reader, block: &Block) -> Option<(usize, Vec<String>)> {
    let statements = session::parse(&block.lines);
    let printed = reader.session(&statements);
    let same = statements
        .iter()
        .zip(&printed)
        .all(|(statement, printed)| compare::same_text(&statement.output, printed));
    let new = statements
        .iter()
        .zip(printed)
        .flat_map(|(statement, printed)| {
            let mut lines = statement.prompted.clone();
            // What has been cut short by hand stays so where it is right.
            match compare::same_text(&statement.output, &printed) {
                true => lines.extend(statement.output.clone()),
                false => lines.extend(printed),
            }
            lines
        });
    (!same).then(|| (block.line, new.collect()))
}

fn text_changes(
    page: &Page,
    block: &Block,
    last: Option<&Outcome>,
) -> Option<(usize, Vec<String>)> {
    let outcome = command_above(page, block, last);
    // An error's words are on stderr; beside a result, stderr tells of the progress.
    let printed = match outcome.stdout.is_empty() {
        true => &outcome.stderr,
        false => &outcome.stdout,
    };
    let printed: Vec<String> = printed.lines().map(str::to_owned).collect();
    (!compare::same_text(&block.lines, &printed)).then_some((block.line, printed))
}

/// The block is the whole document, or the member that stands behind `json` in its info string.
fn json_changes(
    page: &Page,
    block: &Block,
    last: Option<&Outcome>,
) -> Option<(usize, Vec<String>)> {
    let mut printed = command_above(page, block, last).json();
    if let Some((_, member)) = block.info.split_once(' ') {
        printed = printed[member].take();
    }
    let same = serde_json::from_str::<Value>(&block.lines.join("\n"))
        .is_ok_and(|documented| compare::same_shape(&documented, &printed));
    let new = || format!("{printed:#}").lines().map(str::to_owned).collect();
    (!same).then(|| (block.line, new()))
}

fn command_above<'a>(page: &Page, block: &Block, last: Option<&'a Outcome>) -> &'a Outcome {
    last.unwrap_or_else(|| {
        panic!(
            "{}, line {}: no command above has this output",
            page.name, block.line
        )
    })
}

/// A synopsis is the function's own declaration, in any layout.
fn assert_synopsis(reader: &Reader, block: &Block) {
    let synopsis = block.lines.join(" ");
    let name = synopsis.split('(').next().unwrap_or_default().trim();
    let declared = reader.value(&format!(
        "SELECT format('%s(%s) RETURNS %s', proname, pg_get_function_arguments(oid), pg_get_function_result(oid))
         FROM pg_proc WHERE proname = '{name}'"
    ));
    let compact = |text: &str| {
        text.replace("::text", "")
            .replace("::bigint", "")
            .replace("::integer", "")
            .split_whitespace()
            .collect::<String>()
    };
    assert_eq!(
        compact(&synopsis),
        compact(&declared),
        "{}, line {}",
        reader.page,
        block.line
    );
}
