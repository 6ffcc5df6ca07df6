//! What no hash holds, and what no seal has written: found from outside, whoever put it there.

use std::fs;
use std::process::Command;

use ext_registry_tests::ext_migrate;
use openssl::base64::{decode_block, encode_block};

use crate::tamper::tampered;
use crate::world::{World, findings, read};

/// What is left of the constraints is the owner's too.
const CHECKS_OFF: &str = "
    DO $$
    DECLARE command text;
    BEGIN
        FOR command IN
            SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname)
            FROM pg_constraint k
            WHERE k.contype = 'c' AND k.conrelid::regclass::text LIKE 'extension_log%'
        LOOP
            EXECUTE command;
        END LOOP;
    END $$;";

#[test]
fn rows_of_the_log_that_no_seal_has_written() {
    let world = World::sealed();
    world.publish(900, 1);
    let mut attacker = world.attacker();
    attacker.batch_execute(CHECKS_OFF).unwrap();
    for index in ["601", "1000000", "9223372036854775807", "-1"] {
        tampered(
            &world,
            &mut attacker,
            &format!(
                "INSERT INTO extension_log_leaf (leaf_index, version_id, label, leaf_hash)
                 SELECT '{index}'::bigint, id, 'acme/widget 900.0.0', sha256('')
                 FROM extension_version WHERE version = '900.0.0'"
            ),
            &[(
                &format!("acme/widget 900.0.0 has a leaf at {index}, outside of the log"),
                "LEAF_CHANGED",
            )],
        );
    }
    for (level, index) in [("0", "2"), ("3", "7"), ("7", "0"), ("0", "-1")] {
        tampered(
            &world,
            &mut attacker,
            &format!(
                "INSERT INTO extension_log_tile (level, index, hashes, root)
                 SELECT {level}, {index}, hashes, root FROM extension_log_tile WHERE index = 1"
            ),
            &[(
                &format!("tile {index} of level {level} is outside of the log"),
                "TILE_CHANGED",
            )],
        );
    }
    for size in ["601", "9223372036854775807", "-1"] {
        tampered(
            &world,
            &mut attacker,
            &format!(
                "INSERT INTO extension_log_checkpoint (tree_size, root, origin)
                 SELECT '{size}'::bigint, sha256(''), origin FROM extension_log_checkpoint WHERE tree_size = 600"
            ),
            &[(&format!("that the log has {size} leaves"), "CHECKPOINT_CHANGED")],
        );
    }
}

#[test]
fn what_is_there_twice_and_times_that_were_set_back() {
    let world = World::sealed();
    let mut attacker = world.attacker();
    attacker
        .batch_execute(&format!(
            "{CHECKS_OFF}
             ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique;
             DROP INDEX extension_bundle_version_id_unique"
        ))
        .unwrap();
    for (sql, named, finding) in [
        (
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at)
             SELECT gen_random_uuid(), registry_id, version, 'evil@1', main_entry, now()
             FROM extension_version WHERE version = '150.0.0'",
            "acme/widget 150.0.0 is there more than once",
            "SEALED_TWICE",
        ),
        (
            "INSERT INTO extension_bundle (id, version_id, content_hash, created_at)
             SELECT gen_random_uuid(), id, 'sha256:' || repeat('e', 64), now()
             FROM extension_version WHERE version = '150.0.0'",
            "of acme/widget 150.0.0 is not the only one",
            "SEALED_TWICE",
        ),
        (
            "UPDATE extension_log_leaf SET version_id = gen_random_uuid()
             WHERE bundle_id = (SELECT b.id FROM extension_bundle b JOIN extension_version v ON v.id = b.version_id
                                WHERE v.version = '150.0.0')",
            "names another version than its row",
            "LEAF_CHANGED",
        ),
        (
            "UPDATE extension_log_checkpoint SET sealed_at = sealed_at - interval '2 days'",
            "more than a day before leaf 59",
            "CHECKPOINT_CHANGED",
        ),
        (
            "UPDATE extension_log_checkpoint SET sealed_at = sealed_at - interval '2 days' WHERE tree_size = 600",
            "more than a day before the one before it",
            "CHECKPOINT_CHANGED",
        ),
        (
            "UPDATE extension_log_checkpoint SET sealed_at = '-infinity' WHERE tree_size = 600",
            "the checkpoint of 600 leaves has no time",
            "CHECKPOINT_CHANGED",
        ),
    ] {
        tampered(&world, &mut attacker, sql, &[(named, finding)]);
    }
}

/// A gap is one finding, wherever the fetches fall; what comes after it is still compared.
#[test]
fn missing_leaves_are_one_finding() {
    let world = World::sealed();
    let mut attacker = world.attacker();
    tampered(
        &world,
        &mut attacker,
        "DELETE FROM extension_log_leaf WHERE leaf_index >= 100 AND leaf_index < 400;
         UPDATE extension_version SET runtime = 'evil@1' WHERE version = '290.0.0'",
        &[
            ("leaves 100 to 399 are missing", "LEAF_CHANGED"),
            ("acme/widget 290.0.0 is not what was sealed", "CHANGED"),
        ],
    );
}

/// In kB of address space: the rows below have 600 MB.
const LIMIT: u64 = 300_000;

#[test]
fn large_rows_take_no_more_memory_than_one_of_them() {
    let world = World::empty();
    world.publish(1, 300);
    world.attack("UPDATE extension_bundle SET signature = repeat('signature ', 200000)");
    let mut client = world.db.client();
    let pid: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .unwrap()
        .get(0);
    let peak = || {
        let status = String::from_utf8(read(format!("/proc/{pid}/status"))).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap();
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap()
    };
    let before = peak();
    client
        .query_one("SELECT * FROM ext_seal_log()", &[])
        .unwrap();
    assert!(
        client
            .query("SELECT * FROM ext_verify_log()", &[])
            .unwrap()
            .is_empty()
    );
    assert!(
        peak() - before < LIMIT / 2,
        "{} kB after {before} kB",
        peak()
    );
    for arguments in [
        &["audit"][..],
        &["export-tiles", &world.folder.path("tiles")],
    ] {
        let output = Command::new("prlimit")
            .arg(format!("--as={}", LIMIT * 1024))
            .arg(ext_migrate().get_program())
            .args(arguments)
            .args(["--database-url", &world.db.url()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// A sealer may have any line stored. Those that no key verifies stop neither a signer nor an auditor, and get into no
/// note that is made with a key.
#[test]
fn signatures_that_no_key_verifies_stop_nobody() {
    let world = World::empty();
    world.publish(1, 3);
    let role = world.db.create_role("sealer");
    world
        .db
        .ext_migrate(&["grant", "--sealer", &role])
        .succeeded();
    let sealed = world.seal(&["--origin", crate::world::ORIGIN]);
    let line = sealed["checkpoint"]
        .as_str()
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_owned();
    let (name, encoded) = line
        .trim_start_matches('\u{2014}')
        .trim()
        .split_once(' ')
        .unwrap();
    let mut wrong = decode_block(encoded).unwrap();
    *wrong.last_mut().unwrap() ^= 1;
    let wrong = encode_block(&wrong);
    let mut sealer = world.db.client_as(&role);
    let hostile = |sealer: &mut postgres::Client, size: i64| {
        for line in [
            format!("{name} {wrong}"),
            format!("{name} AAAAAAAA"),
            "another AAAAAAAA".to_owned(),
        ] {
            sealer
                .execute("SELECT ext_sign_checkpoint($1, $2)", &[&size, &line])
                .unwrap();
        }
        // 1.1.0 took these too.
        world.attack(&format!(
            "INSERT INTO extension_log_signature (tree_size, line)
             VALUES ({size}, '{name} AAA=AAAA'), ({size}, '{name} ========'), ({size}, 'another AAA=AAAA')"
        ));
        sealer
            .execute(
                "SELECT ext_sign_checkpoint($1, 'another ' || lpad('', 3996, 'A') || lpad(n::text, 4, '0')) FROM generate_series(1, 400) n",
                &[&size],
            )
            .unwrap();
    };
    // Before the signer's own line and after it.
    hostile(&mut sealer, 6);
    world.publish(10, 1);
    sealer
        .query_one("SELECT * FROM ext_seal_log()", &[])
        .unwrap();
    hostile(&mut sealer, 8);
    let (file, kept, key) = (
        world.folder.path("file"),
        world.folder.path("kept"),
        world.folder.path("log.pub"),
    );
    let note = world.seal(&["--checkpoint", &file])["checkpoint"]
        .as_str()
        .unwrap()
        .to_owned();
    // The origin, one signature, and one of another key with this name.
    assert_eq!(note.matches(name).count(), 3, "{note}");
    assert!(!note.contains(&wrong) && !note.contains("AAA="), "{note}");
    assert!(note.len() < 1_000_000);
    let directory = world.folder.path("tiles");
    world
        .db
        .ext_migrate(&["export-tiles", &directory, "--public-key", &key])
        .succeeded();
    for checkpoint in [&file, &format!("{directory}/checkpoint")] {
        assert!(!fs::read_to_string(checkpoint).unwrap().contains(&wrong));
        let outcome = world
            .audit(&[
                "--checkpoint",
                checkpoint,
                "--public-key",
                &key,
                "--keep",
                &kept,
            ])
            .succeeded();
        assert_eq!(findings(&outcome), []);
        world
            .audit(&["--checkpoint", &kept, "--public-key", &key])
            .succeeded();
    }
    // Without a key the auditor has them all; with it, one that verifies is enough.
    world.audit(&["--keep", &kept]).succeeded();
    let note = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, format!("{note}\u{2014} {name} {wrong}\n{line}\n")).unwrap();
    world.new_key("other");
    let other = world.folder.path("other.pub");
    world.audit(&["--public-key", &other]).exited(9);
    let error = world
        .db
        .ext_migrate(&["export-tiles", &directory, "--public-key", &other])
        .exited(1);
    assert!(error.stderr.contains("has signed"), "{error:?}");
}
