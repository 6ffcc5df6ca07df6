//! An UPDATE that changes nothing passes, and what differs by a byte does not.

use std::time::SystemTime;

use ext_registry_tests::{
    Contents, Database, Refusal, Server, assert_guarded, hash, manifest, old_schema, publish,
};
use postgres::Client;
use postgres::types::ToSql;
use serde_json::Value;
use uuid::Uuid;

/// Saves every row of the three tables as it is.
const SAVE: &str = "
    UPDATE extension_registry SET id = id, publisher = publisher, name = name;
    UPDATE extension_version SET id = id, registry_id = registry_id, version = version, runtime = runtime,
        main_entry = main_entry, api = api, api_endpoints = api_endpoints, ui = ui, capabilities = capabilities,
        assets = assets, created_at = created_at, adopted = adopted;
    UPDATE extension_bundle SET id = id, version_id = version_id, content_hash = content_hash, signature = signature,
        precompiled = precompiled, storage_url = storage_url, size_bytes = size_bytes, created_at = created_at,
        adopted = adopted";

fn assert_saved(client: &mut Client) {
    let contents = Contents::of(client);
    client.batch_execute(SAVE).unwrap();
    contents.assert_are_in(client);
}

fn assert_refused(client: &mut Client, update: &str) {
    let table = update.split_whitespace().nth(1).unwrap();
    client
        .batch_execute(update)
        .refused()
        .with_sqlstate("23001")
        .with_code("VERSION_IMMUTABLE")
        .with_detail("operation", "UPDATE")
        .with_constraint(&format!("{table}_immutable"));
}

fn findings(client: &mut Client) -> Vec<String> {
    let rows = client.query("SELECT finding FROM ext_verify_log()", &[]);
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Rows from before the guards, whose later columns are not stored in them, and rows from after.
#[test]
fn a_registry_of_many_years_is_saved_as_it_is() {
    let db = Server::shared().registry_of_many_years();
    let mut client = db.client();
    client.batch_execute("SELECT ext_seal_log()").unwrap();
    for role in ["origin", "replica"] {
        client
            .batch_execute(&format!("SET session_replication_role = {role}"))
            .unwrap();
        assert_saved(&mut client);
    }
    client
        .batch_execute("RESET session_replication_role")
        .unwrap();
    assert_eq!(findings(&mut client), Vec::<String>::new());
    assert_guarded(&mut client);
    let _ = db.ext_migrate(&["check"]).succeeded();
    // Nothing is left to seal: a row that was saved is the one that was sealed.
    let sealed =
        "SELECT added::text FROM (SELECT (SELECT count(*) FROM extension_log_leaf) AS before) b,
                  LATERAL (SELECT tree_size - before AS added FROM ext_seal_log()) s";
    let row = client.query_one(sealed, &[]).unwrap();
    assert_eq!(row.get::<_, &str>(0), "0");
}

/// A stored generated column has its value after the BEFORE triggers only.
#[test]
fn tables_with_generated_columns() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    let columns = "
        ALTER TABLE extension_registry ADD COLUMN slug text GENERATED ALWAYS AS (publisher || '/' || name) STORED;
        ALTER TABLE extension_version ADD COLUMN loud text GENERATED ALWAYS AS (upper(version)) STORED,
            ADD COLUMN touched timestamptz;
        ALTER TABLE extension_bundle ADD COLUMN digest text GENERATED ALWAYS AS (right(content_hash, 64)) STORED,
            ADD COLUMN mirrored boolean DEFAULT false;";
    client
        .batch_execute(&(old_schema::old_schema(&[]) + old_schema::old_rows() + columns))
        .unwrap();
    let _ = db.ext_migrate(&["up"]).succeeded();
    let _ = db.ext_migrate(&["check"]).succeeded();
    publish(&mut client, "1.0.0");
    assert_saved(&mut client);
    for update in [
        // Columns of the registry: refused before the row is stored, so before any key is looked at.
        "UPDATE extension_version SET id = gen_random_uuid()",
        "UPDATE extension_version SET version = '9.9.9'",
        "UPDATE extension_bundle SET version_id = gen_random_uuid()",
        "UPDATE extension_bundle SET content_hash = 'x'",
        // Others.
        "UPDATE extension_version SET touched = now() WHERE version = '1.0.0'",
        "UPDATE extension_bundle SET mirrored = NOT mirrored",
    ] {
        assert_refused(&mut client, update);
    }
    client
        .batch_execute("UPDATE extension_registry SET publisher = upper(publisher)")
        .refused()
        .with_sqlstate("23001")
        .with_constraint("extension_registry_identity_immutable");
    client
        .batch_execute("UPDATE extension_registry SET display_name = 'x'")
        .unwrap();
}

/// What a generated column gives for the same row is a change as well.
#[test]
fn a_generated_column_that_would_change() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    client
        .batch_execute(
            "CREATE FUNCTION loud(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN upper($1); END';
             ALTER TABLE extension_version ADD COLUMN loud text GENERATED ALWAYS AS (loud(version)) STORED",
        )
        .unwrap();
    assert_saved(&mut client);
    client
        .batch_execute(
            "CREATE OR REPLACE FUNCTION loud(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 || 1; END'",
        )
        .unwrap();
    assert_refused(
        &mut client,
        "UPDATE extension_version SET runtime = runtime",
    );
}

/// Equal is not the same: what `=` calls equal may have other bytes.
#[test]
fn what_differs_by_a_byte_is_refused() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = publish(&mut client, "1.0.0");
    client
        .execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, api, ui, created_at)
             VALUES (gen_random_uuid(), $1, '2.0.0', 'node@20', 'main', '{\"n\": 1.0, \"d\": \"é\"}', NULL,
                     '2026-01-02 03:04:05.123456+00')",
            &[&published.extension_id],
        )
        .unwrap();
    for set in [
        "api = '{\"n\": 1, \"d\": \"é\"}'",
        "api = '{\"n\": 1.0, \"d\": \"e\u{301}\"}'",
        "ui = 'null'",
        "runtime = 'Node@20'",
        "runtime = 'node@20 '",
        "main_entry = ''",
        "created_at = date_trunc('milliseconds', created_at)",
    ] {
        let update = format!("UPDATE extension_version SET {set} WHERE version = '2.0.0'");
        assert_refused(&mut client, &update);
    }
    assert_saved(&mut client);
    // One row of many that differs.
    assert_refused(
        &mut client,
        "UPDATE extension_version SET runtime = CASE version WHEN '1.0.0' THEN 'x' ELSE runtime END",
    );
}

/// Large values are stored elsewhere, compressed or not: their bytes count, not where they are.
#[test]
fn large_values() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = publish(&mut client, "1.0.0");
    client
        .execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, api)
             SELECT gen_random_uuid(), $1, '2.0.0', 'node@20', 'main',
                    jsonb_build_object('endpoints', jsonb_agg(jsonb_build_object('path', '/' || md5(i::text))))
             FROM generate_series(1, 20000) i",
            &[&published.extension_id],
        )
        .unwrap();
    assert_saved(&mut client);
    for storage in ["EXTERNAL", "EXTENDED"] {
        client
            .batch_execute(&format!(
                "ALTER TABLE extension_version ALTER COLUMN api SET STORAGE {storage};
                 UPDATE extension_version SET api = api::text::jsonb"
            ))
            .unwrap();
    }
    assert_saved(&mut client);
    assert_refused(
        &mut client,
        "UPDATE extension_version SET api = jsonb_set(api, '{endpoints, 19999, path}', '\"/\"') WHERE version = '2.0.0'",
    );
}

/// Values that went to the client and come back as parameters.
#[test]
fn an_orm_saves_the_row_that_it_has_read() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut manifest = manifest("1.0.0");
    manifest["api"] =
        serde_json::json!({"endpoints": [{"method": "get", "path": "/a", "handler": "a"}]});
    manifest["ui"] = serde_json::json!({"type": "iframe", "entry": "index.html"});
    ext_registry_tests::finalize(&mut client, &manifest, &hash(1)).unwrap();
    let row = client
        .query_one("SELECT * FROM extension_version", &[])
        .unwrap();
    let (id, registry_id): (Uuid, Uuid) = (row.get("id"), row.get("registry_id"));
    let text = |column: &str| -> String { row.get(column) };
    let json = |column: &str| -> Option<Value> { row.get(column) };
    let created_at: SystemTime = row.get("created_at");
    let save = |client: &mut Client, runtime: &str| {
        let parameters: [&(dyn ToSql + Sync); 11] = [
            &registry_id,
            &text("version"),
            &runtime,
            &text("main_entry"),
            &json("api"),
            &json("api_endpoints"),
            &json("ui"),
            &json("capabilities"),
            &json("assets"),
            &created_at,
            &id,
        ];
        client.execute(
            "UPDATE extension_version SET registry_id = $1, version = $2, runtime = $3, main_entry = $4, api = $5,
                 api_endpoints = $6, ui = $7, capabilities = $8, assets = $9, created_at = $10
             WHERE id = $11",
            &parameters,
        )
    };
    let contents = Contents::of(&mut client);
    assert_eq!(save(&mut client, "node@20").unwrap(), 1);
    save(&mut client, "node@22")
        .refused()
        .with_sqlstate("23001")
        .with_detail("version", "1.0.0");
    contents.assert_are_in(&mut client);
}

/// A trigger that stamps each save changes the row, before the guard or behind it.
#[test]
fn a_trigger_that_stamps_what_is_saved() {
    for name in ["a_stamp", "z_stamp"] {
        let db = Server::shared().migrated_database();
        let mut client = db.client();
        publish(&mut client, "1.0.0");
        client
            .batch_execute(&format!(
                "ALTER TABLE extension_version ADD COLUMN updated_at timestamptz;
                 CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
                     'BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END';
                 CREATE TRIGGER {name} BEFORE UPDATE ON extension_version FOR EACH ROW EXECUTE FUNCTION stamp()"
            ))
            .unwrap();
        assert_refused(
            &mut client,
            "UPDATE extension_version SET runtime = runtime",
        );
    }
}

/// An operator of the owner's that calls everything equal, as `=` of the types of identity, first in the search_path.
const EVERYTHING_IS_EQUAL: &str = "
    CREATE SCHEMA theirs;
    CREATE FUNCTION theirs.yes(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE FUNCTION theirs.yes(uuid, uuid) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE OPERATOR theirs.= (FUNCTION = theirs.yes, LEFTARG = text, RIGHTARG = text);
    CREATE OPERATOR theirs.= (FUNCTION = theirs.yes, LEFTARG = uuid, RIGHTARG = uuid);
    SET search_path = theirs, pg_catalog;";

/// The guards as V9 made them, bound to that operator. They read the same.
fn blind(client: &mut Client) {
    let mut sql = EVERYTHING_IS_EQUAL.to_owned();
    for (name, kind, when) in [
        ("extension_registry_identity_immutable", "TRIGGER", "BEFORE"),
        (
            "extension_registry_identity_immutable_stored",
            "CONSTRAINT TRIGGER",
            "AFTER",
        ),
    ] {
        sql += &format!(
            "DROP TRIGGER {name} ON public.extension_registry;
             CREATE {kind} {name} {when} UPDATE ON public.extension_registry
                 FOR EACH ROW WHEN (
                     OLD.id IS DISTINCT FROM NEW.id
                     OR OLD.publisher COLLATE \"C\" IS DISTINCT FROM NEW.publisher COLLATE \"C\"
                     OR OLD.name COLLATE \"C\" IS DISTINCT FROM NEW.name COLLATE \"C\"
                 )
                 EXECUTE FUNCTION public.extension_registry_identity_immutable();
             ALTER TABLE public.extension_registry ENABLE ALWAYS TRIGGER {name};"
        );
    }
    client.batch_execute(&(sql + "RESET search_path")).unwrap();
}

const RENAME: &str = "UPDATE extension_registry SET name = 'gadget' WHERE name = 'widget'";

#[test]
fn check_finds_a_guard_that_compares_with_an_operator_of_the_owners() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    blind(&mut client);
    client
        .batch_execute(&format!("BEGIN; {RENAME}; ROLLBACK"))
        .unwrap();
    let check = db.ext_migrate(&["check"]).exited(8);
    assert_eq!(
        check.stdout.matches("GUARD_CHANGED").count(),
        2,
        "{check:?}"
    );
}

/// On 1.1.0 nothing told it from what was shipped; the migration makes the guard anew.
#[test]
fn an_update_of_the_registry_ends_such_a_guard() {
    let db = began_as_1_1_0();
    let mut client = db.client();
    blind(&mut client);
    let _ = db.ext_migrate(&["up"]).succeeded();
    let _ = db.ext_migrate(&["check"]).succeeded();
    publish(&mut client, "1.0.0");
    client
        .batch_execute(RENAME)
        .refused()
        .with_sqlstate("23001")
        .with_constraint("extension_registry_identity_immutable");
}

fn began_as_1_1_0() -> Database<'static> {
    let server = Server::shared();
    let db = server.empty_database();
    ext_registry_tests::begin_as(server, db.name(), "1.1.0");
    db
}

#[test]
fn the_guard_of_identity_runs_no_operator_of_others() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    client.batch_execute(EVERYTHING_IS_EQUAL).unwrap();
    for set in [
        "id = gen_random_uuid()",
        "publisher = 'other'",
        "name = 'Widget'",
        "name = NULL",
    ] {
        client
            .batch_execute(&format!("UPDATE public.extension_registry SET {set}"))
            .refused()
            .with_sqlstate("23001")
            .with_constraint("extension_registry_identity_immutable");
    }
}
