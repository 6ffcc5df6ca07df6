//! What an attacker does who owns the server.

use crate::world::{ORIGIN, TABLES, World, findings};

/// Changes a version and seals again from scratch, at the same sizes, signed with another or the same key.
pub fn rewrite(world: &World, key: &str) {
    if key != "log" {
        world.new_key(key);
    }
    let key = world.folder.path(&format!("{key}.pem"));
    world.attack("UPDATE extension_version SET main_entry = 'evil.js' WHERE version = '50.0.0'");
    world.attack(
        "CREATE TABLE hidden_version AS
             SELECT * FROM extension_version WHERE id IN (SELECT version_id FROM extension_log_leaf WHERE leaf_index >= 200);
         CREATE TABLE hidden_bundle AS
             SELECT * FROM extension_bundle WHERE id IN (SELECT bundle_id FROM extension_log_leaf WHERE leaf_index >= 200);
         DELETE FROM extension_bundle WHERE id IN (SELECT id FROM hidden_bundle);
         DELETE FROM extension_version WHERE id IN (SELECT id FROM hidden_version);
         TRUNCATE extension_log_signature, extension_log_checkpoint, extension_log_tile, extension_log_leaf",
    );
    world
        .db
        .ext_migrate(&["seal", "--origin", ORIGIN, "--key", &key])
        .succeeded();
    world.attack(
        "INSERT INTO extension_version SELECT * FROM hidden_version;
         INSERT INTO extension_bundle SELECT * FROM hidden_bundle;
         DROP TABLE hidden_version, hidden_bundle",
    );
    world.db.ext_migrate(&["seal", "--key", &key]).succeeded();
}

/// Runs the statement, audits, and takes it back: by a copy of the tables, since guards are off anyway.
#[track_caller]
pub fn tampered(
    world: &World,
    attacker: &mut postgres::Client,
    sql: &str,
    expected: &[(&str, &str)],
) {
    for table in TABLES {
        attacker
            .batch_execute(&format!("CREATE TEMP TABLE saved_{table} AS TABLE {table}"))
            .unwrap();
    }
    attacker
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let found = findings(&world.audit_with_kept().exited(9));
    for (named, name) in expected {
        assert!(
            found
                .iter()
                .any(|(f, message)| f == name && message.contains(named)),
            "{sql}: {found:?}"
        );
    }
    for table in TABLES {
        attacker
            .batch_execute(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM saved_{table}; DROP TABLE saved_{table}"
            ))
            .unwrap();
    }
    assert_eq!(findings(&world.audit_with_kept().succeeded()), [], "{sql}");
}
