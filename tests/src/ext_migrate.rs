//! Runs the real `ext-migrate` binary.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::installation::without_settings;

/// What a program left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Everything it wrote to stdout.
    pub stdout: String,
    /// Everything it wrote to stderr.
    pub stderr: String,
}

impl Outcome {
    /// Asserts exit code 0.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        self.exited(0)
    }

    /// Asserts this exit code.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert!(
            self.code == code,
            "exit code {}, not {code}\nstdout: {}\nstderr: {}",
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Stdout as one JSON document.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command for `ext-migrate` (that of `EXT_MIGRATE`, where it is set) with no settings from the caller's environment.
///
/// # Panics
/// When the binary has not been built.
#[must_use]
pub fn ext_migrate() -> Command {
    match std::env::var_os("EXT_MIGRATE") {
        Some(path) => command(path.into()),
        None => command(built("ext-migrate")),
    }
}

fn command(path: PathBuf) -> Command {
    assert!(
        path.exists(),
        "{} is missing: run `make build`",
        path.display()
    );
    let mut command = Command::new(path);
    without_settings(&mut command);
    command
}

pub(crate) fn ext_migrate_on(url: &str, arguments: &[&str]) -> Outcome {
    let output = ext_migrate()
        .args(arguments)
        .args(["--database-url", url])
        .output();
    output.expect("ext-migrate starts").into()
}

/// With the migrations of a folder instead of its own.
pub(crate) fn ext_migrate_with(folder: &str, url: &str, arguments: &[&str]) -> Outcome {
    let output = command(built("ext_migrate_with"))
        .arg(folder)
        .args(arguments)
        .args(["--database-url", url])
        .output();
    output.expect("it starts").into()
}

/// A binary in the target folder that holds the running test.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the running test has a path");
    let deps = test.parent().expect("it is in a folder");
    deps.parent().unwrap_or(deps).join(name)
}
