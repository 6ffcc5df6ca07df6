use super::{Allowed, BUNDLE, ENTRY, Refused, VERSION, Way, everyone, trigger_makers, way};
use crate::world::Who;

/// A trigger function that does this, made by whoever tries.
fn trigger(body: &str, trigger: &str) -> String {
    format!(
        "BEGIN; CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$; {trigger};"
    )
}

const NEW_VERSION: &str = "INSERT INTO public.extension_version (id, registry_id, version, runtime, main_entry) VALUES
    ('00000000-0000-0000-0000-0000000000d0', '00000000-0000-0000-0000-00000000000e', '3.0.0', 'x', 'x');";
const ITS_BUNDLE: &str = "INSERT INTO public.extension_bundle (id, version_id, content_hash)
    VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000d0', 'sha256:' || repeat('c', 64))";

fn redirected(to: &str, name: &str) -> String {
    let mine = trigger(
        &format!("NEW.version_id := '00000000-0000-0000-0000-0000000000{to}'; RETURN NEW;"),
        &format!(
            "CREATE TRIGGER {name} BEFORE INSERT ON public.extension_bundle FOR EACH ROW EXECUTE FUNCTION public.mine()"
        ),
    );
    format!("{mine} {NEW_VERSION} {ITS_BUNDLE}")
}

fn replaced(guard: &str, events: &str, table: &str, level: &str, then: &str) -> String {
    let mine = trigger(
        "RETURN coalesce(NEW, OLD);",
        &format!(
            "CREATE OR REPLACE TRIGGER {guard} {events} ON public.{table} FOR EACH {level} EXECUTE FUNCTION public.mine()"
        ),
    );
    format!("{mine} {then}")
}

pub fn code() -> Vec<Way> {
    let marked = trigger(
        "NEW.adopted := true; RETURN NEW;",
        "CREATE TRIGGER zz BEFORE INSERT ON public.extension_bundle FOR EACH ROW EXECUTE FUNCTION public.mine()",
    );
    let marked_version = trigger(
        "NEW.adopted := true; RETURN NEW;",
        "CREATE TRIGGER zz BEFORE INSERT ON public.extension_version FOR EACH ROW EXECUTE FUNCTION public.mine()",
    );
    let renamed = trigger(
        "NEW.name := 'other'; RETURN NEW;",
        "CREATE TRIGGER zz BEFORE UPDATE ON public.extension_registry FOR EACH ROW EXECUTE FUNCTION public.mine()",
    );
    vec![
        way(
            "an updatable view, granted to everybody",
            ["UPDATE public.published SET runtime = 'x'", "DELETE FROM public.published",
             "INSERT INTO public.published SELECT * FROM public.published WHERE version = '1.0.0' ON CONFLICT (id) DO UPDATE SET runtime = 'x'"],
            everyone(VERSION),
        )
        .given("CREATE VIEW published WITH (security_barrier) AS SELECT * FROM extension_version; GRANT ALL ON published TO PUBLIC"),
        way(
            "a rule that turns an INSERT elsewhere into an UPDATE of ours",
            ["INSERT INTO public.inbox VALUES ('x')"],
            everyone(VERSION),
        )
        .given(
            "CREATE TABLE inbox (runtime text); GRANT ALL ON inbox TO PUBLIC;
             CREATE RULE relay AS ON INSERT TO inbox DO ALSO UPDATE extension_version SET runtime = NEW.runtime",
        ),
        way(
            "a rule on our own table",
            ["INSERT INTO public.extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'x', 'x')"],
            super::writers(VERSION),
        )
        .given("CREATE RULE relay AS ON INSERT TO extension_registry DO ALSO UPDATE extension_version SET runtime = 'x'"),
        way(
            "a SECURITY DEFINER function of a superuser",
            ["SELECT public.rewrite()", "SELECT public.rewrite_as_replica()"],
            everyone(VERSION),
        )
        .given(
            "CREATE FUNCTION rewrite() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ UPDATE public.extension_version SET runtime = 'x' $$;
             CREATE FUNCTION rewrite_as_replica() RETURNS void LANGUAGE sql SECURITY DEFINER SET session_replication_role = replica
             AS $$ DELETE FROM public.extension_version $$",
        ),
        way(
            "a trigger on another table",
            ["INSERT INTO public.inbox VALUES ('x')"],
            everyone(BUNDLE),
        )
        .given(
            "CREATE TABLE inbox (runtime text); GRANT ALL ON inbox TO PUBLIC;
             CREATE FUNCTION relay() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
             AS $$ BEGIN DELETE FROM public.extension_bundle; RETURN NEW; END $$;
             CREATE TRIGGER relay AFTER INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION relay()",
        ),
        way(
            "postgres_fdw back into this database, as superuser",
            ["UPDATE public.remote_version SET runtime = 'x'", "DELETE FROM public.remote_version"],
            everyone(Refused("23001", None)),
        )
        .with_extension("postgres_fdw")
        .given(
            "CREATE EXTENSION postgres_fdw;
             DO $$ BEGIN
                 EXECUTE format('CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
                     current_setting('unix_socket_directories'), current_setting('port'), current_database());
             END $$;
             CREATE USER MAPPING FOR PUBLIC SERVER loop OPTIONS (user 'postgres', password_required 'false');
             CREATE FOREIGN TABLE remote_version (id uuid, runtime text) SERVER loop
                 OPTIONS (schema_name 'public', table_name 'extension_version');
             GRANT ALL ON remote_version TO PUBLIC",
        ),
        way(
            "a BEFORE trigger that hands a bundle to another version, fired after the guard",
            [redirected("a0", "zz")],
            trigger_makers(BUNDLE),
        ),
        way(
            "… or before it",
            [redirected("a0", "aa"), redirected("a1", "aa")],
            trigger_makers(BUNDLE),
        ),
        way(
            "… to a version whose bundle is no adopted one",
            [redirected("a1", "zz")],
            trigger_makers(Refused("23505", Some("extension_bundle_version_id_unique"))),
        ),
        way(
            "a BEFORE trigger that marks new bundles as adopted",
            [format!("{marked} {NEW_VERSION} {ITS_BUNDLE}")],
            trigger_makers(BUNDLE),
        ),
        way(
            "a BEFORE trigger that marks new versions as adopted",
            [format!("{marked_version} {NEW_VERSION}")],
            trigger_makers(VERSION),
        ),
        way(
            "a BEFORE trigger that renames an entry on a harmless UPDATE",
            [format!("{renamed} UPDATE public.extension_registry SET display_name = 'x' WHERE name = 'widget'")],
            trigger_makers(ENTRY),
        ),
        way(
            "CREATE OR REPLACE TRIGGER over the guard of versions",
            [replaced("extension_version_immutable", "BEFORE UPDATE", "extension_version", "ROW",
                "UPDATE public.extension_version SET runtime = 'x'")],
            trigger_makers(VERSION),
        ),
        way(
            "… against DELETE: the foreign key is first",
            [replaced("extension_version_immutable", "BEFORE DELETE", "extension_version", "ROW",
                "DELETE FROM public.extension_version WHERE version = '1.1.0'")],
            trigger_makers(Refused("23503", Some("extension_bundle_version_id_fkey"))),
        )
        .with_ddl_guard(VERSION),
        way(
            "… against DELETE, in session_replication_role = replica",
            [replaced("extension_version_immutable", "BEFORE DELETE", "extension_version", "ROW",
                "SET session_replication_role = replica; DELETE FROM public.extension_version WHERE version = '1.1.0'")],
            vec![(Who::TriggerApp, super::DENIED), (Who::Owner, super::DENIED), (Who::Superuser, VERSION)],
        )
        .with_ddl_guard(VERSION),
        way(
            "… of bundles",
            [
                replaced("extension_bundle_immutable", "BEFORE UPDATE", "extension_bundle", "ROW",
                    "UPDATE public.extension_bundle SET signature = 'x'"),
                replaced("extension_bundle_immutable", "BEFORE DELETE", "extension_bundle", "ROW",
                    "DELETE FROM public.extension_bundle"),
                replaced("extension_bundle_immutable", "BEFORE INSERT", "extension_bundle", "ROW",
                    "INSERT INTO public.extension_bundle (id, version_id, content_hash)
                     VALUES (gen_random_uuid(), '00000000-0000-0000-0000-0000000000a0', 'sha256:' || repeat('c', 64))"),
            ],
            trigger_makers(BUNDLE),
        ),
        way(
            "… of entries, against renaming",
            [replaced("extension_registry_identity_immutable", "BEFORE UPDATE", "extension_registry", "ROW",
                "UPDATE public.extension_registry SET name = 'other' WHERE name = 'widget'")],
            trigger_makers(ENTRY),
        ),
        way(
            "… of entries, against DELETE: the foreign key is left",
            [replaced("extension_registry_identity_immutable_delete", "BEFORE DELETE", "extension_registry", "ROW",
                "DELETE FROM public.extension_registry WHERE name = 'widget'")],
            trigger_makers(Refused("23503", Some("extension_version_registry_id_fkey"))),
        )
        .with_ddl_guard(ENTRY),
        way(
            "CREATE OR REPLACE TRIGGER over the constraint triggers behind them",
            [
                replaced("extension_version_immutable_stored", "AFTER UPDATE", "extension_version", "ROW", ""),
                replaced("extension_version_immutable_adopted", "AFTER INSERT", "extension_version", "ROW", ""),
                replaced("extension_bundle_immutable_stored", "AFTER UPDATE", "extension_bundle", "ROW", ""),
                replaced("extension_registry_identity_immutable_stored", "AFTER UPDATE", "extension_registry", "ROW", ""),
            ],
            trigger_makers(Refused("42710", None)),
        ),
        way(
            "DROP or DISABLE of a guard",
            [
                "DROP TRIGGER extension_version_immutable_stored ON public.extension_version",
                "ALTER TABLE public.extension_version DISABLE TRIGGER extension_version_immutable",
                "DROP FUNCTION public.extension_version_immutable() CASCADE",
                "CREATE OR REPLACE FUNCTION public.extension_version_immutable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
                "ALTER TABLE public.extension_bundle ALTER COLUMN adopted SET DEFAULT true",
                "DROP INDEX public.extension_bundle_version_id_unique",
            ],
            vec![
                (Who::Publisher, super::DENIED),
                (Who::Reader, super::DENIED),
                (Who::App, super::DENIED),
                (Who::TriggerApp, super::DENIED),
            ],
        ),
        way(
            "putting a guard's function on a table of one's own",
            ["CREATE TEMP TABLE mine (id uuid, version_id uuid, content_hash text, adopted boolean);
              CREATE TRIGGER t BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION public.extension_bundle_immutable()"],
            vec![
                (Who::Publisher, super::DENIED),
                (Who::Reader, super::DENIED),
                (Who::App, super::DENIED),
                (Who::TriggerApp, super::DENIED),
            ],
        ),
        way(
            "an INSERT whose trigger swallows the row",
            [format!(
                "{} {NEW_VERSION} ROLLBACK",
                trigger(
                    "RETURN NULL;",
                    "CREATE TRIGGER aa BEFORE INSERT ON public.extension_version FOR EACH ROW EXECUTE FUNCTION public.mine()"
                )
            )],
            trigger_makers(Allowed("nothing is stored")),
        ),
    ]
}
