//! `audit`: its report, its terminal, and what it costs.

use std::fs;
use std::process::Command;

use ext_registry_tests::{Options, Server, ext_migrate};

use crate::world::{World, findings};

#[test]
fn the_report_says_what_was_compared() {
    let world = World::sealed();
    let report = world.audit(&["--compare"]).succeeded().json();
    assert_eq!(report["schema"], "public");
    assert_eq!(report["origin"], crate::world::ORIGIN);
    assert!(report["rows_per_second"].as_u64().unwrap() > 0);
    assert!(report["copy_rows_per_second"].as_u64().unwrap() > 0);
    assert_eq!(report["public_key"], serde_json::Value::Null);
    let text = world.db.ext_migrate(&["audit"]).succeeded().stdout;
    assert!(
        text.ends_with("nothing that was sealed has changed\n"),
        "{text}"
    );
}

#[test]
fn findings_beyond_a_thousand_are_counted() {
    let world = World::sealed();
    world.publish(301, 300);
    let _ = world.seal(&[]);
    world.attack("UPDATE extension_registry SET name = 'gadget'");
    let outcome = world.audit(&[]).exited(9);
    assert_eq!(outcome.json()["counts"]["CHANGED"], 1200);
    assert_eq!(findings(&outcome).len(), 1000);
    let text = world.db.ext_migrate(&["audit"]).exited(9).stdout;
    assert!(text.contains("… and 200 more"), "{text}");
}

#[test]
fn a_checkpoint_is_kept_only_where_nothing_was_found() {
    let world = World::sealed();
    let kept = world.folder.path("kept");
    let before = fs::read(&kept).unwrap();
    world.attack("UPDATE extension_version SET runtime = 'x@1' WHERE version = '7.0.0'");
    world
        .audit(&["--checkpoint", &kept, "--keep", &kept])
        .exited(9);
    assert_eq!(fs::read(&kept).unwrap(), before);
}

#[test]
fn a_database_that_was_never_sealed_is_no_alarm_but_a_kept_checkpoint_is() {
    let world = World::empty();
    world.publish(1, 1);
    let report = world.audit(&[]).succeeded().json();
    assert_eq!(
        (&report["tree_size"], &report["pending"]),
        (&0.into(), &2.into())
    );
    let kept = world.folder.path("kept");
    world.audit(&["--keep", &kept]).exited(1);
    fs::write(
        &kept,
        World::sealed().seal(&[])["checkpoint"].as_str().unwrap(),
    )
    .unwrap();
    world.audit(&["--checkpoint", &kept]).exited(9);
}

#[test]
fn files_that_are_no_checkpoint_and_no_key_are_named() {
    let world = World::sealed();
    let file = world.folder.path("nonsense");
    fs::write(&file, "nonsense\n").unwrap();
    for option in ["--checkpoint", "--public-key"] {
        let error = world.db.ext_migrate(&["audit", option, &file]).exited(1);
        assert!(error.stderr.contains("nonsense"), "{error:?}");
        let missing = world.folder.path("missing");
        let error = world.db.ext_migrate(&["audit", option, &missing]).exited(1);
        assert!(error.stderr.contains("missing"), "{error:?}");
    }
}

#[test]
fn the_key_may_be_a_line_too() {
    let world = World::sealed();
    let line = world.seal(&[])["public_key"].as_str().unwrap().to_owned();
    let file = world.folder.path("vkey");
    fs::write(&file, format!("{line}\n")).unwrap();
    let report = world.audit(&["--public-key", &file]).succeeded().json();
    assert_eq!(report["public_key"], line.as_str());
}

/// Bytes that no encoding has a character for, and one that is not UTF8: the same leaves as the server's own.
#[test]
fn databases_in_other_encodings_audit_clean() {
    for (encoding, bytes) in [("SQL_ASCII", "\\xff80"), ("LATIN1", "\\xe9fc")] {
        let db = Server::shared().database_with(&format!(
            "ENCODING {encoding} LOCALE 'C' TEMPLATE template0"
        ));
        db.ext_migrate(&["up"]).succeeded();
        db.client()
            .batch_execute(&format!(
                "SELECT ext_finalize_version(
                     '{{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"1.0.0\", \"runtime\": \"node@20\"}}',
                     repeat('a', 64));
                 SET session_replication_role = replica;
                 ALTER TABLE extension_bundle DISABLE TRIGGER USER;
                 UPDATE extension_bundle SET signature = convert_from('{bytes}', getdatabaseencoding());
                 ALTER TABLE extension_bundle ENABLE TRIGGER USER;
                 SELECT ext_seal_log()"
            ))
            .unwrap();
        let report = db
            .ext_migrate(&["audit", "--format", "json"])
            .succeeded()
            .json();
        assert_eq!(report["tree_size"], 2, "{encoding}");
    }
}

/// Adopted rows are logged as they were found: without times, with several bundles.
#[test]
fn a_registry_of_many_years_audits_clean_on_its_standby_too() {
    let primary = Server::start(&Options::default());
    let db = primary.registry_of_many_years();
    db.ext_migrate(&["seal"]).succeeded();
    let standby = Server::standby_of(&primary);
    for url in [db.url(), standby.url(db.name())] {
        let output = ext_migrate()
            .args(["audit", "--format", "json", "--database-url", &url])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["tree_size"], 504);
    }
}

#[test]
fn a_terminal_shows_how_far_it_is() {
    let world = World::sealed();
    let command = format!(
        "{} audit --database-url '{}' > /dev/null",
        ext_migrate().get_program().display(),
        world.db.url()
    );
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(shown.contains("600/600 leaves"), "{shown:?}");
}
