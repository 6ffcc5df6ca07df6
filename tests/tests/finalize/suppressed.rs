//! Rows that a trigger of the tables' owner swallows: every call ends, and says that nothing was stored.

use ext_registry_tests::{
    Database, Refusal, Refused, Server, built_with_icu, finalize, hash, manifest, publish,
    row_counts,
};

/// Long enough for a call that ends, and an answer of its own (57014) for one that does not.
const PATIENCE: &str = "SET statement_timeout = '10s'";

/// Puts a BEFORE INSERT trigger with this body on the table.
fn trigger(db: &Database<'_>, table: &str, body: &str) {
    db.client()
        .batch_execute(&format!(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
             CREATE TRIGGER swallow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()"
        ))
        .unwrap();
}

#[track_caller]
fn assert_not_stored(refused: Refused, what: &str) {
    refused
        .with_sqlstate("55000")
        .with_code("NOT_STORED")
        .with_detail("what", what)
        .with_message_containing("was not stored");
}

/// Publishes exact versions and wildcards, of a new extension and of one that is there, where the trigger is.
#[track_caller]
fn assert_nothing_is_stored(table: &str, body: &str, what: &str) {
    for exists in [false, true] {
        let db = Server::shared().migrated_database();
        if exists {
            publish(&mut db.client(), "1.0.0");
        }
        let before = row_counts(&mut db.client());
        trigger(&db, table, body);
        let mut client = db.client();
        client.batch_execute(PATIENCE).unwrap();
        for version in ["1.0.*", "1.0.7", "1.0.*"] {
            if exists && what == "the registry entry" {
                continue;
            }
            let refused = finalize(&mut client, &manifest(version), &hash(1)).refused();
            assert_not_stored(refused, what);
            assert_eq!(
                row_counts(&mut client),
                before,
                "{version}, {exists}: {body}"
            );
        }
        client
            .batch_execute("DROP FUNCTION swallow CASCADE")
            .unwrap();
        publish(&mut client, "1.0.*");
        publish(&mut client, "1.0.7");
    }
}

#[test]
fn a_swallowed_version_is_not_stored() {
    assert_nothing_is_stored("extension_version", "RETURN NULL;", "the version");
}

#[test]
fn a_swallowed_bundle_is_not_stored() {
    assert_nothing_is_stored("extension_bundle", "RETURN NULL;", "the bundle");
}

#[test]
fn a_swallowed_entry_is_not_stored() {
    assert_nothing_is_stored("extension_registry", "RETURN NULL;", "the registry entry");
}

/// There is a version then, and each wildcard would find a higher one. It is gone with the call.
#[test]
fn a_trigger_that_stores_a_row_of_its_own_instead_is_no_other_publish() {
    let body = "
        IF pg_trigger_depth() > 1 THEN RETURN NEW; END IF;
        INSERT INTO public.extension_version (id, registry_id, version, runtime, main_entry, created_at)
        VALUES (gen_random_uuid(), NEW.registry_id, NEW.version, NEW.runtime, NEW.main_entry, NEW.created_at)
        ON CONFLICT DO NOTHING;
        RETURN NULL;";
    assert_nothing_is_stored("extension_version", body, "the version");
    let in_a_subtransaction = body.replace(
        "RETURN NULL;",
        "BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NULL;",
    );
    assert_nothing_is_stored("extension_version", &in_a_subtransaction, "the version");
    let stored_in_a_subtransaction = format!(
        "BEGIN {} EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NULL;",
        body.replace("RETURN NULL;", "")
    );
    assert_nothing_is_stored(
        "extension_version",
        &stored_in_a_subtransaction,
        "the version",
    );
}

#[test]
fn a_trigger_that_gives_every_version_one_name_ends_wildcards() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "9.9.9");
    trigger(
        &db,
        "extension_version",
        "NEW.version := '9.9.9'; RETURN NEW;",
    );
    let mut client = db.client();
    client.batch_execute(PATIENCE).unwrap();
    for version in ["1.0.*", "1.0.0"] {
        let refused = finalize(&mut client, &manifest(version), &hash(1)).refused();
        assert_not_stored(refused, "the version");
    }
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

/// Only some of the rows: what is published then is stored, and the swallowed number is free again.
#[test]
fn a_trigger_that_swallows_now_and_then_does_not_hold_up_the_others() {
    let db = Server::shared().migrated_database();
    trigger(
        &db,
        "extension_version",
        "IF NEW.runtime = 'none@0' THEN RETURN NULL; END IF; RETURN NEW;",
    );
    let mut client = db.client();
    client.batch_execute(PATIENCE).unwrap();
    let mut swallowed = manifest("1.0.*");
    swallowed["runtime"] = "none@0".into();
    for patch in 0..3 {
        assert_not_stored(
            finalize(&mut client, &swallowed, &hash(1)).refused(),
            "the version",
        );
        assert_eq!(
            publish(&mut client, "1.0.*").version,
            format!("1.0.{patch}")
        );
    }
}

/// A column's collation may take two strings for one version: then a wildcard's number is taken by what is none.
#[test]
fn a_collation_that_takes_two_versions_for_one_ends_wildcards() {
    if !built_with_icu() {
        return;
    }
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = publish(&mut client, "1.0.0");
    client
        .batch_execute(
            "CREATE COLLATION loose (provider = icu, locale = 'und-u-kn-true', deterministic = false);
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), id, '1.0.01', 'a-b', 'main' FROM extension_registry;
             ALTER TABLE extension_version ALTER COLUMN version TYPE varchar(255) COLLATE loose",
        )
        .unwrap();
    client.batch_execute(PATIENCE).unwrap();
    finalize(&mut client, &manifest("1.0.*"), &hash(1))
        .refused()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("extension_id", published.extension_id.to_string())
        .with_detail("version", "1.0.1");
}
