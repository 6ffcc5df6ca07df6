//! One PostgreSQL server and the databases on it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use postgres::{Client, Config, NoTls};

use crate::ext_migrate::ext_migrate_on;
use crate::installation::Installation;
use crate::supervisor::Supervisor;
use crate::{Database, Options, earlier, tls};

const TEMPLATE: &str = "migrated_template";

/// A server that is stopped and removed when this value is dropped or the process ends.
pub struct Server {
    supervisor: Mutex<Supervisor>,
    data: PathBuf,
    log: PathBuf,
    sockets: PathBuf,
    port: u16,
    ca_file: Option<PathBuf>,
    template: OnceLock<()>,
    databases: AtomicUsize,
}

impl Server {
    /// The server that all tests of this binary share. It does not survive a crash; nobody may stop it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&Options::default()))
    }

    /// Starts a server of one's own.
    ///
    /// # Panics
    /// With the server's last words when it does not start.
    #[must_use]
    pub fn start(options: &Options) -> Self {
        let mut new = Self::initialized(options);
        new.get_mut().run("start");
        new
    }

    /// Takes over the databases of `old` with `pg_upgrade`; `options` name another PostgreSQL. The old server is stopped
    /// and must outlive this one's start.
    ///
    /// # Panics
    /// With the words of `pg_upgrade` when it fails.
    #[must_use]
    pub fn upgrade_of(old: &Self, options: &Options) -> Self {
        let mut new = Self::initialized(options);
        let mut supervisor = old.supervisor();
        supervisor.run("stop");
        let (bin, data) = (supervisor.installation.bin().display(), old.data.display());
        new.get_mut().run(&format!("upgrade {bin} {data}"));
        new.get_mut().run("start");
        new
    }

    /// A server that has not been started yet.
    fn initialized(options: &Options) -> Self {
        let installation = Installation::get();
        let installation = match &options.pg_config {
            Some(pg_config) => installation.with(pg_config),
            None => installation.clone(),
        };
        let mut supervisor = Supervisor::start(installation, &options.environment);
        let mut initdb = vec!["initdb", "--encoding=UTF8", "--locale=C.UTF-8"];
        initdb.extend(options.initdb.iter().map(String::as_str));
        supervisor.run(&initdb.join(" "));

        let data = supervisor.data();
        let sockets = supervisor.sockets.clone();
        // The socket's directory is this server's alone: any port will do where nobody listens.
        let port = if options.listens() { free_port() } else { 5432 };
        let sample = fs::read_to_string(data.join("postgresql.conf"))
            .expect("initdb writes postgresql.conf");
        let configuration = options.configuration(&sockets.display().to_string(), port);
        supervisor.write(&data.join("postgresql.conf"), &(sample + &configuration));
        supervisor.write(
            &data.join("pg_hba.conf"),
            &options.host_based_authentication(),
        );
        let ca_file = options.tls.then(|| {
            let certificates = tls::Certificates::create();
            supervisor.write(&data.join("server.crt"), &certificates.server);
            supervisor.write(&data.join("server.key"), &certificates.server_key);
            let ca_file = supervisor.home.join("ca.crt");
            supervisor.write(&ca_file, &certificates.authority);
            ca_file
        });
        Self::of(supervisor, port, ca_file)
    }

    fn of(supervisor: Supervisor, port: u16, ca_file: Option<PathBuf>) -> Self {
        Self {
            data: supervisor.data(),
            log: supervisor.home.join("log"),
            sockets: supervisor.sockets.clone(),
            port,
            ca_file,
            template: OnceLock::new(),
            databases: AtomicUsize::new(0),
            supervisor: Mutex::new(supervisor),
        }
    }

    /// Starts a hot standby of `primary`, which must outlive it.
    ///
    /// # Panics
    /// When it cannot be copied or does not start.
    #[must_use]
    pub fn standby_of(primary: &Self) -> Self {
        let installation = primary.supervisor().installation.clone();
        let mut supervisor = Supervisor::start(installation, &[]);
        let (host, port) = (primary.sockets.display(), primary.port);
        supervisor.run(&format!("basebackup {host} {port}"));
        let configuration = supervisor.data().join("postgresql.conf");
        let copied =
            fs::read_to_string(&configuration).expect("the copy has the primary's configuration");
        let sockets = supervisor.sockets.display();
        let own = format!("unix_socket_directories = '{sockets}'\n");
        supervisor.write(&configuration, &(copied + &own));
        supervisor.run("start");
        Self::of(supervisor, port, None)
    }

    /// Kills every process of the server with SIGKILL at once: no checkpoint, no goodbye. [`Self::restart`] brings it back.
    pub fn kill9(&self) {
        self.supervisor().run("kill");
    }

    /// Starts the server again: after [`Self::kill9`] with crash recovery, else after a fast shutdown.
    pub fn restart(&self) {
        let mut supervisor = self.supervisor();
        if self.is_running() {
            supervisor.run("stop");
        }
        supervisor.run("start");
    }

    /// Process id of the server (the postmaster).
    ///
    /// # Panics
    /// When it is stopped.
    pub fn pid(&self) -> u32 {
        self.recorded_pid().expect("the server runs")
    }

    fn is_running(&self) -> bool {
        // After a SIGKILL the file is still there; a process that is dead but not reaped has no executable.
        self.recorded_pid()
            .is_some_and(|pid| Path::new(&format!("/proc/{pid}/exe")).exists())
    }

    fn recorded_pid(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }

    /// A database as `ext-migrate up` leaves it, in schema `public`, with the extension; from nothing, or from the
    /// release that `EXT_REGISTRY_BEGAN_AS` names.
    ///
    /// # Panics
    /// When `ext-migrate up` fails.
    pub fn migrated_database(&self) -> Database<'_> {
        self.template.get_or_init(|| {
            self.administer(&format!("CREATE DATABASE {TEMPLATE}"));
            if let Some(release) = earlier::release() {
                earlier::begin_as(self, TEMPLATE, &release);
            }
            ext_migrate_on(&self.url(TEMPLATE), &["up"]).succeeded();
        });
        self.database_with(&format!("TEMPLATE {TEMPLATE}"))
    }

    /// A database with nothing in it.
    pub fn empty_database(&self) -> Database<'_> {
        self.database_with("")
    }

    /// A new database made by `CREATE DATABASE … <clauses>`, for example
    /// `TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`.
    pub fn database_with(&self, clauses: &str) -> Database<'_> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.administer(&format!("CREATE DATABASE {name} {clauses}"));
        Database::new(self, name)
    }

    /// A database that is there already: on a standby, or after an upgrade.
    pub fn kept_database(&self, name: &str) -> Database<'_> {
        Database::kept(self, name.to_owned())
    }

    /// Runs one statement as superuser in the database `postgres`.
    ///
    /// # Panics
    /// When it fails.
    pub fn administer(&self, statement: &str) {
        self.client("postgres")
            .batch_execute(statement)
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }

    /// A superuser's connection to the database of this name.
    ///
    /// # Panics
    /// When the server does not accept it.
    pub fn client(&self, database: &str) -> Client {
        self.config(database)
            .connect(NoTls)
            .unwrap_or_else(|error| panic!("cannot connect to {database}: {error:?}"))
    }

    /// How to connect to the database of this name, as superuser through the socket.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.sockets)
            .port(self.port)
            .user("postgres")
            .dbname(database);
        config
    }

    /// The same as a URL that libpq understands too.
    pub fn url(&self, database: &str) -> String {
        let sockets = self.sockets.display().to_string().replace('/', "%2F");
        format!("postgresql://postgres@{sockets}:{}/{database}", self.port)
    }

    /// Directory of the server's socket, for `PGHOST`.
    pub fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Port of the socket, and of 127.0.0.1 where the server listens there.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority that signed the server's certificate, for `sslrootcert`.
    ///
    /// # Panics
    /// When the server does not speak TLS.
    pub fn ca_file(&self) -> &Path {
        self.ca_file.as_deref().expect("started with `tls: true`")
    }

    /// The server's data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("the server has a log")).into_owned()
    }

    /// A program of the server's installation (`psql`, `pg_dump`, …) with no setting from the caller's environment.
    pub fn program(&self, name: &str) -> Command {
        self.supervisor().installation.program(name)
    }

    fn get_mut(&mut self) -> &mut Supervisor {
        self.supervisor
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
    }

    // A test that panicked while it held the lock leaves a supervisor that still listens.
    fn supervisor(&self) -> MutexGuard<'_, Supervisor> {
        self.supervisor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}
