use super::{
    Allowed, BUNDLE, DENIED, ENTRY, Outcome, Refused, VERSION, Way, superusers, way, writers,
};
use crate::world::Who;

const SECOND: &str = "INSERT INTO public.extension_bundle (id, version_id, content_hash)
    VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000a0', 'sha256:' || repeat('c', 64))";

/// Functions, operators, a cast and tables with the names that the guards use.
const HOSTILE: &str = "
    CREATE TABLE hostile.extension_bundle (LIKE public.extension_bundle);
    CREATE FUNCTION hostile.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT 'replica' $$;
    CREATE FUNCTION hostile.to_regclass(text) RETURNS regclass LANGUAGE sql AS $$ SELECT 'hostile.extension_bundle'::regclass $$;
    CREATE FUNCTION hostile.pg_typeof(\"any\") RETURNS regtype LANGUAGE internal AS 'pg_typeof';
    CREATE FUNCTION hostile.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$ SELECT 'hostile' $$;
    CREATE FUNCTION hostile.same(uuid, uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE OPERATOR hostile.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = hostile.same);
    CREATE OPERATOR hostile.<> (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = hostile.same);
    CREATE FUNCTION hostile.matches(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
    CREATE OPERATOR hostile.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.matches);
    CREATE DOMAIN hostile.uuid AS text;
    CREATE TABLE hostile.extension_version (LIKE public.extension_version);
    CREATE TABLE hostile.pg_class (LIKE pg_catalog.pg_class);
    CREATE TABLE hostile.pg_trigger (LIKE pg_catalog.pg_trigger);
    GRANT ALL ON ALL TABLES IN SCHEMA hostile TO PUBLIC";

const TEMPORARY: &str = "
    CREATE TEMP TABLE extension_bundle (LIKE public.extension_bundle);
    CREATE TEMP TABLE extension_version (LIKE public.extension_version);
    CREATE TEMP TABLE pg_class (LIKE pg_catalog.pg_class);
    SET search_path = pg_temp, pg_catalog, public;";

fn in_path(path: &str, statement: &str) -> String {
    format!("SET search_path = {path}; {statement}")
}

pub fn sessions() -> Vec<Way> {
    let replica = |statement: &str| format!("SET session_replication_role = replica; {statement}");
    let forged = |statement: &str| format!("SET ext_registry.finalizing = on; {statement}");
    vec![
        way(
            "session_replication_role = replica, then UPDATE or DELETE of a version",
            [
                replica("UPDATE public.extension_version SET runtime = 'x'"),
                replica("DELETE FROM public.extension_version"),
                replica("TRUNCATE public.extension_version CASCADE"),
                replica("INSERT INTO public.extension_version SELECT * FROM public.extension_version WHERE version = '1.0.0'
                    ON CONFLICT (id) DO UPDATE SET runtime = 'x'"),
            ],
            superusers(VERSION),
        ),
        way(
            "… of a bundle, or a second one",
            [
                replica("UPDATE public.extension_bundle SET signature = 'x'"),
                replica("DELETE FROM public.extension_bundle"),
                replica("TRUNCATE public.extension_bundle"),
                replica(SECOND),
            ],
            superusers(BUNDLE),
        ),
        way(
            "… of an entry, where no foreign key is checked",
            [
                replica("DELETE FROM public.extension_registry WHERE name = 'widget'"),
                replica("UPDATE public.extension_registry SET name = 'other' WHERE name = 'widget'"),
                replica("TRUNCATE public.extension_registry CASCADE"),
            ],
            superusers(ENTRY),
        ),
        way(
            "… of an entry, with a snapshot older than its first version",
            ["SET session_replication_role = replica; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT;
              DECLARE c CURSOR FOR SELECT 1 FROM public.extension_registry; FETCH c;
              other: INSERT INTO public.extension_version (id, registry_id, version, runtime, main_entry)
                  VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000e0', '1.0.0', 'x', 'x')
              then: DELETE FROM public.extension_registry WHERE name = 'empty'"],
            superusers(Refused("40001", None)),
        )
        .given("SELECT 'a database of its own'"),
        way(
            "session_replication_role = replica, then INSERT of rows marked as adopted",
            [replica("BEGIN; INSERT INTO public.extension_bundle (id, version_id, content_hash, adopted)
                VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000a0', 'OLD-3', true); ROLLBACK")],
            superusers(Allowed("restore and replication need it; rows that are there stay")),
        ),
        way(
            "SET CONSTRAINTS ALL DEFERRED",
            ["BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE public.extension_version SET runtime = 'x'"],
            writers(VERSION),
        ),
        way(
            "SERIALIZABLE with a snapshot older than the version",
            ["BEGIN ISOLATION LEVEL SERIALIZABLE; DECLARE c CURSOR FOR SELECT 1 FROM public.extension_registry; FETCH c;
              other: INSERT INTO public.extension_version (id, registry_id, version, runtime, main_entry)
                  VALUES ('00000000-0000-0000-0000-0000000000d1', '00000000-0000-0000-0000-0000000000e0', '2.0.0', 'x', 'x')
              then: DELETE FROM public.extension_registry WHERE name = 'empty'"],
            vec![(Who::App, Refused("23503", Some("extension_version_registry_id_fkey")))],
        )
        .given("SELECT 'a database of its own'"),
        way(
            "the error caught in a block or behind a savepoint",
            [
                "DO $$ BEGIN UPDATE public.extension_version SET runtime = 'x'; EXCEPTION WHEN OTHERS THEN NULL; END $$",
                "DO $$ BEGIN TRUNCATE public.extension_bundle; EXCEPTION WHEN OTHERS THEN NULL; END $$",
            ],
            super::everyone(Allowed("what was refused is undone")),
        ),
        way(
            "finalize's own setting, then a second bundle of an old version, or a change of one",
            [
                forged(SECOND),
                forged("INSERT INTO public.extension_bundle (id, version_id, content_hash, adopted)
                    VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000a0', 'x', true)"),
                forged("UPDATE public.extension_bundle SET signature = 'x'"),
                forged("DELETE FROM public.extension_bundle"),
            ],
            writers(BUNDLE),
        ),
        way(
            "… then a second bundle of a new version",
            [forged("INSERT INTO public.extension_bundle (id, version_id, content_hash)
                SELECT gen_random_uuid(), v.id, 'sha256:' || repeat('c', 64)
                FROM public.extension_version v WHERE NOT v.adopted LIMIT 1")],
            writers(Refused("23505", Some("extension_bundle_version_id_unique"))),
        ),
        way(
            "hostile functions, operators, types and tables first in search_path",
            [
                in_path("hostile, public, pg_catalog", "UPDATE extension_registry SET name = 'x' WHERE publisher = 'acme'"),
                in_path("hostile, pg_catalog, public", "DELETE FROM public.extension_registry WHERE name LIKE 'widget'"),
            ],
            writers(ENTRY),
        )
        .given(HOSTILE),
        way(
            "… for a second bundle, or one marked as adopted",
            [
                in_path("hostile, pg_catalog", SECOND),
                in_path("hostile, pg_catalog", "INSERT INTO public.extension_bundle (id, version_id, content_hash, adopted)
                    VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000a0', 'x', true)"),
                in_path("hostile, pg_catalog", "DELETE FROM public.extension_bundle"),
            ],
            writers(BUNDLE),
        )
        .given(HOSTILE),
        way(
            "temp tables that shadow ours and the catalogs",
            [format!("{TEMPORARY} {SECOND}"), format!("{TEMPORARY} DELETE FROM public.extension_bundle")],
            writers(BUNDLE),
        ),
        way(
            "row-level security that hides the bundles",
            [SECOND],
            vec![(Who::Publisher, DENIED), (Who::App, BUNDLE), (Who::Owner, BUNDLE), (Who::Superuser, BUNDLE)],
        )
        .given(
            "ALTER TABLE extension_bundle ENABLE ROW LEVEL SECURITY;
             CREATE POLICY blind ON extension_bundle FOR SELECT USING (false);
             CREATE POLICY write ON extension_bundle FOR INSERT WITH CHECK (true)",
        ),
        way(
            "… from their owner too (FORCE)",
            [SECOND],
            vec![(Who::Publisher, DENIED), (Who::App, DENIED), (Who::Owner, DENIED), (Who::Superuser, DENIED)],
        )
        .given(
            "ALTER TABLE extension_bundle ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             CREATE POLICY blind ON extension_bundle FOR SELECT USING (false);
             CREATE POLICY write ON extension_bundle FOR INSERT WITH CHECK (true)",
        ),
        way(
            "row-level security (FORCE) that hides the versions, then DELETE of their entry",
            ["DELETE FROM public.extension_registry WHERE name = 'widget'"],
            vec![(Who::App, DENIED), (Who::Owner, DENIED), (Who::Superuser, DENIED)],
        )
        .given(
            "ALTER TABLE extension_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             CREATE POLICY blind ON extension_version USING (false)",
        ),
        way(
            "renaming an entry and publishing again under the old name",
            ["UPDATE public.extension_registry SET name = 'retired' WHERE name = 'widget';
              INSERT INTO public.extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')"],
            writers(ENTRY),
        ),
        way(
            "an entry that differs in case or white space",
            ["BEGIN; INSERT INTO public.extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'Widget'),
                (gen_random_uuid(), 'acme', 'widget '); ROLLBACK"],
            writers(OTHER_ENTRY),
        ),
        way(
            "releasing all advisory locks first",
            ["SELECT pg_advisory_unlock_all(); UPDATE public.extension_version SET runtime = 'x'"],
            writers(VERSION),
        ),
    ]
}

const OTHER_ENTRY: Outcome = Allowed("it is another extension");
