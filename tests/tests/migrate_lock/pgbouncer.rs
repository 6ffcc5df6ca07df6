//! A private PgBouncer in front of a test server.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use ext_registry_tests::{Server, wait_until, workspace_root};
use postgres::{Config, NoTls};

/// Stopped with this value.
pub struct PgBouncer {
    child: Child,
    folder: PathBuf,
    port: u16,
}

/// Where to find the program: `PGBOUNCER`, else the copy that `make test` unpacks, else the system's.
fn program() -> Option<PathBuf> {
    let given = std::env::var_os("PGBOUNCER").map(PathBuf::from);
    let home = std::env::var_os("SERVER_HOME")
        .map_or_else(|| workspace_root().join(".build"), PathBuf::from);
    let unpacked = home.join("pgbouncer/usr/sbin/pgbouncer");
    given
        .into_iter()
        .chain([unpacked, "/usr/sbin/pgbouncer".into()])
        .find(|path| path.exists())
}

impl PgBouncer {
    /// None, with a word on stderr, where there is no PgBouncer on this machine.
    pub fn start(server: &Server, mode: &str, pool_size: u32) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: no pgbouncer here (set PGBOUNCER to its path)");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let folder = std::env::temp_dir().join(format!("pgbouncer.{}.{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let users = folder.join("users");
        fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        let settings = folder.join("pgbouncer.ini");
        fs::write(
            &settings,
            format!(
                "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {mode}\n\
                 default_pool_size = {pool_size}\nserver_reset_query_always = 0\n",
                server.sockets().display(),
                server.port(),
                users.display(),
            ),
        )
        .unwrap();
        // Unpacked from its package it has a library of its own beside it.
        let libraries = program.ancestors().nth(2).map(|usr| usr.join("lib"));
        let libraries: Vec<_> = libraries
            .and_then(|lib| fs::read_dir(lib).ok())
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.join("libcares.so.2").exists())
            .collect();
        let mut command = Command::new(&program);
        command
            .arg("--quiet")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(libraries) = libraries.first() {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        // It refuses to run as root; 65534 is nobody.
        if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
        {
            command.uid(65534).gid(65534);
        }
        let bouncer = Self {
            child: command.spawn().unwrap(),
            folder,
            port,
        };
        wait_until("PgBouncer answers", || {
            bouncer.config("postgres").connect(NoTls).is_ok()
        });
        Some(bouncer)
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user("postgres")
            .dbname(database);
        config
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
