//! The PostgreSQL installation the tests use: the private copy that `make` has prepared.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Programs, and who may run a server where.
#[derive(Clone, Debug)]
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
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let server_ids = is_root.then(|| {
            let user = setting("SERVER_USER").unwrap_or_else(|| "nobody".to_owned());
            (id_of(&user, "-u"), id_of(&user, "-g"))
        });
        Self {
            bin: bin_of(Path::new(&pg_config)),
            data_parent: setting("SERVER_DATA").map_or_else(std::env::temp_dir, PathBuf::from),
            server_ids,
        }
    }

    /// Another PostgreSQL, whose servers run as the same user in the same place.
    pub fn with(&self, pg_config: &Path) -> Self {
        Self {
            bin: bin_of(pg_config),
            ..self.clone()
        }
    }

    /// Folder of the programs.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// A program of this installation with no setting from the caller's environment.
    pub fn program(&self, name: &str) -> Command {
        let path = self.bin.join(name);
        assert!(
            path.exists(),
            "{} is missing: run `make test`",
            path.display()
        );
        let mut command = Command::new(path);
        without_settings(&mut command);
        command
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

/// The folder of the server's extensions.
///
/// # Panics
/// When `pg_config` does not run.
#[must_use]
pub fn extension_folder() -> PathBuf {
    let printed = program("pg_config").arg("--sharedir").output();
    let folder = String::from_utf8(printed.expect("pg_config runs").stdout).expect("UTF-8");
    PathBuf::from(folder.trim()).join("extension")
}

/// A program of the tested installation (`psql`, `pg_dump`, …) with no setting from the caller's environment.
///
/// # Panics
/// When the set-up has not run.
#[must_use]
pub fn program(name: &str) -> Command {
    Installation::get().program(name)
}

/// `pg_config` of the PostgreSQL of this major version that the set-up has prepared beside the one under test, with
/// the extension. None, with a printed word, where it has not.
#[must_use]
pub fn other_server(major: u32) -> Option<PathBuf> {
    let prepared = fs::read_to_string(workspace_root().join(".build/other-servers"));
    let found = prepared.unwrap_or_default().lines().find_map(|line| {
        let (number, pg_config) = line.split_once(' ')?;
        (number == major.to_string()).then(|| PathBuf::from(pg_config))
    });
    if found.is_none() {
        eprintln!("skipped: there is no PostgreSQL {major} in .build (make other-servers)");
    }
    found
}

/// Whether the PostgreSQL under test was built with TLS. Prints a word where it was not.
#[must_use]
pub fn built_with_tls() -> bool {
    let built = run_for_line(program("pg_config").arg("--configure")).contains("openssl");
    if !built {
        println!("skipped: this PostgreSQL was built without TLS");
    }
    built
}

/// Whether the PostgreSQL under test was built with ICU, the one provider of collations that are not deterministic.
/// Prints a word where it was not.
#[must_use]
pub fn built_with_icu() -> bool {
    let built = run_for_line(program("pg_config").arg("--configure")).contains("--with-icu");
    if !built {
        println!("skipped: this PostgreSQL was built without ICU");
    }
    built
}

/// Whether the PostgreSQL under test comes with this extension of its own. Prints a word where it does not.
///
/// # Panics
/// When `pg_config` does not run.
#[must_use]
pub fn comes_with(extension: &str) -> bool {
    let folder = PathBuf::from(run_for_line(program("pg_config").arg("--sharedir")));
    let found = folder
        .join(format!("extension/{extension}.control"))
        .exists();
    if !found {
        println!("skipped: this PostgreSQL comes without {extension}");
    }
    found
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

fn bin_of(pg_config: &Path) -> PathBuf {
    run_for_line(Command::new(pg_config).arg("--bindir")).into()
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
