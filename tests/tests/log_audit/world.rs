//! A sealed and signed log, its signer's key, and what an auditor keeps.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ext_registry_tests::{Database, Outcome, Server};
use openssl::pkey::{PKey, Private};
use postgres::Client;
use serde_json::Value;

pub const ORIGIN: &str = "registry.example.com/versions";

/// A directory of this test's own.
pub struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("log_audit_{}_{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct World {
    pub db: Database<'static>,
    pub folder: Folder,
}

impl World {
    /// Migrated, with nothing published.
    pub fn empty() -> Self {
        let db = Server::shared().migrated_database();
        let folder = Folder::new(db.name());
        let world = Self { db, folder };
        world.new_key("log");
        world
    }

    /// 600 leaves, sealed and signed in two steps, so that there are two full tiles; the auditor kept the first
    /// checkpoint as `kept`.
    pub fn sealed() -> Self {
        let world = Self::empty();
        world.publish(1, 100);
        let _ = world.seal(&["--origin", ORIGIN]);
        world
            .audit(&["--keep", &world.folder.path("kept")])
            .succeeded();
        world.publish(101, 200);
        let _ = world.seal(&[]);
        world
    }

    /// Makes `<name>.pem` and `<name>.pub`.
    pub fn new_key(&self, name: &str) -> PKey<Private> {
        let key = PKey::generate_ed25519().unwrap();
        let file = self.folder.path(&format!("{name}.pem"));
        fs::write(&file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let file = self.folder.path(&format!("{name}.pub"));
        fs::write(&file, key.public_key_to_pem().unwrap()).unwrap();
        key
    }

    /// Versions `first`.0.0 and on, each with its bundle.
    pub fn publish(&self, first: i32, count: i32) {
        self.db
            .client()
            .execute(
                "SELECT ext_finalize_version(
                     jsonb_build_object('publisher', 'acme', 'name', 'widget', 'version', n || '.0.0',
                         'runtime', 'node@20', 'assets', jsonb_build_array('b.png')),
                     lpad(n::text, 64, '0'), 'signature ' || n, 'https://example.com/' || n, n)
                 FROM generate_series($1::int, $1 + $2::int - 1) n",
                &[&first, &count],
            )
            .unwrap();
    }

    /// Seals and signs.
    #[track_caller]
    pub fn seal(&self, arguments: &[&str]) -> Value {
        let key = self.folder.path("log.pem");
        let all = [&["seal", "--key", &key, "--format", "json"], arguments].concat();
        self.db.ext_migrate(&all).succeeded().json()
    }

    /// The directory that the tiles were exported to.
    pub fn exported(&self) -> String {
        let directory = self.folder.path("tiles");
        self.db
            .ext_migrate(&["export-tiles", &directory])
            .succeeded();
        directory
    }

    pub fn audit(&self, arguments: &[&str]) -> Outcome {
        self.db
            .ext_migrate(&[&["audit", "--format", "json"], arguments].concat())
    }

    /// As an auditor does it every day: with the kept checkpoint and the key.
    pub fn audit_with_kept(&self) -> Outcome {
        let (kept, key) = (self.folder.path("kept"), self.folder.path("log.pub"));
        self.audit(&["--checkpoint", &kept, "--public-key", &key])
    }

    /// A superuser for whom guards, triggers and checks of foreign keys do not exist.
    pub fn attacker(&self) -> Client {
        let mut client = self.db.client();
        client
            .batch_execute("SET session_replication_role = replica")
            .unwrap();
        for table in TABLES {
            client
                .batch_execute(&format!("ALTER TABLE {table} DISABLE TRIGGER USER"))
                .unwrap();
        }
        client
    }

    #[track_caller]
    pub fn attack(&self, sql: &str) {
        self.attacker()
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// All whose rows an audit reads.
pub const TABLES: [&str; 7] = [
    "extension_registry",
    "extension_version",
    "extension_bundle",
    "extension_log_leaf",
    "extension_log_tile",
    "extension_log_checkpoint",
    "extension_log_signature",
];

/// `FINDING` with its message, as in the report.
#[track_caller]
pub fn findings(outcome: &Outcome) -> Vec<(String, String)> {
    let report = outcome.json();
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    report["findings"]
        .as_array()
        .unwrap_or_else(|| panic!("no findings: {outcome:?}"))
        .iter()
        .map(|finding| (text(finding, "finding"), text(finding, "message")))
        .collect()
}

/// The same without messages.
#[track_caller]
pub fn names(outcome: &Outcome) -> Vec<String> {
    findings(outcome)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

pub fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}
