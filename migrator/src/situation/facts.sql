-- What is in the database, as one JSON document (facts.rs). Reads catalogs only, which every role may do.
-- $1 schema, $2 our tables and the history, $3 names our migrations give to other relations, $4 names of our
-- functions, $5 the four tables, $6 the history.
WITH ns AS (
    SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1
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
-- Operators, functions and operator classes that an object of ours is bound to and that did not come with PostgreSQL:
-- what is printed alike may be bound to something else.
bound AS (
    SELECT d.classid, d.objid, json_agg(DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0)) AS list
    FROM (
        SELECT 'pg_trigger'::regclass AS classid, t.oid AS objid, t.tgfoid AS own
        FROM rel JOIN pg_trigger t ON t.tgrelid = rel.oid
        UNION ALL
        SELECT 'pg_constraint'::regclass, k.oid, 0 FROM rel JOIN pg_constraint k ON k.conrelid = rel.oid
        UNION ALL
        SELECT 'pg_class'::regclass, i.indexrelid, 0 FROM rel JOIN pg_index i ON i.indrelid = rel.oid
    ) o
    JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.objid AND d.refobjid <> o.own
    WHERE d.refclassid IN ('pg_operator'::regclass, 'pg_proc'::regclass, 'pg_opclass'::regclass)
    GROUP BY d.classid, d.objid
),
columns AS (
    SELECT a.attrelid AS oid,
           json_agg(json_build_object(
               'name', a.attname,
               'type', format_type(a.atttypid, a.atttypmod),
               'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
               'deterministic', coalesce(c.collisdeterministic, true),
               'not_null', a.attnotnull,
               'generated', a.attgenerated,
               'identity', a.attidentity,
               'default', pg_get_expr(d.adbin, d.adrelid)
           ) ORDER BY a.attnum) AS list
    FROM rel
    JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation c ON c.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    GROUP BY a.attrelid
),
-- NOT NULL, a constraint with a name of its own from 18 on, is looked at as a property of the column.
constraints AS (
    SELECT k.conrelid AS oid,
           json_agg(json_build_object(
               'name', k.conname,
               'kind', k.contype,
               'definition', regexp_replace(pg_get_constraintdef(k.oid), '( NOT VALID| NOT ENFORCED)+$', ''),
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
               ),
               'bound', coalesce(bound.list, '[]')
           ) ORDER BY k.conname) AS list
    FROM rel
    JOIN pg_constraint k ON k.conrelid = rel.oid
    LEFT JOIN bound ON bound.classid = 'pg_constraint'::regclass AND bound.objid = k.oid
    WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
    GROUP BY k.conrelid
),
indexes AS (
    SELECT i.indrelid AS oid,
           json_agg(json_build_object(
               'name', c.relname,
               'definition', pg_get_indexdef(i.indexrelid),
               'valid', i.indisvalid AND i.indisready AND i.indislive,
               'constraint', (
                   SELECT k.conname
                   FROM pg_constraint k
                   WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
               ),
               -- What ON CONFLICT (columns) can use.
               'arbiter', i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL,
               'columns', (
                   SELECT coalesce(json_agg(a.attname ORDER BY a.attname), '[]')
                   FROM pg_attribute a
                   WHERE a.attrelid = i.indrelid
                     AND a.attnum = ANY ((i.indkey::int2[])[0 : i.indnkeyatts - 1])
               ),
               'bound', coalesce(bound.list, '[]')
           ) ORDER BY c.relname) AS list
    FROM rel
    JOIN pg_index i ON i.indrelid = rel.oid
    JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN bound ON bound.classid = 'pg_class'::regclass AND bound.objid = i.indexrelid
    GROUP BY i.indrelid
),
triggers AS (
    SELECT t.tgrelid AS oid,
           json_agg(json_build_object(
               'name', t.tgname,
               'definition', pg_get_triggerdef(t.oid),
               'enabled', t.tgenabled,
               'before_row', t.tgtype & 3 = 3,
               'bound', coalesce(bound.list, '[]')
           ) ORDER BY t.tgname) AS list
    FROM rel
    JOIN pg_trigger t ON t.tgrelid = rel.oid
    LEFT JOIN bound ON bound.classid = 'pg_trigger'::regclass AND bound.objid = t.oid
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
        'owner_may_create', has_schema_privilege(o.oid, rel.relnamespace, 'CREATE')
            AND has_schema_privilege(o.oid, rel.relnamespace, 'USAGE'),
        'may_become_owner', pg_has_role(o.oid, become.right),
        'row_security', rel.relrowsecurity,
        'force_row_security', rel.relforcerowsecurity,
        -- -1 where nobody has counted yet.
        'rows_estimate', rel.reltuples::bigint,
        -- How much of it is marked as adopted; NULL where nobody has looked, or this role may not.
        'adopted_estimate', (
            SELECT coalesce(sum(m.frequency) FILTER (WHERE m.value = 't'), 0)
            FROM pg_stats s,
                unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS m (value, frequency)
            WHERE s.schemaname = $1 AND s.tablename = rel.relname AND s.attname = 'adopted'
            HAVING count(*) > 0
        ),
        'readable', has_table_privilege(rel.oid, 'SELECT') AND has_schema_privilege(rel.relnamespace, 'USAGE'),
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
-- Guards, functions of the extension, and those of the DDL guard, which has a schema of its own.
functions AS (
    SELECT coalesce(json_agg(json_build_object(
        'name', p.proname,
        'signature', p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
        'ddl_guard', n.nspname = 'ext_registry_ddl_guard',
        'owner', o.rolname,
        'owner_superuser', o.rolsuper,
        -- Aggregates have no definition to print.
        'definition', CASE
            WHEN p.prokind <> 'a' THEN replace(pg_get_functiondef(p.oid), p.prosrc, '@body@')
            ELSE ''
        END,
        -- What the DDL guard keeps differs between databases.
        'body', CASE n.nspname
            WHEN 'ext_registry_ddl_guard'
            THEN regexp_replace(p.prosrc, '(kept +constant text\[\] := ) *E?''([^'']|'''')*''', '\1@kept@')
            ELSE p.prosrc
        END,
        'returns', format_type(p.prorettype, NULL),
        'comment', obj_description(p.oid, 'pg_proc'),
        'member', d.objid IS NOT NULL,
        -- The owner of the tables may call it.
        'owner_execute', NOT EXISTS (
            SELECT FROM rel
            WHERE rel.relname = ANY ($5) AND NOT has_function_privilege(rel.relowner, p.oid, 'EXECUTE')
        ),
        'public_execute', EXISTS (
            SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0
        )
    ) ORDER BY n.nspname, p.proname, oidvectortypes(p.proargtypes)), '[]') AS list
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_roles o ON o.oid = p.proowner
    LEFT JOIN pg_extension e ON e.extname = 'ext_registry'
    LEFT JOIN pg_depend d
        ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
       AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
    WHERE n.nspname = $1 AND p.proname = ANY ($4) OR n.nspname = 'ext_registry_ddl_guard'
),
available AS (
    SELECT a.default_version FROM pg_available_extensions a WHERE a.name = 'ext_registry'
)
SELECT json_build_object(
    'server_version', current_setting('server_version_num')::int,
    'role', current_user,
    'superuser', (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user),
    'database', current_database(),
    'may_create_schema', has_database_privilege(current_database(), 'CREATE'),
    'counts_rows', current_setting('track_counts') = 'on',
    'quoted_schema', quote_ident($1),
    'schema', (
        SELECT json_build_object('may_create',
            has_schema_privilege(ns.oid, 'CREATE') AND has_schema_privilege(ns.oid, 'USAGE'))
        FROM ns
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
    'event_triggers', (
        SELECT coalesce(json_agg(json_build_object(
            'name', e.evtname,
            'definition', format('CREATE EVENT TRIGGER %I ON %s EXECUTE FUNCTION %s', e.evtname, e.evtevent,
                e.evtfoid::regprocedure) || coalesce(' ' || e.evttags::text, ''),
            'enabled', e.evtenabled,
            'owner', json_build_object('owner', o.rolname, 'superuser', o.rolsuper)
        ) ORDER BY e.evtname), '[]')
        FROM pg_event_trigger e
        JOIN pg_roles o ON o.oid = e.evtowner
        JOIN pg_proc p ON p.oid = e.evtfoid
        WHERE e.evtname ~ '^ext_registry_ddl_guard' OR p.pronamespace = to_regnamespace('ext_registry_ddl_guard')
    ),
    'ddl_guard_schema_owner', (
        SELECT json_build_object('owner', o.rolname, 'superuser', o.rolsuper)
        FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner
        WHERE n.nspname = 'ext_registry_ddl_guard'
    ),
    'extension', json_build_object(
        'installed', (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'ext_registry'),
        'schema', (
            SELECT n.nspname
            FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'ext_registry'
        ),
        'owner', (SELECT e.extowner::regrole FROM pg_extension e WHERE e.extname = 'ext_registry'),
        'owned', (SELECT pg_has_role(e.extowner, 'USAGE') FROM pg_extension e WHERE e.extname = 'ext_registry'),
        'available', (SELECT default_version FROM available),
        -- Asked only where the server has files of it: else the question is an error.
        'updatable', CASE
            WHEN EXISTS (SELECT FROM available)
            THEN EXISTS (
                SELECT
                FROM pg_extension_update_paths('ext_registry') u
                JOIN pg_extension e ON e.extname = 'ext_registry' AND e.extversion = u.source
                JOIN available a ON a.default_version = u.target
                WHERE u.path IS NOT NULL
            )
            ELSE false
        END
    ),
    'citus', EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'citus'),
    'histories', (
        SELECT coalesce(json_agg(n.nspname ORDER BY n.nspname), '[]')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = $6 AND c.relkind NOT IN ('i', 'I')
    ),
    -- Schemas that hold all four tables.
    'complete', (
        SELECT coalesce(json_agg(f.nspname ORDER BY f.nspname), '[]')
        FROM (
            SELECT n.nspname
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.relname = ANY ($5)
            GROUP BY n.nspname
            HAVING count(*) = cardinality($5)
        ) f
    )
)::text
