//! What holds for the source itself; needs no server.

use std::fs;
use std::path::{Path, PathBuf};

use ext_registry_tests::workspace_root;

/// The one module that may say `unsafe`, with its parts.
const UNSAFE: [&str; 2] = ["pg_ext/src/ffi.rs", "pg_ext/src/ffi/"];

/// What ends a session or a deploy, where an error would do. `unreachable!` with a reason gives its own.
const PANICS: &[&str] = &[
    ".unwrap()",
    ".expect(",
    ".unwrap_err()",
    ".expect_err(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
];

/// The Rust files below these folders, with their text.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders
        .iter()
        .map(|folder| workspace_root().join(folder))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((name_of(&path), text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(workspace_root())
        .unwrap()
        .display()
        .to_string()
}

/// The line without its comment and without the contents of its strings.
fn code(line: &str) -> String {
    let mut code = String::new();
    let mut characters = line.chars().peekable();
    let mut in_string = false;
    while let Some(c) = characters.next() {
        match c {
            '\\' if in_string => drop(characters.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && characters.peek() == Some(&'/') => break,
            _ if in_string => {}
            _ => code.push(c),
        }
    }
    code
}

fn is_unsafe(line: &str) -> bool {
    code(line)
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == "unsafe")
}

#[test]
fn unsafe_is_in_one_module_and_each_block_says_why_it_is_sound() {
    let mut blocks = 0;
    for (file, text) in sources(&["pg_ext", "migrator", "tests"]) {
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if !is_unsafe(line) || line.contains("unsafe_op_in_unsafe_fn") {
                continue;
            }
            assert!(
                UNSAFE.iter().any(|part| file.starts_with(part)),
                "{file}, line {}: {line}",
                number + 1
            );
            // The declaration of a function says nothing; its body does.
            if code(line).contains("unsafe extern") || code(line).contains("unsafe fn") {
                continue;
            }
            blocks += 1;
            let said = lines[number.saturating_sub(4)..number]
                .iter()
                .any(|line| line.trim_start().starts_with("// SAFETY:"));
            assert!(
                said,
                "{file}, line {}: no SAFETY comment: {line}",
                number + 1
            );
        }
    }
    // More of them should be noticed, here and in a review.
    assert_eq!(blocks, UNSAFE_BLOCKS, "unsafe blocks in {UNSAFE:?}");
}

const UNSAFE_BLOCKS: usize = 39;

#[test]
fn nothing_panics_outside_tests_without_saying_why_it_cannot() {
    for (file, text) in sources(&[
        "pg_ext/src",
        "pg_ext/core/src",
        "migrator/src",
        "migrator/connect/src",
    ]) {
        if file.contains("/tests") || file.ends_with("server_tests.rs") {
            continue;
        }
        let mut before = "";
        for (number, line) in text.lines().enumerate() {
            // Tests come last in a file.
            if line.trim() == "#[cfg(test)]"
                && text
                    .lines()
                    .nth(number + 1)
                    .is_some_and(|next| next.contains("mod tests {"))
            {
                break;
            }
            if PANICS.iter().any(|call| code(line).contains(call))
                || line.contains("unreachable!()")
            {
                let explained = [line, before]
                    .iter()
                    .any(|line| line.contains("//") && line.to_lowercase().contains("cannot"));
                assert!(explained, "{file}, line {}: {line}", number + 1);
            }
            before = line;
        }
    }
}
