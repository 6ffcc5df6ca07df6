//! Follows a page as a reader would: every command, one after the other, against a database made for the page.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

use ext_registry_tests::{Database, Outcome, Server, ext_migrate, old_schema, workspace_root};

use crate::markdown::Page;
use crate::{session, shell};

/// A reader of one page.
pub struct Reader {
    pub page: String,
    database: Database<'static>,
    /// For the files that commands of the page write; gone with this value.
    pub folder: PathBuf,
}

impl Reader {
    /// Begins in a migrated database.
    pub fn new(page: &Page) -> Self {
        create_roles();
        let file = page.name.replace('/', "-");
        let folder = std::env::temp_dir().join(format!("{file}.{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder can be made");
        Self {
            page: page.name.clone(),
            database: Server::shared().migrated_database(),
            folder,
        }
    }

    /// Goes on in a new database: `migrated`, `empty`, or `old` with the schema and rows of a deployment of many years.
    pub fn change_database(&mut self, kind: &str) {
        self.database = match kind {
            "migrated" => Server::shared().migrated_database(),
            "empty" | "old" => Server::shared().empty_database(),
            other => panic!("{}: there is no database {other:?}", self.page),
        };
        if kind == "old" {
            let sql = old_schema::old_schema(&[]) + old_schema::old_rows();
            let mut client = self.database.client();
            client.batch_execute(&sql).expect("the old schema is SQL");
        }
    }

    /// What psql prints for each statement.
    pub fn session(&self, statements: &[session::Statement]) -> Vec<Vec<String>> {
        session::run(self.database.program("psql"), statements)
    }

    /// Runs SQL that must succeed.
    pub fn sql(&self, sql: &str) {
        let mut psql = self.database.program("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
        with_input(psql, sql).succeeded();
    }

    /// Runs one command of a shell.
    pub fn shell(&self, command: &str) -> Outcome {
        // psql, pg_dump and so on of the tested server, and the ext-migrate under test, come first in PATH.
        let psql = self.database.program("psql");
        let migrate = ext_migrate();
        let folder = |command: &Command| {
            let path = PathBuf::from(command.get_program());
            path.parent().expect("a program is in a folder").to_owned()
        };
        let path = std::env::join_paths([
            folder(&psql),
            folder(&migrate),
            "/usr/bin".into(),
            "/bin".into(),
        ]);
        let mut sh = Command::new("/bin/sh");
        for (name, value) in psql.get_envs() {
            match value {
                Some(value) => sh.env(name, value),
                None => sh.env_remove(name),
            };
        }
        sh.args(["-c", command])
            .env("PATH", path.expect("no folder has a colon in its name"))
            .env("DATABASE_URL", self.database.url())
            .env("BACKUP", self.folder.join("registry.dump"))
            .env("SIGNER", &self.folder)
            .env("AUDITOR", &self.folder)
            .current_dir(workspace_root())
            .stdin(Stdio::null())
            .output()
            .expect("there is a shell")
            .into()
    }

    /// The query's only value.
    pub fn value(&self, query: &str) -> String {
        let row = self.database.client().query_one(query, &[]);
        row.unwrap_or_else(|error| panic!("{query}: {error:?}"))
            .get(0)
    }

    /// Runs the lines of a shell block; gives the outcome of the last command.
    pub fn shell_block(&self, lines: &[String]) -> Option<Outcome> {
        shell::run(self, lines)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The roles that the pages grant something to.
fn create_roles() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for role in ["ci", "web", "cron", "auditor"] {
            Server::shared().administer(&format!("CREATE ROLE {role}"));
        }
    });
}

/// Runs a program with this text as its input.
pub fn with_input(mut command: Command, input: &str) -> Outcome {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    stdin
        .write_all(input.as_bytes())
        .expect("it reads its input");
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}
