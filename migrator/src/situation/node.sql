-- What one node holds, as one JSON document (citus.rs). Sent to each node, so without parameters:
-- @schema@ is the name of the schema as a literal. The path is set first, so that every name is printed with its schema.
SELECT json_build_object(
    -- Triggers and shards have the number of the shard at the end of their names.
    'shards', (
        SELECT coalesce(json_agg(json_build_object(
            'table', regexp_replace(c.relname, '_[0-9]+$', ''),
            'name', c.relname,
            'triggers', (
                SELECT coalesce(json_agg(json_build_object(
                    'name', regexp_replace(t.tgname, '_[0-9]+$', ''),
                    'definition',
                    regexp_replace(pg_get_triggerdef(t.oid), '(extension_[a-z_]+)_[0-9]+', '\1', 'g'),
                    'enabled', t.tgenabled
                ) ORDER BY t.tgname), '[]')
                FROM pg_trigger t
                WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
            )
        ) ORDER BY c.relname), '[]')
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = @schema@ AND c.relkind = 'r'
          AND c.relname ~ '^extension_(registry|version|bundle)_[0-9]+$'
    ),
    'functions', (
        SELECT coalesce(json_agg(json_build_object(
            'signature', p.proname || '()',
            'definition', replace(pg_get_functiondef(p.oid), p.prosrc, '@body@'),
            'body', p.prosrc
        )), '[]')
        FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = @schema@ AND p.pronargs = 0
          AND p.proname ~ '^extension_(registry_identity|version|bundle)_immutable$'
    ),
    'extension', EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'ext_registry'),
    -- Functions that read, in a language in which Citus does not plan them.
    'unplannable', (
        SELECT coalesce(json_agg(p.proname ORDER BY p.proname), '[]')
        FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        WHERE n.nspname = @schema@ AND p.proname IN ('ext_list_versions', 'ext_extension_id') AND l.lanname = 'sql'
    )
)::text
FROM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)
