//! What a server of one's own can differ in.

use std::path::PathBuf;

/// Settings of a server started with [`Server::start`](crate::Server::start).
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Survive a crash: needed where a test kills the server and looks at what is left. Off otherwise, for speed.
    pub fsync: bool,
    /// Further lines for `postgresql.conf`.
    pub conf: Vec<String>,
    /// `NAME=value` in the environment of the server, which is else empty.
    pub environment: Vec<String>,
    /// Lines for `pg_hba.conf` that come before those that let everybody in.
    pub hba: Vec<String>,
    /// Further arguments for `initdb`, which is run with `--encoding=UTF8 --locale=C.UTF-8`. A single database
    /// in another encoding needs no server of its own: see [`Server::database_with`](crate::Server::database_with).
    pub initdb: Vec<String>,
    /// Another PostgreSQL than the one under test: see [`other_server`](crate::other_server).
    pub pg_config: Option<PathBuf>,
    /// Listen on 127.0.0.1 too.
    pub tcp: bool,
    /// Speak TLS on that address, with a certificate for `localhost` and 127.0.0.1. Implies `tcp`.
    pub tls: bool,
}

impl Options {
    /// The lines appended to `postgresql.conf`.
    pub(crate) fn configuration(&self, sockets: &str, port: u16) -> String {
        let mut lines = vec![
            format!("unix_socket_directories = '{sockets}'"),
            format!("port = {port}"),
            format!(
                "listen_addresses = '{}'",
                if self.listens() { "127.0.0.1" } else { "" }
            ),
            // Enough for the tests that let many clients race, beside each other.
            "max_connections = 300".to_owned(),
            "shared_buffers = 64MB".to_owned(),
            "log_line_prefix = '%m [%p] %q%u@%d '".to_owned(),
        ];
        if !self.fsync {
            lines.push("fsync = off".to_owned());
            lines.push("full_page_writes = off".to_owned());
        }
        if self.tls {
            lines.push("ssl = on".to_owned());
        }
        lines.extend(self.conf.iter().cloned());
        lines.join("\n") + "\n"
    }

    /// The contents of `pg_hba.conf`.
    pub(crate) fn host_based_authentication(&self) -> String {
        let mut lines = self.hba.clone();
        for kind in [
            "local all all trust",
            "host all all 127.0.0.1/32 trust",
            "local replication all trust",
        ] {
            lines.push(kind.to_owned());
        }
        lines.join("\n") + "\n"
    }

    pub(crate) fn listens(&self) -> bool {
        self.tcp || self.tls
    }
}
