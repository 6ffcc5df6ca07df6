//! One database of a test.

use std::process::Command;

use postgres::{Client, Config, NoTls};

use crate::ext_migrate::ext_migrate_on;
use crate::{Outcome, Server};

/// A database that is dropped with this value, unless it is kept.
pub struct Database<'server> {
    server: &'server Server,
    name: String,
    kept: bool,
}

impl<'server> Database<'server> {
    pub(crate) fn new(server: &'server Server, name: String) -> Self {
        Self {
            server,
            name,
            kept: false,
        }
    }

    /// Leaves it on the server, where [`Server::kept_database`] finds it by the name that this gives.
    #[must_use]
    pub fn keep(mut self) -> String {
        self.kept = true;
        self.name.clone()
    }

    pub(crate) fn kept(server: &'server Server, name: String) -> Self {
        Self {
            server,
            name,
            kept: true,
        }
    }

    /// The server it lives on.
    #[must_use]
    pub fn server(&self) -> &'server Server {
        self.server
    }

    /// Its name, which needs no quotes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A superuser's connection.
    #[must_use]
    pub fn client(&self) -> Client {
        self.server.client(&self.name)
    }

    /// A connection as this role.
    ///
    /// # Panics
    /// When the role cannot log in.
    #[must_use]
    pub fn client_as(&self, role: &str) -> Client {
        self.config()
            .user(role)
            .connect(NoTls)
            .unwrap_or_else(|error| panic!("cannot connect to {} as {role}: {error:?}", self.name))
    }

    /// How to connect: the superuser, through the socket. Change what the test needs.
    #[must_use]
    pub fn config(&self) -> Config {
        self.server.config(&self.name)
    }

    /// The same as a URL that libpq understands too.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// The URL for another role.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        self.url().replacen("//postgres@", &format!("//{role}@"), 1)
    }

    /// Creates a role that can log in and gives its name: `test_7_reader`. Roles belong to the whole server, so the
    /// name holds that of the database; they stay until the server goes.
    pub fn create_role(&self, suffix: &str) -> String {
        self.create_role_with(suffix, "")
    }

    /// The same with further clauses of CREATE ROLE: `PASSWORD 'secret'`, `IN ROLE …`.
    pub fn create_role_with(&self, suffix: &str, clauses: &str) -> String {
        let role = format!("{}_{suffix}", self.name);
        self.server
            .administer(&format!("CREATE ROLE {role} LOGIN {clauses}"));
        role
    }

    /// Runs `ext-migrate` with these arguments, followed by `--database-url` of this database.
    #[must_use]
    pub fn ext_migrate(&self, arguments: &[&str]) -> Outcome {
        ext_migrate_on(&self.url(), arguments)
    }

    /// A program of the server's installation that connects to this database: `psql`, `pg_dump`, …
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = self.server.program(name);
        command
            .env("PGHOST", self.server.sockets())
            .env("PGPORT", self.server.port().to_string())
            .env("PGUSER", "postgres")
            .env("PGDATABASE", &self.name)
            .current_dir(crate::workspace_root());
        command
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // The server may be down in a crash test, and goes with the process anyway.
        if let Ok(mut client) = self.server.config("postgres").connect(NoTls) {
            let _ = client.batch_execute(&format!(
                "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                self.name
            ));
        }
    }
}
