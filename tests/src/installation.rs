//! The PostgreSQL installation the tests use: the private copy that `make` has prepared.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Programs, and who may run a server where.
pub(crate) struct Installation {
    bin: PathBuf,
    /// Directory that holds the data of the servers; writable for the server user.
    pub data_parent: PathBuf,
    /// User and group of the servers, when they must not run as the user of the tests (root).
    pub server_ids: Option<(u32, u32)>,
}

impl Installation {
    pub fn get() -> &'static Self {
        static INSTALLATION: OnceLock<Installation> = OnceLock::new();
        INSTALLATION.get_or_init(Self::find)
    }

    /// What the environment says, else what the set-up has written to `.build/env`.
    fn find() -> Self {
        let written = written_settings();
        let setting = |name: &str| {
            std::env::var(name)
                .ok()
                .or_else(|| written.get(name).cloned())
        };

        let Some(pg_config) = setting("PG_CONFIG") else {
            panic!("no PostgreSQL to test on: run `make test`, which prepares one in .build");
        };
        let bin = run_for_line(Command::new(&pg_config).arg("--bindir"));
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let server_ids = is_root.then(|| {
            let user = setting("SERVER_USER").unwrap_or_else(|| "nobody".to_owned());
            (id_of(&user, "-u"), id_of(&user, "-g"))
        });
        Self {
            bin: PathBuf::from(bin),
            data_parent: setting("SERVER_DATA").map_or_else(std::env::temp_dir, PathBuf::from),
            server_ids,
        }
    }

    /// A shell command that runs as the server user and finds the server's programs first.
    pub fn server_shell(&self, script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.bin.display()))
            .env("LC_ALL", "C")
            .current_dir("/");
        if let Some((user, group)) = self.server_ids {
            command.uid(user).gid(group);
        }
        command
    }
}

/// A program of the tested installation (`psql`, `pg_dump`, …) with no setting from the caller's environment.
///
/// # Panics
/// When the set-up has not run.
#[must_use]
pub fn program(name: &str) -> Command {
    let path = Installation::get().bin.join(name);
    assert!(
        path.exists(),
        "{} is missing: run `make test`",
        path.display()
    );
    let mut command = Command::new(path);
    without_settings(&mut command);
    command
}

/// The folder of this workspace.
#[must_use]
pub fn workspace_root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Takes away what would point a client elsewhere or change what it prints.
pub(crate) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PG")
            || text.starts_with("PSQL")
            || text == "DATABASE_URL"
            || text == "RUST_BACKTRACE"
        {
            command.env_remove(&name);
        }
    }
    command.env("PSQLRC", "/dev/null").env("LC_ALL", "C.UTF-8");
}

/// `NAME='value'` lines, as the shell reads them.
fn written_settings() -> HashMap<String, String> {
    fs::read_to_string(workspace_root().join(".build/env"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .collect()
}

fn id_of(user: &str, which: &str) -> u32 {
    let printed = run_for_line(Command::new("id").args([which, user]));
    printed.parse().expect("`id` prints a number")
}

fn run_for_line(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("cannot run {command:?}: {error}; run `make test` to prepare what it needs")
    });
    assert!(output.status.success(), "{command:?} failed: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
