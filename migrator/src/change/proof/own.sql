-- Oids of what is the registry's: its tables ($2, in schema $1), their shards on Citus and all their indexes, the functions
-- of the guards, the extension and the DDL guard. They are compared one by one; the members of the extension, in the
-- second list alone, not at all: its own script answers for them.
WITH relation AS (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND regexp_replace(c.relname, '_[0-9]+$', '') = ANY ($2)
),
own (oid, member) AS (
    SELECT r.oid, false FROM relation r
    UNION ALL
    SELECT i.indexrelid, false FROM pg_catalog.pg_index i JOIN relation r ON r.oid = i.indrelid
    UNION ALL
    SELECT p.oid, false
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = $1 AND p.proname ~ '^extension_\w+_immutable$' OR n.nspname = 'ext_registry_ddl_guard'
    UNION ALL
    SELECT e.oid, false FROM pg_catalog.pg_event_trigger e WHERE e.evtname ~ '^ext_registry_ddl_guard_'
    UNION ALL
    SELECT e.oid, false FROM pg_catalog.pg_extension e WHERE e.extname = 'ext_registry'
    UNION ALL
    SELECT d.objid, true
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'ext_registry'
    WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
)
SELECT coalesce(array_agg(o.oid) FILTER (WHERE NOT o.member), '{}'), coalesce(array_agg(o.oid), '{}') FROM own o
