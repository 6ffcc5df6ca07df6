//! Interrupted while it builds an index, which no transaction protects.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ext_registry_tests::old_schema::old_schema;
use ext_registry_tests::{Database, Folder, Options, Outcome, Server, shipped, wait_until};

use crate::{old_database, spawn};

const INDEX: &str = "extension_version_list_idx";

/// The backend of `up`, once it waits for somebody else while it builds the index.
fn building(db: &Database) -> i32 {
    let mut client = db.client();
    let mut pid = None;
    wait_until("the build waits", || {
        let row = client.query_opt(
            "SELECT pid FROM pg_stat_progress_create_index
             WHERE index_relid = to_regclass($1) AND cardinality(pg_blocking_pids(pid)) > 0",
            &[&INDEX],
        );
        pid = row.unwrap().map(|row| row.get(0));
        pid.is_some()
    });
    pid.unwrap()
}

/// Whether the index is valid; None where there is none.
fn valid(db: &Database) -> Option<bool> {
    let row = db.client().query_opt(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)",
        &[&INDEX],
    );
    row.unwrap().map(|row| row.get(0))
}

/// What the history says was done last.
fn newest(db: &Database) -> i32 {
    let row = db
        .client()
        .query_one("SELECT max(version) FROM ext_registry_schema_history", &[]);
    row.unwrap().get(0)
}

/// A database where the next migration builds the index.
fn before_the_index() -> Database<'static> {
    let db = old_database();
    Folder::first(4).up(&db.url()).succeeded();
    db
}

const WRITE: &str = "LOCK extension_version IN ROW EXCLUSIVE MODE";

#[test]
fn a_build_cut_by_the_server_is_begun_again() {
    let db = before_the_index();
    let mut writer = db.client();
    let mut writing = writer.transaction().unwrap();
    writing.batch_execute(WRITE).unwrap();
    let child = spawn(&db.url());
    let pid = building(&db);
    db.server()
        .administer(&format!("SELECT pg_terminate_backend({pid}, 30000)"));
    Outcome::from(child.wait_with_output().unwrap()).exited(7);
    writing.commit().unwrap();
    assert_eq!((valid(&db), newest(&db)), (Some(false), 4));
    finish(&db, true);
}

/// The server looks whether its client is still there: nobody has to wait for a build that nobody will record.
#[test]
fn a_build_whose_client_was_killed_ends_and_is_begun_again() {
    let db = before_the_index();
    let mut writer = db.client();
    let mut writing = writer.transaction().unwrap();
    writing.batch_execute(WRITE).unwrap();
    let mut child = spawn(&db.url());
    let pid = building(&db);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut observer = db.client();
    wait_until("the backend is gone", || {
        let row = observer.query_opt("SELECT FROM pg_stat_activity WHERE pid = $1", &[&pid]);
        row.unwrap().is_none()
    });
    assert_eq!((valid(&db), newest(&db)), (Some(false), 4));
    writing.commit().unwrap();
    finish(&db, true);
}

/// Between the build and its history row: the index is there, valid, and only recorded.
#[test]
fn a_finished_build_is_only_recorded() {
    let db = before_the_index();
    let sql = &shipped()[4].1;
    db.client()
        .batch_execute(&sql.replace("@schema@", "public"))
        .unwrap();
    assert_eq!((valid(&db), newest(&db)), (Some(true), 4));
    finish(&db, false);
}

#[test]
fn a_long_build_says_where_it_is() {
    let db = before_the_index();
    let mut writer = db.client();
    let mut writing = writer.transaction().unwrap();
    writing.batch_execute(WRITE).unwrap();
    let mut child = spawn(&db.url());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("of this phase")));
    let line = line.expect("a line of progress before the end");
    for part in [
        "V5__version_list_index.sql",
        "waiting for writers before build",
        "0 %",
    ] {
        assert!(line.contains(part), "{line}");
    }
    writing.commit().unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
}

/// The next `up` comes to its end, having dropped the invalid index or not.
fn finish(db: &Database, dropped: bool) {
    let up = db.ext_migrate(&["up"]).succeeded();
    assert_eq!(
        up.stderr.contains("dropping the invalid index"),
        dropped,
        "{up:?}"
    );
    assert_eq!(valid(db), Some(true));
    let _ = db.ext_migrate(&["check"]).succeeded();
}

#[test]
fn a_full_disk_is_named_and_with_space_the_build_is_begun_again() {
    // Declared first, so that it goes last.
    let Some(small) = Small::mount(1) else {
        eprintln!("not tested: this process may not mount a small file system");
        return;
    };
    let server = Server::start(&Options::default());
    small.make_tablespace(&server);
    let db = server.empty_database();
    let mut client = db.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client
        .batch_execute(&format!(
            "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget');
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), r.id, n, 'node@18', 'main'
             FROM extension_registry r, generate_series(1, 30000) n;
             ALTER DATABASE {} SET default_tablespace = small",
            db.name()
        ))
        .unwrap();
    // The second run begins with what the first one has left.
    for _ in 0..2 {
        let failed = db.ext_migrate(&["up"]).exited(1);
        let error = failed.stderr.lines().last().unwrap();
        for part in [
            "V5__version_list_index.sql",
            "No space left on device",
            "53100",
        ] {
            assert!(error.contains(part), "{failed:?}");
        }
        assert_eq!((valid(&db), newest(&db)), (Some(false), 4));
    }
    small.grow(64);
    finish(&db, true);
}

/// A file system that is soon full, gone with this value.
struct Small(PathBuf);

impl Small {
    /// None where this process may not mount.
    fn mount(megabytes: usize) -> Option<Self> {
        let path = PathBuf::from(format!("/tmp/small.{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let small = Self(path);
        small
            .run(
                "mount",
                &["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"],
            )
            .then_some(small)
    }

    fn grow(&self, megabytes: usize) {
        assert!(self.run("mount", &["-o", &format!("remount,size={megabytes}m")]));
    }

    fn make_tablespace(&self, server: &Server) {
        let directory = self.0.join("tablespace");
        fs::create_dir(&directory).unwrap();
        let owner = fs::metadata(server.data()).unwrap();
        chown(&directory, Some(owner.uid()), Some(owner.gid())).unwrap();
        let path = directory.display();
        server.administer(&format!("CREATE TABLESPACE small LOCATION '{path}'"));
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let status = Command::new(program)
            .args(arguments)
            .arg(&self.0)
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        self.run("umount", &[]);
        let _ = fs::remove_dir(&self.0);
    }
}
