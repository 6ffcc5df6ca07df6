-- What is in the database, as one JSON document (facts.rs). Reads catalogs only, which every role may do.
-- $1 schema, $2 the tables, $3 names our migrations give to other relations, $4 our functions,
-- $5 functions of the extension, $6 the history table.
WITH ns AS (
    SELECT n.oid, n.nspowner FROM pg_namespace n WHERE n.nspname = $1
),
rel AS (
    SELECT c.*
    FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
    WHERE c.relname = ANY ($2)
),
-- Since 16 a member may SET ROLE only where the grant says so.
become AS (
    SELECT CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END AS right
),
columns AS (
    SELECT a.attrelid AS oid,
           json_agg(json_build_object(
               'name', a.attname,
               'type', format_type(a.atttypid, a.atttypmod),
               'not_null', a.attnotnull,
               'generated', a.attgenerated <> '' OR a.attidentity = 'a',
               'default', pg_get_expr(d.adbin, d.adrelid)
           ) ORDER BY a.attnum) AS list
    FROM rel
    JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    GROUP BY a.attrelid
),
constraints AS (
    SELECT k.conrelid AS oid,
           json_agg(json_build_object(
               'name', k.conname,
               'kind', k.contype,
               'definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
               'valid', k.convalidated,
               -- A column from 18 on.
               'enforced', coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true),
               'columns', (
                   SELECT coalesce(json_agg(a.attname ORDER BY a.attname), '[]')
                   FROM pg_attribute a
                   WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
               ),
               'references', (
                   SELECT f.relname FROM pg_class f JOIN ns ON ns.oid = f.relnamespace WHERE f.oid = k.confrelid
               )
           ) ORDER BY k.conname) AS list
    FROM rel JOIN pg_constraint k ON k.conrelid = rel.oid
    WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
    GROUP BY k.conrelid
),
indexes AS (
    SELECT i.indrelid AS oid,
           json_agg(json_build_object(
               'name', c.relname,
               'definition', pg_get_indexdef(i.indexrelid),
               'valid', i.indisvalid AND i.indisready AND i.indislive,
               -- What ON CONFLICT (columns) can use.
               'arbiter', i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL,
               'columns', (
                   SELECT coalesce(json_agg(a.attname ORDER BY a.attname), '[]')
                   FROM pg_attribute a
                   WHERE a.attrelid = i.indrelid
                     AND a.attnum = ANY ((i.indkey::int2[])[0 : i.indnkeyatts - 1])
               )
           ) ORDER BY c.relname) AS list
    FROM rel
    JOIN pg_index i ON i.indrelid = rel.oid
    JOIN pg_class c ON c.oid = i.indexrelid
    GROUP BY i.indrelid
),
triggers AS (
    SELECT t.tgrelid AS oid,
           json_agg(json_build_object(
               'name', t.tgname,
               'definition', pg_get_triggerdef(t.oid),
               'enabled', t.tgenabled,
               'before_row', t.tgtype & 3 = 3
           ) ORDER BY t.tgname) AS list
    FROM rel JOIN pg_trigger t ON t.tgrelid = rel.oid
    WHERE NOT t.tgisinternal
    GROUP BY t.tgrelid
),
rules AS (
    SELECT r.ev_class AS oid, json_agg(r.rulename ORDER BY r.rulename) AS list
    FROM rel JOIN pg_rewrite r ON r.ev_class = rel.oid
    WHERE r.rulename <> '_RETURN'
    GROUP BY r.ev_class
),
relations AS (
    SELECT coalesce(json_agg(json_build_object(
        'name', rel.relname,
        'kind', rel.relkind,
        'persistence', rel.relpersistence,
        'typed', rel.reloftype <> 0,
        'owner', o.rolname,
        'owner_may_create', has_schema_privilege(o.oid, rel.relnamespace, 'CREATE'),
        'may_become_owner', pg_has_role(o.oid, become.right),
        'row_security', rel.relrowsecurity,
        'force_row_security', rel.relforcerowsecurity,
        'rows_estimate', greatest(rel.reltuples, 0)::bigint,
        'readable', has_table_privilege(rel.oid, 'SELECT'),
        'parents', (
            SELECT coalesce(json_agg(h.inhparent::regclass::text ORDER BY 1), '[]')
            FROM pg_inherits h WHERE h.inhrelid = rel.oid
        ),
        'children', (
            SELECT coalesce(json_agg(h.inhrelid::regclass::text ORDER BY 1), '[]')
            FROM pg_inherits h WHERE h.inhparent = rel.oid
        ),
        'trigger_rights', (
            SELECT coalesce(json_agg(DISTINCT t.rolname), '[]')
            FROM aclexplode(rel.relacl) g JOIN pg_roles t ON t.oid = g.grantee
            WHERE g.privilege_type = 'TRIGGER' AND g.grantee <> rel.relowner AND NOT t.rolsuper
        ),
        'public_rights', (
            SELECT coalesce(json_agg(DISTINCT p.privilege_type), '[]')
            FROM (
                SELECT g.privilege_type
                FROM aclexplode(rel.relacl) g
                WHERE g.grantee = 0
                UNION ALL
                SELECT g.privilege_type || ' (' || quote_ident(a.attname) || ')'
                FROM pg_attribute a, aclexplode(a.attacl) g
                WHERE a.attrelid = rel.oid AND NOT a.attisdropped AND g.grantee = 0
            ) p
        ),
        'columns', coalesce(columns.list, '[]'),
        'constraints', coalesce(constraints.list, '[]'),
        'indexes', coalesce(indexes.list, '[]'),
        'triggers', coalesce(triggers.list, '[]'),
        'rules', coalesce(rules.list, '[]'),
        -- Foreign keys are enforced by triggers of the system.
        'disabled_foreign_keys', (
            SELECT coalesce(json_agg(DISTINCT k.conname), '[]')
            FROM pg_trigger t JOIN pg_constraint k ON k.oid = t.tgconstraint
            WHERE t.tgrelid = rel.oid AND t.tgisinternal AND t.tgenabled IN ('D', 'R') AND k.contype = 'f'
        ),
        -- What an INSERT leaves for the commit: its own foreign keys and constraint triggers, not those of tables that
        -- refer to it. Deferred unique keys leave something only where they are broken.
        'deferred', (
            SELECT coalesce(json_agg(DISTINCT jsonb_build_object('name', k.conname, 'kind', k.contype)), '[]')
            FROM pg_trigger t JOIN pg_constraint k ON k.oid = t.tgconstraint
            WHERE t.tgrelid = rel.oid AND t.tginitdeferred AND t.tgenabled <> 'D' AND k.contype IN ('f', 't')
              AND t.tgtype & 4 = 4
        )
    ) ORDER BY rel.relname), '[]') AS list
    FROM rel
    CROSS JOIN become
    JOIN pg_roles o ON o.oid = rel.relowner
    LEFT JOIN columns ON columns.oid = rel.oid
    LEFT JOIN constraints ON constraints.oid = rel.oid
    LEFT JOIN indexes ON indexes.oid = rel.oid
    LEFT JOIN triggers ON triggers.oid = rel.oid
    LEFT JOIN rules ON rules.oid = rel.oid
),
-- Guard functions take no arguments.
functions AS (
    SELECT coalesce(json_agg(json_build_object(
        'name', p.proname,
        'owner', o.rolname,
        'body', p.prosrc,
        'language', l.lanname,
        'returns', format_type(p.prorettype, NULL),
        'security_definer', p.prosecdef,
        'settings', coalesce(p.proconfig, '{}'),
        'public_execute', EXISTS (
            SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0
        )
    ) ORDER BY p.proname), '[]') AS list
    FROM pg_proc p
    JOIN ns ON ns.oid = p.pronamespace
    JOIN pg_roles o ON o.oid = p.proowner
    JOIN pg_language l ON l.oid = p.prolang
    WHERE p.proname = ANY ($4) AND p.pronargs = 0
),
extension_functions AS (
    SELECT coalesce(json_agg(json_build_object(
        'signature', p.oid::regprocedure::text,
        'member', d.objid IS NOT NULL,
        'owner_execute', NOT EXISTS (
            SELECT FROM rel WHERE NOT has_function_privilege(rel.relowner, p.oid, 'EXECUTE')
        ),
        'public_execute', EXISTS (
            SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0
        )
    ) ORDER BY p.oid::regprocedure::text), '[]') AS list
    FROM pg_proc p
    JOIN ns ON ns.oid = p.pronamespace
    LEFT JOIN pg_extension e ON e.extname = 'ext_registry'
    LEFT JOIN pg_depend d
        ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
       AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
    WHERE p.proname = ANY ($5)
)
SELECT json_build_object(
    'server_version', current_setting('server_version_num')::int,
    'role', current_user,
    'superuser', (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user),
    'may_create_schema', has_database_privilege(current_database(), 'CREATE'),
    'quoted_schema', quote_ident($1),
    'schema', (
        SELECT json_build_object('may_create', has_schema_privilege(ns.oid, 'CREATE')) FROM ns
    ),
    'relations', (SELECT list FROM relations),
    'reserved', (
        SELECT coalesce(json_agg(c.relname ORDER BY c.relname), '[]')
        FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
        WHERE c.relname = ANY ($3)
    ),
    'types', (
        SELECT coalesce(json_agg(t.typname ORDER BY t.typname), '[]')
        FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
        WHERE t.typname = ANY ($2) AND t.typtype <> 'c'
    ),
    'functions', (SELECT list FROM functions),
    'extension_functions', (SELECT list FROM extension_functions),
    'extension', (
        SELECT json_build_object('version', e.extversion, 'schema', n.nspname)
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'ext_registry'
    ),
    'citus', EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'citus'),
    'extension_available', (
        SELECT a.default_version FROM pg_available_extensions a WHERE a.name = 'ext_registry'
    ),
    'histories', (
        SELECT coalesce(json_agg(json_build_object(
            'schema', n.nspname,
            'kind', c.relkind,
            'public_rights', (
                SELECT coalesce(json_agg(DISTINCT g.privilege_type), '[]')
                FROM aclexplode(c.relacl) g
                WHERE g.grantee = 0
            )
        ) ORDER BY n.nspname), '[]')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = $6 AND c.relkind NOT IN ('i', 'I')
    )
)::text
