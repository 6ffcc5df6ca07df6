//! Commands for a shell, one to a line.

use std::fs;

use ext_registry_tests::{Outcome, workspace_root};

use crate::reader::Reader;

/// Runs every command; each exits with 0, or with what a comment behind it says: `# exit code 8`.
pub fn run(reader: &Reader, lines: &[String]) -> Option<Outcome> {
    let mut last = None;
    for line in joined(lines) {
        let (command, comment) = match line.split_once(" # ") {
            Some((command, comment)) => (command.trim(), comment),
            None => (line.trim(), ""),
        };
        if command.is_empty() || command.starts_with('#') {
            continue;
        }
        if let Some(arguments) = command.strip_prefix("make") {
            assert_targets_exist(&reader.page, arguments);
            continue;
        }
        let code = match comment.strip_prefix("exit code ") {
            Some(rest) => {
                let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
                digits
                    .and_then(|digits| digits.parse().ok())
                    .expect("an exit code is a number")
            }
            None => 0,
        };
        let outcome = reader.shell(command);
        assert!(
            outcome.code == code,
            "{}: `{command}` ends with {}, not {code}\n{}{}",
            reader.page,
            outcome.code,
            outcome.stdout,
            outcome.stderr
        );
        last = Some(outcome);
    }
    last
}

/// Lines that end with a backslash go on in the next.
fn joined(lines: &[String]) -> Vec<String> {
    let text = lines.join("\n").replace("\\\n", " ");
    text.lines().map(str::to_owned).collect()
}

fn assert_targets_exist(page: &str, arguments: &str) {
    let makefile =
        fs::read_to_string(workspace_root().join("Makefile")).expect("there is a Makefile");
    let targets = arguments
        .split_whitespace()
        .filter(|argument| !argument.contains('='));
    for target in targets {
        assert!(
            makefile
                .lines()
                .any(|line| line.starts_with(&format!("{target}:"))),
            "{page}: there is no `make {target}`"
        );
    }
}
