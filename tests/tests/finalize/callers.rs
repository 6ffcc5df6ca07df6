//! Calls from PL/pgSQL, prepared statements, and sessions whose names lead elsewhere.

use ext_registry_tests::{
    Database, Refusal, Server, finalize, hash, list, manifest, publish, row_counts,
};
use serde_json::{Value, json};

/// A PL/pgSQL function that catches what finalize raises and gives the fields as JSON.
const CATCH: &str = "
    CREATE FUNCTION catch(manifest jsonb, content_hash text) RETURNS jsonb LANGUAGE plpgsql AS $$
    DECLARE
        state text; message text; detail text; hint text;
        schema_name text; table_name text; constraint_name text; column_name text; type_name text;
    BEGIN
        PERFORM ext_finalize_version(manifest, content_hash);
        RETURN NULL;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS
            state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
            hint = PG_EXCEPTION_HINT, schema_name = SCHEMA_NAME, table_name = TABLE_NAME,
            constraint_name = CONSTRAINT_NAME, column_name = COLUMN_NAME, type_name = PG_DATATYPE_NAME;
        RETURN jsonb_build_object('state', state, 'message', message, 'detail', detail::jsonb, 'hint', hint,
            'names', jsonb_build_array(schema_name, table_name, constraint_name, column_name, type_name));
    END $$";

fn catch(db: &Database<'_>, calls: &[(Value, &str)]) -> Vec<Value> {
    let mut client = db.client();
    calls
        .iter()
        .map(|(manifest, content_hash)| {
            let row = client
                .query_one(
                    "SELECT catch($1::text::jsonb, $2)::text",
                    &[&manifest.to_string(), content_hash],
                )
                .unwrap();
            let text: Option<String> = row.get(0);
            text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
        })
        .collect()
}

#[test]
fn a_plpgsql_handler_sees_every_field_and_nothing_stale() {
    let db = Server::shared().migrated_database();
    db.client().batch_execute(CATCH).unwrap();
    let existing = publish(&mut db.client(), "1.0.0");
    let caught = catch(
        &db,
        &[
            (manifest("1.0.0"), &hash(0)),
            (manifest("1"), &hash(0)),
            (manifest("1.0.0"), &hash(1)),
            (manifest("1.0.1"), "x"),
            (manifest("1.0.1"), &hash(0)),
            (manifest("1.0.1"), &hash(1)),
        ],
    );
    let duplicate = json!([
        "public",
        "extension_version",
        "extension_version_registry_id_version_unique",
        "",
        ""
    ]);
    let nothing = json!(["", "", "", "", ""]);
    for (number, state, code, names) in [
        (0, "23505", "EXTENSION_VERSION_ALREADY_EXISTS", &duplicate),
        (1, "22023", "INVALID_MANIFEST", &nothing),
        (2, "23505", "EXTENSION_VERSION_ALREADY_EXISTS", &duplicate),
        (3, "22023", "INVALID_CONTENT_HASH", &nothing),
        (5, "23505", "EXTENSION_VERSION_ALREADY_EXISTS", &duplicate),
    ] {
        let caught = &caught[number];
        assert_eq!(caught["state"], state, "{caught}");
        assert_eq!(caught["detail"]["code"], code, "{caught}");
        assert_eq!(&caught["names"], names, "{caught}");
    }
    assert_eq!(caught[4], Value::Null, "it was published");
    assert_eq!(caught[0]["detail"]["same_content"], true);
    assert_eq!(caught[2]["detail"]["same_content"], false);
    assert_eq!(
        caught[0]["detail"]["existing"]["version_id"],
        existing.version_id.to_string()
    );
}

#[test]
fn an_error_that_follows_has_fields_of_its_own_only() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    for after in [
        "PERFORM 1 / 0",
        "RAISE EXCEPTION 'mine' USING ERRCODE = '22012'",
    ] {
        let refused = client
            .batch_execute(&format!(
                "DO $$ BEGIN
                     BEGIN
                         PERFORM ext_finalize_version('{}', '{}');
                     EXCEPTION WHEN unique_violation THEN NULL;
                     END;
                     {after};
                 END $$",
                manifest("1.0.0"),
                hash(0)
            ))
            .refused()
            .with_sqlstate("22012");
        assert_eq!(
            (
                refused.schema,
                refused.table,
                refused.constraint,
                refused.detail_text
            ),
            (None, None, None, None)
        );
    }
    // The same on the level of the protocol.
    finalize(&mut client, &manifest("1.0.0"), &hash(0)).refused();
    let refused = client.execute("SELECT 1 / 0", &[]).refused();
    assert_eq!((refused.table, refused.constraint), (None, None));
}

#[test]
fn an_error_raised_again_keeps_its_fields() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    client
        .batch_execute(&format!(
            "DO $$ BEGIN
                 PERFORM ext_finalize_version('{}', '{}');
             EXCEPTION WHEN OTHERS THEN RAISE;
             END $$",
            manifest("1.0.0"),
            hash(0)
        ))
        .refused()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_table("public", "extension_version")
        .with_constraint("extension_version_registry_id_version_unique");
}

#[test]
fn a_loop_publishes_and_is_refused_many_times() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(&format!(
            "DO $$
             DECLARE refused int := 0;
             BEGIN
                 FOR n IN 1..300 LOOP
                     BEGIN
                         PERFORM ext_finalize_version(
                             jsonb_set('{}', '{{version}}', to_jsonb('1.0.' || n % 100)), '{}');
                     EXCEPTION WHEN unique_violation THEN
                         refused := refused + 1;
                     END;
                 END LOOP;
                 ASSERT refused = 200, refused;
             END $$",
            manifest(""),
            hash(0)
        ))
        .unwrap();
    assert_eq!(row_counts(&mut client), (1, 100, 100));
}

#[test]
fn a_block_that_fails_later_leaves_nothing() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(&format!(
            "DO $$ BEGIN
                 BEGIN
                     PERFORM ext_finalize_version('{manifest}', '{hash}');
                     RAISE EXCEPTION 'later';
                 EXCEPTION WHEN raise_exception THEN NULL;
                 END;
                 ASSERT NOT EXISTS (SELECT FROM extension_registry);
                 PERFORM ext_finalize_version('{manifest}', '{hash}');
             END $$",
            manifest = manifest("1.0.0"),
            hash = hash(0)
        ))
        .unwrap();
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn prepared_statements_publish_again_and_again() {
    let db = Server::shared().migrated_database();
    for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
        let mut client = db.client();
        client
            .batch_execute(&format!("SET plan_cache_mode = {mode}"))
            .unwrap();
        let statement = client
            .prepare("SELECT version FROM ext_finalize_version($1::text::jsonb, $2)")
            .unwrap();
        for n in 0..12 {
            let manifest =
                ext_registry_tests::manifest_of(mode, &format!("1.0.{}", n / 2)).to_string();
            let result = client.query_one(&statement, &[&manifest, &hash(0)]);
            if n % 2 == 0 {
                result.unwrap();
            } else {
                result
                    .refused()
                    .with_code("EXTENSION_VERSION_ALREADY_EXISTS");
            }
        }
    }
    assert_eq!(row_counts(&mut db.client()), (3, 18, 18));
}

/// Everything that the functions use exists in `evil` as well, and fails when it is used.
const EVIL: &str = "
    CREATE SCHEMA evil;
    CREATE FUNCTION evil.trap() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
    CREATE TABLE evil.extension_registry (id uuid, publisher text, name text, evil bool DEFAULT evil.trap());
    CREATE TABLE evil.extension_version (id uuid, registry_id uuid, version text, created_at timestamptz);
    CREATE TABLE evil.extension_bundle (id uuid, version_id uuid, content_hash text, created_at timestamptz);
    CREATE TABLE evil.tenant_extension_install (tenant_id text, registry_id uuid, version_id uuid);
    DO $$
    DECLARE f record;
    BEGIN
        FOR f IN SELECT * FROM (VALUES
            ('lower', 'text', 'text'), ('substr', 'text, integer', 'text'), ('substring', 'text, text', 'text'),
            ('to_json', 'timestamptz', 'json'), ('to_json', 'anyelement', 'json'),
            ('convert_to', 'text, name', 'bytea'), ('count', 'uuid', 'int8')) AS f (name, arguments, result)
        LOOP
            EXECUTE format(
                'CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION $m$trapped$m$; END''',
                f.name, f.arguments, f.result);
        END LOOP;
        FOR f IN SELECT * FROM (VALUES
            ('->>', 'jsonb', 'text', 'text'), ('->', 'jsonb', 'text', 'jsonb'), ('#>>', 'jsonb', 'text[]', 'text'),
            ('#>>', 'json', 'text[]', 'text'), ('=', 'text', 'text', 'bool'), ('=', 'varchar', 'text', 'bool'),
            ('=', 'varchar', 'varchar', 'bool'), ('=', 'uuid', 'uuid', 'bool'), ('=', 'jsonb', 'jsonb', 'bool'),
            ('~', 'text', 'text', 'bool'), ('~', 'varchar', 'text', 'bool')) AS f (operator, l, r, result)
        LOOP
            EXECUTE format(
                'CREATE FUNCTION evil.%1$I(%2$s, %3$s) RETURNS %4$s LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION $m$trapped$m$; END'';
                 CREATE OPERATOR evil.%5$s (LEFTARG = %2$s, RIGHTARG = %3$s, FUNCTION = evil.%1$I)',
                concat_ws(' ', f.l, f.operator, f.r), f.l, f.r, f.result, f.operator);
        END LOOP;
    END $$";

#[test]
fn a_hostile_search_path_leads_nowhere() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client.batch_execute(EVIL).unwrap();
    for path in [
        "evil, pg_catalog",
        "pg_temp, evil, pg_catalog, public",
        "evil",
        "''",
    ] {
        let mut client = db.client();
        client
            .batch_execute(&format!(
                "CREATE TEMP TABLE extension_registry (id uuid, publisher text, name text);
                 CREATE TEMP TABLE extension_version (id uuid, registry_id uuid, version text);
                 CREATE TEMP TABLE extension_bundle (id uuid, version_id uuid);
                 CREATE TEMP TABLE tenant_extension_install (tenant_id text, registry_id uuid, version_id uuid);
                 CREATE DOMAIN pg_temp.uuid AS text; CREATE DOMAIN pg_temp.jsonb AS text;
                 SET search_path = {path}"
            ))
            .unwrap();
        let name = format!("widget {path}");
        let publish = |client: &mut postgres::Client, version: &str| {
            client.batch_execute(&format!(
                "SELECT version FROM public.ext_finalize_version('{}', '{}')",
                ext_registry_tests::manifest_of(&name.replace('\'', ""), version),
                hash(0)
            ))
        };
        for version in ["1.0.0", "1.0.*", "2.0.*"] {
            publish(&mut client, version).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        }
        publish(&mut client, "1.0.0")
            .refused()
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("same_content", true);
        let row = client.query_one("SHOW search_path", &[]).unwrap();
        let found: String = row.get(0);
        assert_eq!(
            found,
            path.replace("''", "\"\""),
            "the caller's path is left alone"
        );
    }
    assert_eq!(row_counts(&mut client), (4, 12, 12));
}

/// Operators that fit the types better than Postgres' own are found wherever they are: in `public`, for example.
#[test]
fn reading_uses_no_operator_of_others() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = publish(&mut client, "1.0.0");
    client.batch_execute(EVIL).unwrap();
    for path in ["public, evil", "evil, public", "evil, pg_catalog, public"] {
        let mut client = db.client();
        client
            .batch_execute(&format!("SET search_path = {path}"))
            .unwrap();
        let row = client
            .query_one("SELECT public.ext_extension_id('acme', 'widget')", &[])
            .unwrap_or_else(|error| panic!("{path}: {error:?}"));
        assert_eq!(row.get::<_, uuid::Uuid>(0), published.extension_id);
        let rows = client
            .query(
                "SELECT version FROM public.ext_list_versions($1, 'tenant')",
                &[&published.extension_id],
            )
            .unwrap_or_else(|error| panic!("{path}: {error:?}"));
        assert_eq!(rows.len(), 1);
    }
    assert_eq!(
        list(&mut client, published.extension_id, Some("tenant"))
            .unwrap()
            .len(),
        1
    );
}
