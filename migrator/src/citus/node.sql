-- What one node holds, as one JSON document (nodes.rs). Sent to each node, so without parameters:
-- @schema@ is the name of the schema as a literal.
SELECT json_build_object(
    -- <table>.<trigger>, without the number of the shard, and how strongly it is enabled.
    'shards', (
        SELECT coalesce(json_agg(json_build_object(
            'table', regexp_replace(c.relname, '_[0-9]+$', ''),
            'name', c.relname,
            'guards', (
                SELECT coalesce(json_agg(regexp_replace(t.tgname, '_[0-9]+$', '') ORDER BY t.tgname), '[]')
                FROM pg_catalog.pg_trigger t
                WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled = 'A'
            )
        ) ORDER BY c.relname), '[]')
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = @schema@ AND c.relkind = 'r'
          AND c.relname ~ '^extension_(registry|version|bundle)_[0-9]+$'
    ),
    'functions', (
        SELECT coalesce(json_object_agg(p.proname, p.prosrc), '{}')
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = @schema@ AND p.pronargs = 0
          AND p.proname ~ '^extension_(registry_identity|version|bundle)_immutable$'
    ),
    'extension', EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'ext_registry'),
    -- Functions that read, in a language in which Citus does not plan them.
    'unplannable', (
        SELECT coalesce(json_agg(p.proname ORDER BY p.proname), '[]')
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE n.nspname = @schema@ AND p.proname IN ('ext_list_versions', 'ext_extension_id') AND l.lanname = 'sql'
    )
)::text
