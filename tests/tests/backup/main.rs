//! A registry of many years is dumped and restored in every way there is. Afterwards it is what it was, or `check`
//! names what the restore has weakened and `up` mends it.

mod data_only;
mod ddl_guard;
mod owner;
mod schema_only;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ext_registry_tests::{Contents, Database, Outcome, Server};
use serde_json::Value;

/// The registry that the tests dump: nobody changes it.
struct Original {
    db: Database<'static>,
    contents: Contents,
}

impl Original {
    fn get() -> &'static Self {
        static ORIGINAL: OnceLock<Original> = OnceLock::new();
        ORIGINAL.get_or_init(|| {
            let db = Server::shared().registry_of_many_years();
            let contents = Contents::of(&mut db.client());
            assert_eq!(contents.row_count(), 6 + 202 + 302 + 40);
            Self { db, contents }
        })
    }

    /// `pg_dump` with these arguments into a file or folder of its own.
    fn dump(arguments: &[&str]) -> Dump {
        Dump::of(&Self::get().db, arguments)
    }
}

/// Gone with this value.
struct Dump {
    folder: PathBuf,
    path: PathBuf,
}

impl Dump {
    fn of(db: &Database, arguments: &[&str]) -> Self {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("ext_registry-dump.{}.{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        let path = folder.join("dump");
        let mut pg_dump = db.program("pg_dump");
        let _ = run(pg_dump.args(arguments).arg("--file").arg(&path)).succeeded();
        Self { folder, path }
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// Restores a script.
    fn psql(&self, db: &Database) -> Outcome {
        let mut psql = db.program("psql");
        run(psql
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set",
                "ON_ERROR_STOP=1",
                "--file",
            ])
            .arg(&self.path))
    }

    /// Restores an archive.
    fn pg_restore(&self, db: &Database, arguments: &[&str]) -> Outcome {
        self.pg_restore_with(db, arguments, "")
    }

    /// The same with settings for its sessions: `-c name=value`.
    fn pg_restore_with(&self, db: &Database, arguments: &[&str], settings: &str) -> Outcome {
        let mut pg_restore = db.program("pg_restore");
        run(pg_restore
            .args(["--dbname", db.name()])
            .args(arguments)
            .arg(&self.path)
            .env("PGOPTIONS", settings))
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What lets old rows in.
const AS_REPLICA: &str = "-c session_replication_role=replica";

/// For `pg_restore`: the four tables of the contract, without the history.
const TABLES: [&str; 4] = [
    "--table=extension_registry",
    "--table=extension_version",
    "--table=extension_bundle",
    "--table=tenant_extension_install",
];

fn run(command: &mut Command) -> Outcome {
    command.output().expect("the program starts").into()
}

/// The codes of what `check` reports, each once.
fn codes(db: &Database, exit_code: i32) -> Vec<String> {
    let report = db
        .ext_migrate(&["check", "--format", "json"])
        .exited(exit_code)
        .json();
    let findings = report["findings"].as_array().unwrap();
    let code = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
    let mut codes: Vec<_> = findings.iter().map(code).collect();
    codes.sort();
    codes.dedup();
    codes
}
