//! The parts of a page that a test has something to do with.

use std::fs;
use std::path::{Path, PathBuf};

use ext_registry_tests::workspace_root;

/// A page of the documentation.
pub struct Page {
    /// Path from the workspace's root.
    pub name: String,
    pub text: String,
}

/// A fenced block, or a comment that directs the test and does not show in the page.
#[derive(Debug)]
pub enum Part {
    Block(Block),
    /// `<!-- database: old -->`: go on in a new database of this kind.
    Database(String),
    /// `<!-- run: command -->`: run it; the output block that follows is its output.
    Run(String),
}

#[derive(Debug)]
pub struct Block {
    /// What stands behind the opening fence.
    pub info: String,
    /// Line number of the opening fence, from 1.
    pub line: usize,
    pub lines: Vec<String>,
}

/// README.md and every page in doc/.
pub fn pages() -> Vec<Page> {
    let root = workspace_root();
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("doc"))
        .expect("there is a folder doc")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files.insert(0, root.join("README.md"));
    files.iter().map(|file| Page::read(file)).collect()
}

/// The page of this name.
pub fn page(name: &str) -> Page {
    Page::read(&workspace_root().join(name))
}

impl Page {
    fn read(file: &Path) -> Self {
        let name = file.strip_prefix(workspace_root()).unwrap_or(file);
        let text = fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        Self {
            name: name.display().to_string(),
            text,
        }
    }

    /// Every part, in order.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                let lines = lines
                    .by_ref()
                    .map(|(_, line)| line)
                    .take_while(|line| *line != "```")
                    .map(str::to_owned)
                    .collect();
                parts.push(Part::Block(Block {
                    info: info.to_owned(),
                    line: number + 1,
                    lines,
                }));
            } else if let Some(kind) = directive(line, "database") {
                parts.push(Part::Database(kind));
            } else if let Some(command) = directive(line, "run") {
                parts.push(Part::Run(command));
            }
        }
        parts
    }

    /// The lines outside of fenced blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut inside = false;
        self.text
            .lines()
            .filter(|line| {
                let fence = line.starts_with("```");
                inside ^= fence;
                !inside && !fence
            })
            .collect()
    }

    /// Writes blocks back: each with the number of its opening fence.
    pub fn replace(&self, blocks: &[(usize, Vec<String>)]) {
        let mut lines: Vec<String> = Vec::new();
        let mut old = self.text.lines().enumerate();
        while let Some((number, line)) = old.next() {
            lines.push(line.to_owned());
            let new = blocks.iter().find(|(start, _)| *start == number + 1);
            if let Some((_, new)) = new {
                old.by_ref().find(|(_, line)| *line == "```");
                let last = new.iter().rposition(|line| !line.trim().is_empty());
                let new = &new[..last.map_or(0, |last| last + 1)];
                lines.extend(new.iter().map(|line| line.trim_end().to_owned()));
                lines.push("```".to_owned());
            }
        }
        fs::write(workspace_root().join(&self.name), lines.join("\n") + "\n")
            .expect("the page can be written");
    }
}

fn directive(line: &str, name: &str) -> Option<String> {
    let text = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    let (found, argument) = text.split_once(": ")?;
    (found == name).then(|| argument.to_owned())
}
