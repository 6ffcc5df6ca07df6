//! Nobody gains rights through finalize, a guard or the list: whatever an owner without superuser rights has hung on
//! the tables runs with the owner's rights at most, and leaves nothing behind in the session.

use ext_registry_tests::{Database, Refusal};
use postgres::Client;

use crate::world::{self, Who};

/// Tries everything a superuser could do, and says as whom.
const PAYLOAD: &str = "
    CREATE TABLE public.attempts (role text, what text);
    GRANT ALL ON public.attempts TO PUBLIC;
    CREATE FUNCTION public.attempt() RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO public.attempts VALUES (current_user, 'came here');
        BEGIN ALTER ROLE bypass_owner SUPERUSER; INSERT INTO public.attempts VALUES (current_user, 'ALTER ROLE');
        EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE 'SET ROLE postgres'; INSERT INTO public.attempts VALUES (current_user, 'SET ROLE');
        EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE 'SET SESSION AUTHORIZATION postgres'; INSERT INTO public.attempts VALUES (current_user, 'SET SESSION AUTHORIZATION');
        EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE 'RESET ROLE'; IF current_user <> 'bypass_owner' THEN INSERT INTO public.attempts VALUES (current_user, 'RESET ROLE'); END IF;
        EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN CREATE TEMP TABLE left_behind (); INSERT INTO public.attempts VALUES (current_user, 'CREATE TEMP TABLE');
        EXCEPTION WHEN OTHERS THEN NULL; END;
        PERFORM set_config('search_path', 'hostile, pg_catalog', false);
        PERFORM set_config('bypass.left_behind', 'yes', false);
        PERFORM set_config('row_security', 'off', false);
        RETURN true;
    END $$;
    -- For places that take immutable expressions only.
    CREATE FUNCTION public.disguised(anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN PERFORM public.attempt(); RETURN $1; END $$;
    CREATE FUNCTION public.attempting_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM public.attempt(); RETURN NEW; END $$;";

/// Where the owner puts it. Each names what it is.
const HOOKS: &[(&str, &str)] = &[
    ("BEFORE trigger on entries", "CREATE TRIGGER hook BEFORE INSERT ON extension_registry FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"),
    ("BEFORE trigger on versions", "CREATE TRIGGER hook BEFORE INSERT ON extension_version FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"),
    ("BEFORE trigger on bundles", "CREATE TRIGGER hook BEFORE INSERT ON extension_bundle FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"),
    ("AFTER trigger", "CREATE TRIGGER hook AFTER INSERT ON extension_bundle FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"),
    ("statement trigger", "CREATE TRIGGER hook AFTER INSERT ON extension_version FOR EACH STATEMENT EXECUTE FUNCTION attempting_trigger()"),
    ("trigger's WHEN", "CREATE TRIGGER hook BEFORE INSERT ON extension_version FOR EACH ROW WHEN (attempt()) EXECUTE FUNCTION attempting_trigger()"),
    ("deferred constraint trigger", "CREATE CONSTRAINT TRIGGER hook AFTER INSERT ON extension_version DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"),
    ("default", "ALTER TABLE extension_version ADD COLUMN hook boolean; ALTER TABLE extension_version ALTER COLUMN hook SET DEFAULT attempt()"),
    ("generated column", "ALTER TABLE extension_version ADD COLUMN hook varchar GENERATED ALWAYS AS (disguised(version)) STORED; TRUNCATE public.attempts"),
    ("CHECK", "ALTER TABLE extension_bundle ADD CONSTRAINT hook CHECK (attempt()) NOT VALID"),
    ("index expression", "CREATE INDEX hook ON extension_bundle (disguised(content_hash)); TRUNCATE public.attempts"),
    ("partial index", "CREATE INDEX hook ON extension_bundle (id) WHERE disguised(adopted); TRUNCATE public.attempts"),
    ("domain", "CREATE DOMAIN hook AS boolean CHECK (attempt()); ALTER TABLE extension_bundle ADD COLUMN hook hook DEFAULT true; TRUNCATE public.attempts"),
    ("rule DO ALSO", "CREATE RULE hook AS ON INSERT TO extension_version DO ALSO SELECT attempt()"),
    ("policy under FORCE ROW LEVEL SECURITY", "ALTER TABLE extension_bundle ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY hook ON extension_bundle USING (attempt()) WITH CHECK (attempt())"),
    ("view in place of the entries", "ALTER TABLE extension_registry RENAME TO entries;
        CREATE VIEW extension_registry AS SELECT * FROM entries WHERE attempt()"),
    ("view in place of the bundles", "ALTER TABLE extension_bundle RENAME TO bundles;
        CREATE VIEW extension_bundle AS SELECT * FROM bundles WHERE attempt();
        CREATE TRIGGER hook INSTEAD OF INSERT ON extension_bundle FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"),
];

fn attempts(db: &Database) -> Vec<(String, String)> {
    let rows = db
        .client()
        .query(
            "SELECT DISTINCT role, what FROM attempts ORDER BY 1, 2",
            &[],
        )
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn assert_nothing_gained(db: &Database, hook: &str) {
    for (role, what) in attempts(db) {
        assert_eq!(
            (role.as_str(), what.as_str()),
            (Who::Owner.role(), "came here"),
            "{hook}"
        );
    }
    let row = db
        .client()
        .query_one(
            "SELECT rolsuper FROM pg_roles WHERE rolname = $1",
            &[&Who::Owner.role()],
        )
        .unwrap();
    assert!(!row.get::<_, bool>(0), "{hook}");
}

/// What a session is, for comparison.
fn session(client: &mut Client) -> Vec<String> {
    let row = client
        .query_one(
            "SELECT current_user::text, session_user::text, current_setting('search_path'), current_setting('row_security'),
                    coalesce(current_setting('bypass.left_behind', true), ''), current_setting('role'),
                    (SELECT count(*)::text FROM pg_class WHERE relnamespace = pg_my_temp_schema())",
            &[],
        )
        .unwrap();
    (0..row.len()).map(|column| row.get(column)).collect()
}

fn finalize(client: &mut Client, name: &str, version: &str) -> Result<u64, postgres::Error> {
    let manifest = serde_json::json!({"publisher": "acme", "name": name, "version": version, "runtime": "node@1"});
    client.execute(
        "SELECT public.ext_finalize_version($1, repeat('d', 64))",
        &[&manifest],
    )
}

#[test]
fn a_superusers_publish_runs_nothing_with_more_rights_than_the_owners() {
    let mut came = Vec::new();
    for (hook, sql) in HOOKS {
        let db = world::database();
        db.client_as(Who::Owner.role())
            .batch_execute(&format!("{PAYLOAD} {sql}"))
            .unwrap_or_else(|error| panic!("{hook}: {error:?}"));
        for who in [Who::Superuser, Who::Publisher] {
            let mut client = db.client_as(who.role());
            let before = session(&mut client);
            // Whether it is published is not the point here; a new entry, an exact version and a wildcard.
            let _ = finalize(&mut client, &format!("of-{}", who.role()), "1.0.0");
            let _ = finalize(&mut client, "widget", "7.0.*");
            let _ = client.execute(
                "SELECT public.ext_finalize_bundle('{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"8.0.0\", \"runtime\": \"node@1\"}', 'x')",
                &[],
            );
            assert_eq!(session(&mut client), before, "{hook} as {}", who.title());
            assert_nothing_gained(&db, hook);
        }
        if !attempts(&db).is_empty() {
            came.push(*hook);
        }
    }
    // The hooks do run, or this test would prove nothing. These never get that far; Postgres takes no INSERT in WITH
    // into a table with such a rule.
    let never = [
        "deferred constraint trigger",
        "rule DO ALSO",
        "policy under FORCE ROW LEVEL SECURITY",
    ];
    for (hook, _) in HOOKS {
        assert_eq!(
            came.contains(hook),
            !never.contains(hook),
            "{hook}: {came:?}"
        );
    }
}

#[test]
fn a_deferred_trigger_would_run_as_the_caller_and_is_refused() {
    let db = world::database();
    db.client_as(Who::Owner.role())
        .batch_execute(&format!(
            "{PAYLOAD} CREATE CONSTRAINT TRIGGER hook AFTER INSERT ON extension_version DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"
        ))
        .unwrap();
    finalize(&mut db.client(), "widget", "2.0.0")
        .refused()
        .with_sqlstate("42501");
    assert_eq!(attempts(&db), []);
}

#[test]
fn tables_of_several_owners_are_not_published_to() {
    for given_away in [
        "extension_registry",
        "extension_bundle",
        "extension_version",
    ] {
        let db = world::database();
        db.client()
            .batch_execute(&format!(
                "ALTER TABLE extension_registry OWNER TO postgres;
                 ALTER TABLE extension_version OWNER TO postgres;
                 ALTER TABLE extension_bundle OWNER TO postgres;
                 ALTER TABLE {given_away} OWNER TO bypass_owner"
            ))
            .unwrap();
        db.client_as(Who::Owner.role())
            .batch_execute(&format!(
                "{PAYLOAD} CREATE TRIGGER hook BEFORE INSERT ON {given_away} FOR EACH ROW EXECUTE FUNCTION attempting_trigger()"
            ))
            .unwrap();
        finalize(&mut db.client(), "another", "2.0.0")
            .refused()
            .with_sqlstate("55000");
        assert_eq!(attempts(&db), [], "{given_away}");
    }
}

/// Tables given to somebody, the guards' functions forgotten: they are still the old owner's, here a superuser's.
fn with_forgotten_functions() -> Database<'static> {
    let db = world::database();
    db.client()
        .batch_execute(
            "ALTER FUNCTION extension_bundle_immutable() OWNER TO postgres;
             ALTER FUNCTION extension_version_immutable() OWNER TO postgres;
             ALTER FUNCTION extension_registry_identity_immutable() OWNER TO postgres",
        )
        .unwrap();
    db
}

#[test]
fn a_guard_left_behind_by_a_superuser_runs_no_code_of_the_new_owner() {
    const SWAPS: &[(&str, &str)] = &[
        ("a view in place of the versions, then DELETE of an entry",
         "ALTER TABLE extension_version RENAME TO versions;
          CREATE VIEW extension_version AS SELECT * FROM versions WHERE attempt();
          DELETE FROM public.extension_registry"),
        ("a view in place of the versions, then a refused bundle",
         "ALTER TABLE extension_version RENAME TO versions;
          CREATE VIEW extension_version AS SELECT * FROM versions WHERE attempt();
          DELETE FROM public.extension_bundle"),
        ("a view in place of the bundles, then INSERT into the renamed table",
         "ALTER TABLE extension_bundle RENAME TO bundles;
          CREATE VIEW extension_bundle AS SELECT * FROM bundles WHERE attempt();
          INSERT INTO public.bundles (id, version_id, content_hash) VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000a0', 'sha256:' || repeat('e', 64))"),
        ("a guard moved to another table",
         "CREATE TABLE bundles (LIKE extension_bundle);
          CREATE TRIGGER hook BEFORE INSERT ON bundles FOR EACH ROW EXECUTE FUNCTION extension_bundle_immutable()"),
        ("a domain as type of a column",
         "CREATE DOMAIN hook AS boolean CHECK (attempt());
          DROP TRIGGER extension_bundle_immutable_stored ON extension_bundle;
          ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_content_hash_check, DROP CONSTRAINT extension_bundle_size_bytes_check;
          DROP INDEX extension_bundle_version_id_unique;
          ALTER TABLE extension_bundle ALTER COLUMN adopted DROP DEFAULT, ALTER COLUMN adopted TYPE hook;
          TRUNCATE public.attempts;
          INSERT INTO public.extension_bundle (id, version_id, content_hash, adopted) VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000a0', 'x', false)"),
        ("a type with a cast of its own",
         "CREATE TYPE hook AS (id uuid);
          CREATE FUNCTION to_uuid(hook) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN PERFORM public.attempt(); RETURN $1.id; END $$;
          CREATE CAST (hook AS uuid) WITH FUNCTION to_uuid(hook) AS IMPLICIT;
          CREATE FUNCTION from_uuid(uuid) RETURNS hook LANGUAGE sql IMMUTABLE AS $$ SELECT ROW($1)::public.hook $$;
          ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey;
          DROP INDEX extension_bundle_version_id_unique;
          ALTER TABLE extension_bundle ALTER COLUMN version_id TYPE hook USING from_uuid(version_id);
          INSERT INTO public.extension_bundle (id, version_id, content_hash) VALUES (gen_random_uuid(), ROW('00000000-0000-0000-0000-0000000000a0')::public.hook, 'sha256:' || repeat('e', 64))"),
        ("the same, then DELETE",
         "CREATE TYPE hook AS (id uuid);
          CREATE FUNCTION to_uuid(hook) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN PERFORM public.attempt(); RETURN $1.id; END $$;
          CREATE CAST (hook AS uuid) WITH FUNCTION to_uuid(hook) AS IMPLICIT;
          CREATE FUNCTION from_uuid(uuid) RETURNS hook LANGUAGE sql IMMUTABLE AS $$ SELECT ROW($1)::public.hook $$;
          ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey;
          DROP INDEX extension_bundle_version_id_unique;
          ALTER TABLE extension_bundle ALTER COLUMN version_id TYPE hook USING from_uuid(version_id);
          DELETE FROM public.extension_bundle"),
    ];
    for (swap, sql) in SWAPS {
        let db = with_forgotten_functions();
        let mut client = db.client_as(Who::Owner.role());
        client.batch_execute(PAYLOAD).unwrap();
        let (given, last) = sql.rsplit_once(';').unwrap();
        client
            .batch_execute(given)
            .unwrap_or_else(|error| panic!("{swap}: {error:?}"));
        client.batch_execute(last).refused();
        // As the owner itself is fine; the log would show any other role, were the statement not rolled back: so look
        // at what an error cannot undo as well.
        assert_nothing_gained(&db, swap);
        client
            .batch_execute(&format!(
                "DO $$ BEGIN {last}; EXCEPTION WHEN OTHERS THEN NULL; END $$"
            ))
            .unwrap();
        assert_nothing_gained(&db, swap);
    }
}

#[test]
fn a_reader_runs_no_operator_of_others() {
    let db = world::database();
    db.client_as(Who::App.role())
        .batch_execute(
            "CREATE FUNCTION public.hook(varchar, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile operator'; END $$;
             CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = public.hook);
             CREATE FUNCTION hostile.hook(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile operator'; END $$;
             CREATE OPERATOR hostile.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = hostile.hook);
             CREATE FUNCTION hostile.count() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile function'; END $$;
             CREATE DOMAIN hostile.text AS int;
             CREATE TABLE hostile.extension_version ()",
        )
        .unwrap();
    for who in [Who::Reader, Who::Superuser] {
        for path in [
            "\"$user\", public",
            "hostile, pg_catalog",
            "hostile, public, pg_catalog",
        ] {
            let mut client = db.client_as(who.role());
            client
                .batch_execute(&format!("SET search_path = {path}"))
                .unwrap();
            let id = "00000000-0000-0000-0000-00000000000e";
            let found: uuid::Uuid = client
                .query_one("SELECT public.ext_extension_id('acme', 'widget')", &[])
                .unwrap()
                .get(0);
            assert_eq!(found.to_string(), id);
            let rows = client
                .query(
                    &format!(
                        "SELECT version, installed FROM public.ext_list_versions('{id}', 't')"
                    ),
                    &[],
                )
                .unwrap();
            let listed: Vec<(String, bool)> =
                rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            let expected = [("1.1.0", false), ("1.0.0", true), ("0.1.0", false)];
            assert_eq!(
                listed,
                expected.map(|(version, installed)| (version.to_owned(), installed)),
                "{path}"
            );
        }
    }
}

#[test]
fn up_bakes_no_operator_of_others_into_a_constraint() {
    let db = world::server().empty_database();
    db.client()
        .batch_execute(
            "CREATE FUNCTION public.hook(varchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;
             CREATE OPERATOR public.~ (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.hook);
             CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.hook)",
        )
        .unwrap();
    db.ext_migrate(&["up"]).succeeded();
    let row = db
        .client()
        .query_one(
            "SELECT count(*) FROM pg_depend d WHERE d.refclassid = 'pg_operator'::regclass AND d.classid <> 'pg_operator'::regclass
               AND d.refobjid IN (SELECT oid FROM pg_operator WHERE oprnamespace = 'public'::regnamespace)",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}
