//! A running Citus cluster, named by `CITUS_URL`: a superuser's connection to a database of its coordinator, whose nodes
//! have the same extension files as the private server. Each test has a database of its own on every node.

use std::io::Write;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use ext_registry_tests::{Outcome, ext_migrate};
use postgres::config::Host;
use postgres::{Client, Config, NoTls};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// One database on all nodes; dropped with this value.
pub struct Cluster {
    base: Config,
    /// Host and port of the coordinator, then of the workers.
    nodes: Vec<(String, u16)>,
    name: String,
    roles: Vec<String>,
}

impl Cluster {
    /// With Citus on every node, and all of them known to the coordinator.
    pub fn new() -> Option<Self> {
        let cluster = Self::without_citus()?;
        cluster.add_citus();
        Some(cluster)
    }

    /// Where Citus is yet to come. None, and a word on stderr, where there is no `CITUS_URL`.
    pub fn without_citus() -> Option<Self> {
        let Ok(url) = std::env::var("CITUS_URL") else {
            // Not eprintln!, whose words a test that passes keeps to itself.
            let _ = writeln!(std::io::stderr(), "skipped: CITUS_URL is not set");
            return None;
        };
        let base: Config = url.parse().expect("CITUS_URL is a connection string");
        let mut client = base
            .connect(NoTls)
            .expect("CITUS_URL leads to a coordinator");
        let rows = client
            .query(
                "SELECT nodename, nodeport FROM pg_dist_node WHERE noderole = 'primary' ORDER BY groupid, nodeid",
                &[],
            )
            .expect("the database of CITUS_URL has Citus");
        let nodes: Vec<_> = rows
            .iter()
            .map(|row| {
                let port = row.get::<_, i32>(1);
                (row.get(0), u16::try_from(port).expect("it is a port"))
            })
            .collect();
        assert!(
            nodes.len() >= 3,
            "the coordinator and two workers: {nodes:?}"
        );
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("registry_test_{}_{number}", process::id());
        let cluster = Self {
            base,
            nodes,
            name,
            roles: Vec::new(),
        };
        for node in 0..cluster.nodes.len() {
            cluster.administer(node, &format!("CREATE DATABASE {}", cluster.name));
        }
        Some(cluster)
    }

    pub fn add_citus(&self) {
        for node in 0..self.nodes.len() {
            let mut client = self.node(node);
            client
                .batch_execute("CREATE EXTENSION citus")
                .expect("the node has Citus");
        }
        let mut client = self.client();
        let (host, port) = &self.nodes[0];
        client
            .batch_execute(&format!(
                "ALTER DATABASE {} SET citus.shard_count = 4; SELECT citus_set_coordinator_host('{host}', {port})",
                self.name
            ))
            .expect("the coordinator becomes a node");
        for (host, port) in &self.nodes[1..] {
            client
                .batch_execute(&format!("SELECT citus_add_node('{host}', {port})"))
                .expect("the worker becomes a node");
        }
    }

    /// A superuser's connection to the coordinator.
    pub fn client(&self) -> Client {
        self.connect(self.config(0))
    }

    pub fn client_as(&self, role: &str) -> Client {
        self.connect(self.config(0).user(role).clone())
    }

    /// The same to a node: 0 is the coordinator.
    pub fn node(&self, number: usize) -> Client {
        self.connect(self.config(number))
    }

    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub fn port(&self, node: usize) -> u16 {
        self.nodes[node].1
    }

    /// Creates a role that can log in, on every node.
    pub fn create_role(&mut self, suffix: &str) -> String {
        let role = format!("{}_{suffix}", self.name);
        self.client()
            .batch_execute(&format!("CREATE ROLE {role} LOGIN"))
            .expect("the role is new");
        self.roles.push(role.clone());
        role
    }

    /// Runs `ext-migrate` on the coordinator.
    pub fn ext_migrate(&self, arguments: &[&str]) -> Outcome {
        self.ext_migrate_on(0, None, arguments)
    }

    pub fn ext_migrate_on(&self, node: usize, role: Option<&str>, arguments: &[&str]) -> Outcome {
        let output = ext_migrate()
            .args(arguments)
            .args(["--database-url", &self.target(node, role)])
            .output();
        output.expect("ext-migrate starts").into()
    }

    /// A connection string.
    pub fn target(&self, node: usize, role: Option<&str>) -> String {
        let config = self.config(node);
        let host = match &config.get_hosts()[0] {
            Host::Tcp(host) => host.clone(),
            Host::Unix(path) => path.display().to_string(),
        };
        let mut target = format!(
            "host='{host}' port={} dbname={} user={}",
            config.get_ports()[0],
            self.name,
            role.or(config.get_user()).expect("CITUS_URL names a user")
        );
        if let Some(password) = config.get_password() {
            target += &format!(" password='{}'", String::from_utf8_lossy(password));
        }
        target
    }

    /// Asserts that every node holds the same rows of registry, versions and bundles; gives their numbers.
    #[track_caller]
    pub fn assert_replicas_agree(&self) -> Vec<i64> {
        let mut client = self.client();
        let tables = [
            "extension_registry",
            "extension_version",
            "extension_bundle",
        ];
        let rows = tables.map(|table| {
            let rows = client
                .query(
                    "SELECT success, result FROM run_command_on_placements($1::text::regclass, $2)",
                    &[
                        &table,
                        &"SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY t.id)), '') FROM %s t",
                    ],
                )
                .expect("the placements can be read");
            let answers: Vec<(bool, String)> =
                rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            assert_eq!(answers.len(), self.nodes.len(), "{table}: {answers:?}");
            for answer in &answers {
                assert!(answer.0 && *answer == answers[0], "{table}: {answers:?}");
            }
            answers[0].1.split(' ').next().expect("a count").parse().expect("a count")
        });
        rows.to_vec()
    }

    /// The name of the one shard of a reference table, on every node.
    pub fn shard(&self, table: &str) -> String {
        let row = self.client().query_one(
            "SELECT shard_name::text FROM citus_shards WHERE table_name = $1::text::regclass LIMIT 1",
            &[&table],
        );
        row.expect("the table has a shard").get(0)
    }

    fn config(&self, node: usize) -> Config {
        let mut config = Config::new();
        let (host, port) = &self.nodes[node];
        config.host(host).port(*port).dbname(&self.name);
        if let Some(user) = self.base.get_user() {
            config.user(user);
        }
        if let Some(password) = self.base.get_password() {
            config.password(password);
        }
        config
    }

    fn connect(&self, config: Config) -> Client {
        config
            .connect(NoTls)
            .unwrap_or_else(|error| panic!("cannot connect to {}: {error:?}", self.name))
    }

    fn administer(&self, node: usize, statement: &str) {
        let mut config = self.config(node);
        config.dbname(self.base.get_dbname().unwrap_or("postgres"));
        self.connect(config)
            .batch_execute(statement)
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The one that failed is of use to who looks for the reason.
        if std::thread::panicking() {
            return;
        }
        for node in 0..self.nodes.len() {
            self.administer(node, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
        for role in &self.roles {
            for node in 0..self.nodes.len() {
                self.administer(
                    node,
                    &format!("SET citus.enable_ddl_propagation = off; DROP ROLE IF EXISTS {role}"),
                );
            }
        }
    }
}
