//! After sealing, with all guards off: whatever is changed is found from outside, and named.

use std::fs;

use crate::tamper::{rewrite, tampered};
use crate::world::{World, findings, names};

/// In version 150 and its bundle: the second seal, the second tile.
const VERSION: &str = "(SELECT id FROM extension_version WHERE version = '150.0.0')";

#[test]
fn an_unchanged_log_has_no_findings() {
    let world = World::sealed();
    let outcome = world.audit_with_kept().succeeded();
    assert_eq!(findings(&outcome), []);
    let report = outcome.json();
    assert_eq!(report["ok"], true);
    assert_eq!(report["tree_size"], 600);
    assert_eq!(report["kept_size"], 200);
    assert_eq!(report["pending"], 0);
}

#[test]
fn every_column_of_a_version_is_in_its_leaf() {
    let world = World::sealed();
    let mut attacker = world.attacker();
    for change in [
        "id = gen_random_uuid()",
        "registry_id = gen_random_uuid()",
        "version = '150.0.1'",
        "runtime = runtime || 'x'",
        "main_entry = main_entry || 'x'",
        "api = '{\"endpoints\": [1]}'",
        "api_endpoints = '[1]'",
        "ui = '{}'",
        "ui = 'null'",
        "capabilities = '[\"net\"]'",
        "assets = NULL",
        "created_at = created_at + '1 microsecond'",
        "created_at = NULL, adopted = true",
    ] {
        tampered(
            &world,
            &mut attacker,
            &format!("UPDATE extension_version SET {change} WHERE version = '150.0.0'"),
            &[(
                "acme/widget 150.0.0",
                if change.starts_with("id") {
                    "REMOVED"
                } else {
                    "CHANGED"
                },
            )],
        );
    }
}

#[test]
fn every_column_of_a_bundle_is_in_its_leaf() {
    let world = World::sealed();
    let mut attacker = world.attacker();
    for change in [
        "id = gen_random_uuid()",
        "version_id = gen_random_uuid()",
        "content_hash = 'sha256:' || repeat('e', 64)",
        "signature = NULL",
        "signature = ''",
        "precompiled = '{}'",
        "storage_url = storage_url || '/'",
        "size_bytes = size_bytes + 1",
        "created_at = created_at + '1 microsecond'",
    ] {
        tampered(
            &world,
            &mut attacker,
            &format!("UPDATE extension_bundle SET {change} WHERE version_id = {VERSION}"),
            &[(
                "of acme/widget 150.0.0",
                if change.starts_with("id") {
                    "REMOVED"
                } else {
                    "CHANGED"
                },
            )],
        );
    }
}

#[test]
fn another_name_of_an_extension_changes_all_of_its_versions() {
    let world = World::sealed();
    for change in ["publisher = 'evil'", "name = 'gadget'"] {
        let mut attacker = world.attacker();
        attacker
            .batch_execute(&format!(
                "BEGIN; UPDATE extension_registry SET {change}; COMMIT"
            ))
            .unwrap();
        let report = world.audit_with_kept().exited(9).json();
        assert_eq!(report["counts"]["CHANGED"], 600);
        attacker
            .batch_execute("UPDATE extension_registry SET publisher = 'acme', name = 'widget'")
            .unwrap();
    }
    world.audit_with_kept().succeeded();
}

#[test]
fn removed_versions_are_named() {
    let world = World::sealed();
    world.attack(&format!(
        "DELETE FROM extension_bundle WHERE version_id = {VERSION};
         DELETE FROM extension_version WHERE version = '150.0.0';
         DELETE FROM extension_bundle b USING extension_version v
         WHERE v.id = b.version_id AND v.version IN ('299.0.0', '300.0.0');
         DELETE FROM extension_version WHERE version IN ('299.0.0', '300.0.0')"
    ));
    let found = findings(&world.audit_with_kept().exited(9));
    assert_eq!(found.len(), 6);
    for version in ["150.0.0", "299.0.0", "300.0.0"] {
        let message = format!("acme/widget {version} was sealed and is gone");
        assert!(
            found.contains(&("REMOVED".to_owned(), message)),
            "{found:?}"
        );
    }
}

#[test]
fn the_newest_versions_removed_with_their_log_are_missed_by_what_was_kept_alone() {
    let world = World::sealed();
    let kept = world.folder.path("kept");
    world
        .audit(&["--checkpoint", &kept, "--keep", &kept])
        .succeeded();
    world.attack(
        "DELETE FROM extension_bundle b USING extension_log_leaf l WHERE b.id = l.bundle_id AND l.leaf_index >= 200;
         DELETE FROM extension_version v USING extension_log_leaf l WHERE v.id = l.version_id AND l.leaf_index >= 200;
         DELETE FROM extension_log_leaf WHERE leaf_index >= 200;
         DELETE FROM extension_log_tile;
         DELETE FROM extension_log_signature WHERE tree_size = 600;
         DELETE FROM extension_log_checkpoint WHERE tree_size = 600",
    );
    assert_eq!(findings(&world.audit(&[]).succeeded()), []);
    assert_eq!(
        names(&world.audit_with_kept().exited(9)),
        ["HISTORY_REWRITTEN"]
    );
}

#[test]
fn a_backdated_version_is_found_before_and_after_it_is_sealed() {
    let world = World::sealed();
    world.attack(
        "INSERT INTO extension_version
             (id, registry_id, version, runtime, main_entry, api, api_endpoints, capabilities, created_at)
         SELECT gen_random_uuid(), registry_id, '0.9.0', runtime, main_entry, api, api_endpoints, capabilities,
             created_at - interval '25 hours'
         FROM extension_version WHERE version = '1.0.0'",
    );
    assert_eq!(names(&world.audit_with_kept().exited(9)), ["NOT_IN_LOG"]);
    let _ = world.seal(&[]);
    let found = findings(&world.audit_with_kept().exited(9));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "BACKDATED");
    assert!(found[0].1.starts_with("acme/widget 0.9.0 "), "{found:?}");
}

#[test]
fn a_version_that_waits_for_its_seal_is_no_finding() {
    let world = World::sealed();
    world.publish(301, 1);
    let report = world.audit_with_kept().succeeded().json();
    assert_eq!(report["pending"], 2);
}

#[test]
fn swapped_versions_are_both_named() {
    let world = World::sealed();
    world.attack(
        "UPDATE extension_version SET version = 'x' WHERE version = '150.0.0';
         UPDATE extension_version SET version = '150.0.0' WHERE version = '20.0.0';
         UPDATE extension_version SET version = '20.0.0' WHERE version = 'x'",
    );
    let found = findings(&world.audit_with_kept().exited(9));
    let named = |version: &str| {
        let beginning = format!("acme/widget {version} is not what was sealed");
        found
            .iter()
            .any(|(name, message)| name == "CHANGED" && message.starts_with(&beginning))
    };
    assert!(
        found.len() == 2 && named("20.0.0") && named("150.0.0"),
        "{found:?}"
    );
}

#[test]
fn swapped_leaves_are_reordered() {
    let world = World::sealed();
    world.attack(
        "UPDATE extension_log_leaf SET leaf_index = 100000 WHERE leaf_index = 300;
         UPDATE extension_log_leaf SET leaf_index = 300 WHERE leaf_index = 310;
         UPDATE extension_log_leaf SET leaf_index = 310 WHERE leaf_index = 100000",
    );
    assert_eq!(
        names(&world.audit_with_kept().exited(9)),
        ["REORDERED", "REORDERED"]
    );
}

#[test]
fn changes_of_the_log_itself_are_told_apart() {
    let world = World::sealed();
    let mut attacker = world.attacker();
    for (sql, finding) in [
        (
            "UPDATE extension_log_leaf SET leaf_hash = sha256('x') WHERE leaf_index = 7",
            "LEAF_CHANGED",
        ),
        (
            "UPDATE extension_log_leaf SET leaf_hash = sha256('x') WHERE leaf_index = 599",
            "LEAF_CHANGED",
        ),
        (
            "DELETE FROM extension_log_leaf WHERE leaf_index = 7",
            "LEAF_CHANGED",
        ),
        (
            "UPDATE extension_log_tile SET hashes = set_byte(hashes, 100, 1 # get_byte(hashes, 100)) WHERE index = 1",
            "TILE_CHANGED",
        ),
        (
            "UPDATE extension_log_tile SET root = sha256('x') WHERE index = 0",
            "TILE_CHANGED",
        ),
        (
            "DELETE FROM extension_log_tile WHERE index = 0",
            "TILE_CHANGED",
        ),
        (
            "UPDATE extension_log_checkpoint SET root = sha256('x') WHERE tree_size = 200",
            "CHECKPOINT_CHANGED",
        ),
        (
            "UPDATE extension_log_checkpoint SET tree_size = 201 WHERE tree_size = 200",
            "CHECKPOINT_CHANGED",
        ),
    ] {
        tampered(&world, &mut attacker, sql, &[("", finding)]);
    }
    for (sql, finding) in [
        (
            "UPDATE extension_log_checkpoint SET origin = 'example.com/other' WHERE tree_size = 200",
            "HISTORY_REWRITTEN",
        ),
        (
            "DELETE FROM extension_log_signature WHERE tree_size = 600",
            "SIGNATURE",
        ),
        (
            "UPDATE extension_log_signature SET line = left(line, -8) || 'AAAAAA==' WHERE tree_size = 600",
            "SIGNATURE",
        ),
        (
            "UPDATE extension_log_checkpoint SET root = sha256('x') WHERE tree_size = 600",
            "SIGNATURE",
        ),
    ] {
        tampered(&world, &mut attacker, sql, &[("", finding)]);
    }
}

/// The last one: everything in the database is made to fit together again.
#[test]
fn a_history_rewritten_as_a_whole_is_found_by_what_the_auditor_kept() {
    let world = World::sealed();
    rewrite(&world, "evil");
    assert_eq!(findings(&world.audit(&[]).succeeded()), []);
    let found = names(&world.audit_with_kept().exited(9));
    assert!(found.contains(&"SIGNATURE".to_owned()), "{found:?}");
    assert!(found.contains(&"HISTORY_REWRITTEN".to_owned()), "{found:?}");
}

#[test]
fn a_stolen_key_does_not_help() {
    let world = World::sealed();
    rewrite(&world, "log");
    let key = world.folder.path("log.pub");
    assert_eq!(
        findings(&world.audit(&["--public-key", &key]).succeeded()),
        []
    );
    assert_eq!(
        names(&world.audit_with_kept().exited(9)),
        ["HISTORY_REWRITTEN"]
    );
}

#[test]
fn an_older_backup_is_no_continuation() {
    let world = World::sealed();
    let kept = world.folder.path("kept");
    let first = fs::read(&kept).unwrap();
    world
        .audit(&["--checkpoint", &kept, "--keep", &kept])
        .succeeded();
    assert_ne!(fs::read(&kept).unwrap(), first);
    world.attack(
        "DELETE FROM extension_log_signature WHERE tree_size = 600;
         DELETE FROM extension_log_checkpoint WHERE tree_size = 600;
         DELETE FROM extension_log_tile;
         DELETE FROM extension_log_leaf WHERE leaf_index >= 200;
         DELETE FROM extension_bundle b WHERE NOT EXISTS (SELECT FROM extension_log_leaf l WHERE l.bundle_id = b.id);
         DELETE FROM extension_version v WHERE NOT EXISTS (SELECT FROM extension_log_leaf l WHERE l.version_id = v.id)",
    );
    let found = findings(&world.audit_with_kept().exited(9));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "HISTORY_REWRITTEN");
    let key = world.folder.path("log.pem");
    let error = world
        .db
        .ext_migrate(&["seal", "--key", &key, "--checkpoint", &kept])
        .exited(9);
    assert!(
        error.stderr.contains("nothing was sealed or signed"),
        "{error:?}"
    );
}

#[test]
fn a_kept_checkpoint_that_was_edited_has_lost_its_signature() {
    let world = World::sealed();
    let kept = world.folder.path("kept");
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replacen("200", "100", 1)).unwrap();
    let found = names(&world.audit_with_kept().exited(9));
    assert!(found.contains(&"SIGNATURE".to_owned()), "{found:?}");
}
