//! A program in tests/apps and how it is run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ext_registry_tests::{Outcome, workspace_root};

pub struct Program {
    /// Below tests/apps.
    pub file: &'static str,
    /// The extension that it publishes.
    pub name: &'static str,
    runtime: Runtime,
}

enum Runtime {
    Python,
    Node,
    Java,
    /// The binary that Cargo has built.
    Binary(&'static str),
}

pub const PSYCOPG: Program = Program {
    file: "python/with_psycopg.py",
    name: "psycopg",
    runtime: Runtime::Python,
};
pub const SQLALCHEMY: Program = Program {
    file: "python/with_sqlalchemy.py",
    name: "sqlalchemy",
    runtime: Runtime::Python,
};
pub const DJANGO: Program = Program {
    file: "python/with_django.py",
    name: "django",
    runtime: Runtime::Python,
};
pub const NODE_POSTGRES: Program = Program {
    file: "node/with_node_postgres.js",
    name: "node-postgres",
    runtime: Runtime::Node,
};
pub const KNEX: Program = Program {
    file: "node/with_knex.js",
    name: "knex",
    runtime: Runtime::Node,
};
pub const TOKIO_POSTGRES: Program = Program {
    file: "rust/with_tokio_postgres.rs",
    name: "tokio-postgres",
    runtime: Runtime::Binary(env!("CARGO_BIN_EXE_with_tokio_postgres")),
};
pub const SQLX: Program = Program {
    file: "rust/with_sqlx.rs",
    name: "sqlx",
    runtime: Runtime::Binary(env!("CARGO_BIN_EXE_with_sqlx")),
};
pub const JDBC: Program = Program {
    file: "java/WithJdbc.java",
    name: "jdbc",
    runtime: Runtime::Java,
};

pub const ALL: [&Program; 8] = [
    &PSYCOPG,
    &SQLALCHEMY,
    &DJANGO,
    &NODE_POSTGRES,
    &KNEX,
    &TOKIO_POSTGRES,
    &SQLX,
    &JDBC,
];

impl Program {
    pub fn path(&self) -> PathBuf {
        workspace_root().join("tests/apps").join(self.file)
    }

    pub fn source(&self) -> String {
        let path = self.path();
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs it to its end, which must be a good one; `None` where what it runs with could not be installed.
    pub fn run(&self, url: &str) -> Option<Said> {
        let Some(mut command) = self.command(url) else {
            eprintln!(
                "skipped: tests/apps/{} needs what tests/setup/app-runtimes.sh could not install",
                self.file
            );
            return None;
        };
        let outcome: Outcome = command.output().expect("the program starts").into();
        Some(Said(outcome.succeeded().stdout))
    }

    fn command(&self, url: &str) -> Option<Command> {
        let path = self.path();
        let mut command = match self.runtime {
            Runtime::Python => {
                // Its list comes last: a folder without one is of an installation that failed.
                let folder = installed("python/requirements.txt")?.with_file_name("bin");
                let mut python = Command::new(folder.join("python"));
                python.arg(path).arg(url);
                python
            }
            Runtime::Node => {
                // A module finds what it imports in the folders above it.
                let folder = installed("node/node_modules")?.with_file_name("");
                let copy = folder.join(path.file_name()?);
                fs::copy(&path, &copy).expect("the program can be copied");
                let node = installed("nodejs/bin/node").unwrap_or_else(|| "node".into());
                let mut node = Command::new(node);
                node.arg(copy).arg(url);
                node
            }
            Runtime::Java => {
                let jars = installed("java/usr/share/java")?.join("*");
                // A runtime alone would not take the program's source.
                Command::new("javac").arg("-version").output().ok()?;
                let mut java = Command::new("java");
                java.arg("-cp")
                    .arg(jars)
                    .arg(path)
                    .arg(format!("jdbc:{}", user_as_parameter(url)));
                java
            }
            Runtime::Binary(binary) => {
                let mut program = Command::new(binary);
                program.arg(url);
                program
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        Some(command)
    }
}

/// pgJDBC takes the user from a parameter only.
fn user_as_parameter(url: &str) -> String {
    let (user, rest) = url
        .trim_start_matches("postgresql://")
        .split_once('@')
        .expect("the URL names a user");
    let separator = if rest.contains('?') { '&' } else { '?' };
    format!("postgresql://{rest}{separator}user={user}")
}

fn installed(what: &str) -> Option<PathBuf> {
    let path = workspace_root().join(".build/apps").join(what);
    path.exists().then_some(path)
}

/// What a program has printed: lines `name: value`.
pub struct Said(String);

impl Said {
    /// The values of every line of this name, in order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.0.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .collect()
    }
}
