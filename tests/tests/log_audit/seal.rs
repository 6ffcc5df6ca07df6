//! `seal`: what is signed, and what is not.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use openssl::base64::decode_block;
use openssl::sha::sha256;
use openssl::sign::Verifier;
use serde_json::Value;

use crate::world::{ORIGIN, World};

/// The note by OpenSSL alone, as its format says: the signature is of the text, the key's id of its name and bytes.
#[test]
fn the_note_is_signed_with_the_key() {
    let world = World::empty();
    let key = world.new_key("log");
    world.publish(1, 3);
    let report = world.seal(&["--origin", ORIGIN]);
    let note = report["checkpoint"].as_str().unwrap();
    let (text, lines) = note.split_once("\n\n").unwrap();
    let text = format!("{text}\n");
    let line = lines.strip_suffix('\n').unwrap();
    let encoded = line.strip_prefix(&format!("\u{2014} {ORIGIN} ")).unwrap();
    let decoded = decode_block(encoded).unwrap();
    let raw = key.raw_public_key().unwrap();
    let id = sha256(&[ORIGIN.as_bytes(), b"\n\x01", &raw].concat());
    assert_eq!(decoded[..4], id[..4]);
    let verified = Verifier::new_without_digest(&key)
        .unwrap()
        .verify_oneshot(&decoded[4..], text.as_bytes())
        .unwrap();
    assert!(verified);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], [ORIGIN, "6"]);
    let root = decode_block(lines[2]).unwrap();
    let hex: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report["root"], Value::String(hex));
}

#[test]
fn a_checkpoint_is_signed_once() {
    let world = World::sealed();
    let before = world.seal(&[]);
    let after = world.seal(&[]);
    assert_eq!(before["checkpoint"], after["checkpoint"]);
    assert_eq!(after["appended"], 0);
}

#[test]
fn a_second_key_signs_beside_the_first() {
    let world = World::sealed();
    world.new_key("second");
    let second = world.folder.path("second.pem");
    world
        .db
        .ext_migrate(&["seal", "--key", &second])
        .succeeded();
    for key in ["log.pub", "second.pub"] {
        world
            .audit(&["--public-key", &world.folder.path(key)])
            .succeeded();
    }
}

#[test]
fn nothing_is_signed_that_does_not_continue_what_was_signed() {
    let world = World::sealed();
    world.attack("UPDATE extension_log_checkpoint SET root = sha256('x') WHERE tree_size = 600");
    world.publish(301, 1);
    let key = world.folder.path("log.pem");
    let error = world.db.ext_migrate(&["seal", "--key", &key]).exited(9);
    assert!(error.stderr.starts_with("error: "), "{error:?}");
    let mut client = world.db.client();
    let row = client
        .query_one("SELECT max(leaf_index), (SELECT count(*) FROM extension_log_signature) FROM extension_log_leaf", &[])
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (599_i64, 2_i64));
}

#[test]
fn the_file_is_created_continued_and_replaced() {
    let world = World::empty();
    let file = world.folder.path("checkpoint");
    let first = world.seal(&["--origin", ORIGIN, "--checkpoint", &file]);
    assert_eq!(first["tree_size"], 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), first["checkpoint"]);
    world.publish(1, 2);
    let second = world.seal(&["--checkpoint", &file]);
    assert_eq!(second["tree_size"], 4);
    assert_eq!(fs::read_to_string(&file).unwrap(), second["checkpoint"]);
    world.audit(&["--checkpoint", &file]).succeeded();
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    let world = World::empty();
    let key = world.folder.path("log.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = world.db.ext_migrate(&["seal", "--key", &key]).exited(2);
    assert!(error.stderr.contains("chmod 600"), "{error:?}");
    let public = world.folder.path("log.pub");
    fs::set_permissions(&public, fs::Permissions::from_mode(0o600)).unwrap();
    world.db.ext_migrate(&["seal", "--key", &public]).exited(1);
    let row = world
        .db
        .client()
        .query_one("SELECT count(*) FROM extension_log_checkpoint", &[])
        .unwrap();
    assert_eq!(
        row.get::<_, i64>(0),
        0,
        "nothing is kept of a run that fails"
    );
}

#[test]
fn the_private_key_never_reaches_the_server() {
    let world = World::empty();
    let key = world.new_key("log");
    world
        .db
        .client()
        .batch_execute(&format!(
            "ALTER DATABASE {} SET log_statement = 'all'; ALTER DATABASE {0} SET log_min_duration_statement = 0",
            world.db.name()
        ))
        .unwrap();
    world.publish(1, 1);
    let _ = world.seal(&[]);
    let pem = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let secret = pem.lines().nth(1).unwrap();
    let log = world.db.server().log();
    assert!(
        log.contains("ext_sign_checkpoint"),
        "the log holds the statements"
    );
    assert!(!log.contains(secret));
}
