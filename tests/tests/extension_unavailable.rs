//! A server that cannot have the extension, as managed PostgreSQL: a copy of the private one without its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ext_registry_tests::{Outcome, Refusal, Server, program};

/// A copy of the installation, made of links, and gone with this value.
struct Copy(PathBuf);

impl Copy {
    fn without_extension() -> (Self, PathBuf) {
        let (bin, share) = (directory("--bindir"), directory("--sharedir"));
        let root: PathBuf = bin
            .components()
            .zip(share.components())
            .take_while(|(one, other)| one == other)
            .map(|(component, _)| component)
            .collect();
        // Beside the original: there the user of the server may read, and links are possible.
        let name = format!("without-extension.{}", std::process::id());
        let copy = Self(root.parent().unwrap().join(name));
        let status = Command::new("cp")
            .arg("-al")
            .args([&root, &copy.0])
            .status();
        assert!(status.unwrap().success());
        let extensions = copy
            .0
            .join(share.strip_prefix(&root).unwrap())
            .join("extension");
        for file in fs::read_dir(extensions).unwrap().map(Result::unwrap) {
            if file
                .file_name()
                .to_string_lossy()
                .starts_with("ext_registry")
            {
                fs::remove_file(file.path()).unwrap();
            }
        }
        let pg_config = copy
            .0
            .join(bin.strip_prefix(&root).unwrap())
            .join("pg_config");
        (copy, pg_config)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn directory(which: &str) -> PathBuf {
    let output = program("pg_config").arg(which).output().unwrap();
    let path = String::from_utf8(output.stdout).unwrap();
    Path::new(path.trim()).canonicalize().unwrap()
}

#[test]
fn a_server_that_cannot_have_the_extension() {
    let (_copy, pg_config) = Copy::without_extension();
    // The harness takes one installation per process: this needs a process of its own.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "on_that_server", "--ignored", "--nocapture"])
        .env("PG_CONFIG", pg_config)
        .output()
        .unwrap();
    let inner = Outcome::from(output).succeeded();
    assert!(inner.stdout.contains("1 passed"), "{inner:?}");
}

#[test]
#[ignore = "a_server_that_cannot_have_the_extension runs it on that server"]
fn on_that_server() {
    let db = Server::shared().empty_database();
    let refused = db.ext_migrate(&["up"]).exited(1);
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    for word in ["ext_registry", "--without-extension"] {
        assert!(refused.stderr.contains(word), "{refused:?}");
    }
    let mut client = db.client();
    let row = client
        .query_one(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "refused before anything happens");

    let _ = db.ext_migrate(&["up", "--without-extension"]).succeeded();
    let check = db.ext_migrate(&["check"]).exited(8);
    assert!(check.stdout.contains("EXTENSION_MISSING"), "{check:?}");
    let _ = db
        .ext_migrate(&["check", "--without-extension"])
        .succeeded();
    client
        .batch_execute(
            "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget');
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), id, '1.0.0', 'node@20', 'main' FROM extension_registry;
             INSERT INTO extension_bundle (id, version_id, content_hash)
             SELECT gen_random_uuid(), id, 'sha256:' || repeat('0', 64) FROM extension_version",
        )
        .unwrap();
    client
        .execute("UPDATE extension_version SET runtime = 'deno@2'", &[])
        .refused()
        .with_sqlstate("23001");
}
