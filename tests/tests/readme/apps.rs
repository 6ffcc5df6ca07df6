//! Programs in other languages: the page shows a part of each. The test `drivers` runs the whole.

use std::fs;

use ext_registry_tests::workspace_root;

use crate::markdown::{Block, Page};

/// Asserts that the block is the marked part of the program.
pub fn assert_extract(page: &Page, block: &Block) {
    let file = match block.info.as_str() {
        "python" => "python/with_psycopg.py",
        "js" => "node/with_node_postgres.js",
        "rust" => "rust/with_tokio_postgres.rs",
        "java" => "java/WithJdbc.java",
        other => panic!("no program in {other}"),
    };
    let path = workspace_root().join("tests/apps").join(file);
    let program = fs::read_to_string(&path).expect("the program can be read");
    assert_eq!(
        block.lines.join("\n").trim(),
        marked(&program).trim(),
        "{}, line {}: not what tests/apps/{file} says between its marks",
        page.name,
        block.line,
    );
}

/// The lines between the marks, without the indentation that they share with the first of them.
fn marked(program: &str) -> String {
    let lines = program.lines();
    let mut lines = lines.skip_while(|line| !line.ends_with("README: begin"));
    let mark = lines.next().expect("the program has a mark");
    let indentation = &mark[..mark.len() - mark.trim_start().len()];
    let part: Vec<&str> = lines
        .take_while(|line| !line.ends_with("README: end"))
        .map(|line| line.strip_prefix(indentation).unwrap_or(line))
        .collect();
    part.join("\n")
}
