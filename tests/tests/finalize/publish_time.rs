//! The publish time is the server's clock at the call. The clock of this server can be set.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use ext_registry_tests::{Options, Server, list, publish, workspace_root};
use postgres::Client;

/// A server whose clock is moved by what a file says.
struct Clock {
    folder: PathBuf,
    server: Option<Server>,
}

impl Clock {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("clock_{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // The server runs as another user.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let (library, offset) = (folder.join("clock.so"), folder.join("offset"));
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O", "-o"])
            .arg(&library)
            .arg(workspace_root().join("tests/fixtures/clock.c"))
            .arg("-ldl")
            .status()
            .expect("there is a C compiler");
        assert!(built.success());
        let mut clock = Self {
            folder,
            server: None,
        };
        clock.set(0);
        clock.server = Some(Server::start(&Options {
            environment: vec![
                format!("LD_PRELOAD={}", library.display()),
                format!("CLOCK_OFFSET={}", offset.display()),
            ],
            ..Options::default()
        }));
        clock
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("it has been started")
    }

    /// Puts the server's clock this many seconds before or after the true time.
    fn set(&self, seconds: i64) {
        // In one step: a reader finds the old offset or the new one.
        let new = self.folder.join("new");
        fs::write(&new, seconds.to_string()).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(new, self.folder.join("offset")).unwrap();
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.server = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Publishes, and gives how many seconds after the server's clock that was.
fn lead(client: &mut Client, version: &str) -> f64 {
    let published = publish(client, version);
    let sql = "SELECT extract(epoch FROM $1::text::timestamptz - clock_timestamp())::float8";
    client
        .query_one(sql, &[&published.published_at])
        .unwrap()
        .get(0)
}

#[test]
fn the_clock_is_set_back() {
    let clock = Clock::new();
    let db = clock.server().migrated_database();
    let mut client = db.client();

    // Between transactions of a session: nothing is left behind.
    clock.set(3600);
    assert!(lead(&mut client, "1.0.0").abs() < 60.0);
    clock.set(0);
    for version in ["1.0.1", "1.0.2"] {
        let lead = lead(&mut client, version);
        assert!(
            lead.abs() < 60.0,
            "{version} was published {lead} s after the clock"
        );
    }

    // Nor by one that was rolled back.
    let mut undone = client.transaction().unwrap();
    clock.set(7200);
    publish(&mut undone, "1.0.3");
    undone.rollback().unwrap();
    clock.set(0);
    assert!(lead(&mut client, "1.0.3").abs() < 60.0);

    // Within a transaction: the time does not go back, not after a savepoint's rollback either.
    let mut transaction = client.transaction().unwrap();
    clock.set(3600);
    let first = publish(&mut transaction, "2.0.0");
    let mut savepoint = transaction.transaction().unwrap();
    clock.set(7200);
    publish(&mut savepoint, "2.0.1");
    savepoint.rollback().unwrap();
    clock.set(-3600);
    let second = publish(&mut transaction, "2.0.1");
    let third = publish(&mut transaction, "2.0.*");
    transaction.commit().unwrap();
    let listed = list(&mut client, first.extension_id, None).unwrap();
    let versions: Vec<_> = listed.iter().map(|row| row.version.as_str()).collect();
    assert_eq!(
        versions[..3],
        ["2.0.2", "2.0.1", "2.0.0"],
        "{first:?} {second:?} {third:?}"
    );

    // And another session never knew.
    clock.set(0);
    assert!(lead(&mut db.client(), "3.0.0").abs() < 60.0);
}
