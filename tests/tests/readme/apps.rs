//! Programs in other languages: the page shows a part of each, and the whole of it runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ext_registry_tests::{Outcome, workspace_root};

use crate::markdown::Block;
use crate::reader::Reader;

#[path = "../../apps/publish.rs"]
mod publish;

/// Asserts that the block is the marked part of the program, and runs the program.
pub fn run(reader: &Reader, block: &Block) {
    let file = match block.info.as_str() {
        "python" => "publish.py",
        "js" => "publish.mjs",
        "rust" => "publish.rs",
        other => panic!("no program in {other}"),
    };
    let file = workspace_root().join("tests/apps").join(file);
    let program = fs::read_to_string(&file).expect("the program can be read");
    assert_eq!(
        block.lines.join("\n").trim(),
        marked(&program).trim(),
        "{}, line {}: not what {} says between its marks",
        reader.page,
        block.line,
        file.display()
    );

    let arguments = [file.display().to_string(), reader.url()];
    let said = match block.info.as_str() {
        "python" => installed("python")
            .map(|folder| output(Command::new(folder.join("bin/python")).args(arguments))),
        "js" => installed("node").map(|folder| {
            output(
                Command::new("node")
                    .args(arguments)
                    .arg(folder.join("package.json")),
            )
        }),
        _ => Some(publish::run(&mut reader.client())),
    };
    match said {
        Some(said) => assert!(
            said.contains("version 1.0.0 of acme/") && said.contains("already exists"),
            "{said}"
        ),
        None => eprintln!(
            "skipped: {} needs what tests/setup/app-runtimes.sh could not install",
            file.display()
        ),
    }
}

fn marked(program: &str) -> &str {
    let begin = program
        .find("README: begin\n")
        .expect("the program has a mark");
    let rest = &program[begin + "README: begin\n".len()..];
    let end = rest.find("README: end").expect("the part has an end");
    // Without the comment sign in front of the mark.
    &rest[..rest[..end].rfind('\n').unwrap_or(0)]
}

/// The folder where a language's driver is.
fn installed(language: &str) -> Option<PathBuf> {
    let folder = workspace_root().join(".build/apps").join(language);
    folder.join("ready").exists().then_some(folder)
}

fn output(command: &mut Command) -> String {
    let outcome: Outcome = command.output().expect("the program starts").into();
    outcome.succeeded().stdout
}
