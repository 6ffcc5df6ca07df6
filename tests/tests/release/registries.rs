//! A registry that began as an earlier release ends up the same as a fresh one: tables, guards, comments, rights and
//! functions.

use ext_registry_tests::{Database, Server, begin_as};

use crate::changelog::releases;
use crate::update::catalog;
use crate::version::current;

#[test]
fn whatever_it_began_as() {
    let server = Server::shared();
    let fresh = server.empty_database();
    let _ = fresh.ext_migrate(&["up"]).succeeded();
    let expected = definitions(&fresh);
    assert!(
        expected.contains("CREATE CONSTRAINT TRIGGER extension_registry_identity_immutable_stored")
    );
    let earlier = releases()
        .into_iter()
        .filter(|(version, _)| version != current());
    for (release, _) in earlier {
        let db = server.empty_database();
        begin_as(server, db.name(), &release);
        assert_ne!(definitions(&db), expected, "{release}");
        let check = db.ext_migrate(&["check"]).exited(8);
        for code in ["MIGRATION_PENDING", "EXTENSION_OUTDATED"] {
            assert!(check.stdout.contains(code), "{release}: {check:?}");
        }
        // What the release made is no drift.
        assert!(!check.stdout.contains("GUARD"), "{release}: {check:?}");
        let up = db.ext_migrate(&["up"]).succeeded();
        assert!(!up.stdout.contains("mended"), "{release}: {up:?}");
        assert_eq!(definitions(&db), expected, "{release}");
        let _ = db.ext_migrate(&["check"]).succeeded();
    }
}

/// As pg_dump prints them, which leaves out the members of an extension; and those.
fn definitions(db: &Database) -> String {
    let dump = db.program("pg_dump").arg("--schema-only").output().unwrap();
    assert!(dump.status.success(), "{dump:?}");
    let dump = String::from_utf8(dump.stdout).unwrap();
    // Newer releases of pg_dump fence their output for psql, each time with another word.
    let lines = dump.lines().filter(|line| !line.starts_with('\\'));
    lines
        .map(str::to_owned)
        .chain(catalog(&mut db.client()))
        .collect::<Vec<_>>()
        .join("\n")
}
