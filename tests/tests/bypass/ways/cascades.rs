use super::{Allowed, BUNDLE, ENTRY, VERSION, Way, owners, way, writers};

/// A table of somebody else that ours refers to, with everything that may cascade.
const THIRD_TABLE: &str = "
    CREATE TABLE signer (id uuid PRIMARY KEY);
    GRANT ALL ON signer TO PUBLIC;
    INSERT INTO signer VALUES ('00000000-0000-0000-0000-000000000001');
    ALTER TABLE signer OWNER TO bypass_owner;
    SET ROLE bypass_owner;
    ALTER TABLE extension_bundle ADD COLUMN signer_id uuid DEFAULT '00000000-0000-0000-0000-000000000001'
        REFERENCES signer ON DELETE CASCADE ON UPDATE CASCADE;
    RESET ROLE";

const THIRD_TABLE_SET_NULL: &str = "
    CREATE TABLE signer (id uuid PRIMARY KEY);
    GRANT ALL ON signer TO PUBLIC;
    INSERT INTO signer VALUES ('00000000-0000-0000-0000-000000000001');
    ALTER TABLE extension_bundle ADD COLUMN signer_id uuid DEFAULT '00000000-0000-0000-0000-000000000001'
        REFERENCES signer ON DELETE SET NULL ON UPDATE SET DEFAULT;
    ALTER TABLE extension_bundle ALTER COLUMN signer_id SET DEFAULT '00000000-0000-0000-0000-000000000002'";

/// As the old schema has it.
const OLD_KEYS: &str = "
    ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_fkey,
        ADD FOREIGN KEY (registry_id) REFERENCES extension_registry ON DELETE CASCADE ON UPDATE CASCADE;
    ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_version_id_fkey,
        ADD FOREIGN KEY (version_id) REFERENCES extension_version ON DELETE CASCADE ON UPDATE CASCADE;
    ALTER TABLE tenant_extension_install DROP CONSTRAINT tenant_extension_install_registry_id_fkey,
        ADD FOREIGN KEY (registry_id) REFERENCES extension_registry ON DELETE CASCADE ON UPDATE CASCADE";

pub fn cascades() -> Vec<Way> {
    vec![
        way(
            "DELETE or new key of an entry, old keys with CASCADE",
            [
                "DELETE FROM public.extension_registry WHERE name = 'widget'",
                "UPDATE public.extension_registry SET id = gen_random_uuid() WHERE name = 'widget'",
            ],
            writers(ENTRY),
        )
        .given(OLD_KEYS),
        way(
            "DELETE or new key of a version, old keys with CASCADE",
            [
                "DELETE FROM public.extension_version WHERE version = '1.1.0'",
                "UPDATE public.extension_version SET id = gen_random_uuid() WHERE version = '1.1.0'",
            ],
            writers(VERSION),
        )
        .given(OLD_KEYS),
        way(
            "the same in session_replication_role = replica",
            ["SET session_replication_role = replica; DELETE FROM public.extension_registry WHERE name = 'widget'"],
            super::superusers(ENTRY),
        )
        .given(OLD_KEYS),
        way(
            "a foreign key of ours with CASCADE into another table",
            [
                "DELETE FROM public.signer",
                "UPDATE public.signer SET id = gen_random_uuid()",
                "TRUNCATE public.signer CASCADE",
            ],
            vec![
                (super::Who::App, BUNDLE),
                (super::Who::Owner, BUNDLE),
                (super::Who::Superuser, BUNDLE),
            ],
        )
        .given(THIRD_TABLE),
        way(
            "a foreign key of ours with SET NULL or SET DEFAULT",
            [
                "DELETE FROM public.signer",
                "UPDATE public.signer SET id = gen_random_uuid()",
            ],
            super::everyone(BUNDLE),
        )
        .given(THIRD_TABLE_SET_NULL),
        way(
            "a parent by inheritance",
            [
                "BEGIN; CREATE TABLE parent (LIKE public.extension_bundle); ALTER TABLE public.extension_bundle INHERIT parent;
                 UPDATE parent SET content_hash = 'x'",
                "BEGIN; CREATE TABLE parent (LIKE public.extension_bundle); ALTER TABLE public.extension_bundle INHERIT parent;
                 DELETE FROM parent",
                "BEGIN; CREATE TABLE parent (LIKE public.extension_bundle); ALTER TABLE public.extension_bundle INHERIT parent;
                 TRUNCATE parent",
            ],
            owners(BUNDLE),
        ),
        way(
            "attached as a partition",
            [
                "BEGIN; CREATE TABLE parent (LIKE public.extension_bundle) PARTITION BY LIST (adopted);
                 ALTER TABLE parent ATTACH PARTITION public.extension_bundle DEFAULT;
                 UPDATE parent SET content_hash = 'x'",
                "BEGIN; CREATE TABLE parent (LIKE public.extension_bundle) PARTITION BY LIST (adopted);
                 ALTER TABLE parent ATTACH PARTITION public.extension_bundle DEFAULT;
                 CREATE TABLE other PARTITION OF parent FOR VALUES IN (NULL);
                 UPDATE parent SET adopted = NULL",
                "BEGIN; CREATE TABLE parent (LIKE public.extension_bundle) PARTITION BY LIST (adopted);
                 ALTER TABLE parent ATTACH PARTITION public.extension_bundle DEFAULT;
                 DELETE FROM parent",
                "BEGIN; CREATE TABLE parent (LIKE public.extension_bundle) PARTITION BY LIST (adopted);
                 ALTER TABLE parent ATTACH PARTITION public.extension_bundle DEFAULT;
                 TRUNCATE parent",
            ],
            owners(BUNDLE),
        ),
        way(
            "a child by inheritance",
            ["BEGIN; CREATE TABLE child () INHERITS (public.extension_bundle); UPDATE public.extension_bundle SET signature = 'x'"],
            owners(BUNDLE),
        ),
        way(
            "storage options, statistics, CLUSTER, REINDEX",
            [
                "ALTER TABLE public.extension_version ALTER COLUMN api SET STORAGE EXTERNAL, ALTER COLUMN api SET STATISTICS 0,
                    SET (fillfactor = 50)",
                "CLUSTER public.extension_version USING extension_version_pkey",
                "REINDEX TABLE public.extension_version",
                "VACUUM FULL public.extension_bundle",
            ],
            vec![
                (super::Who::Owner, Allowed("values are not touched")),
                (super::Who::Superuser, Allowed("values are not touched")),
            ],
        ),
        way(
            "further columns, also generated ones",
            ["BEGIN; ALTER TABLE public.extension_version ADD COLUMN shout text GENERATED ALWAYS AS (upper(version)) STORED,
                ADD COLUMN at timestamptz DEFAULT clock_timestamp(); ROLLBACK"],
            owners(Allowed("the published columns keep their values")),
        )
        // A default that is computed for each row rewrites the table.
        .with_ddl_guard(VERSION),
    ]
}
