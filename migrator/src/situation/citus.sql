-- What Citus knows of the four tables, as one JSON document (found.rs). Only where Citus is installed.
-- $1 schema, $2 the four tables, parents first.
WITH rel AS (
    SELECT c.*
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = ANY ($2)
)
SELECT json_build_object(
    'version', (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'citus'),
    'extension', EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'ext_registry'),
    'worker', EXISTS (SELECT FROM pg_dist_local_group g WHERE g.groupid <> 0),
    'workers', (SELECT count(*) FROM pg_dist_node n WHERE n.groupid <> 0 AND n.noderole = 'primary'),
    'coordinator_is_node', EXISTS (SELECT FROM pg_dist_node n WHERE n.groupid = 0),
    'tables', (
        SELECT coalesce(json_agg(json_build_object(
            'name', rel.relname,
            'kind', CASE
                WHEN p.logicalrelid IS NULL THEN 'local'
                WHEN p.partmethod = 'n' AND p.repmodel = 't' THEN 'reference'
                WHEN p.partmethod = 'n' THEN 'managed'
                ELSE 'distributed'
            END,
            'column', column_to_column_name(p.logicalrelid, p.partkey)
        ) ORDER BY array_position($2, rel.relname::text)), '[]')
        FROM rel
        LEFT JOIN pg_dist_partition p ON p.logicalrelid = rel.oid
        WHERE rel.relkind = 'r'
    ),
    -- Between one of the tables and one that is none of them.
    'foreign_keys', (
        SELECT coalesce(json_agg(
            format('%s on %s, which references %s', k.conname, k.conrelid::regclass, k.confrelid::regclass)
            ORDER BY k.conname), '[]')
        FROM pg_constraint k
        WHERE k.contype = 'f'
          AND (k.conrelid IN (SELECT rel.oid FROM rel)) <> (k.confrelid IN (SELECT rel.oid FROM rel))
    ),
    -- Unique keys of the installs without tenant_id: what no single shard can keep.
    'keys', (
        SELECT coalesce(json_agg(json_build_object(
            'name', c.relname,
            'primary', i.indisprimary,
            'columns', (
                SELECT json_agg(a.attname ORDER BY a.attnum)
                FROM pg_attribute a
                WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
            )
        ) ORDER BY c.relname), '[]')
        FROM rel
        JOIN pg_index i ON i.indrelid = rel.oid AND (i.indisunique OR i.indisexclusion)
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE rel.relname = 'tenant_extension_install'
          AND NOT EXISTS (
              SELECT FROM pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attname = 'tenant_id' AND a.attnum = ANY (i.indkey::int2[])
          )
    ),
    -- Roles besides the owner that may write to what is replicated.
    'writers', (
        SELECT coalesce(json_agg(json_build_object('table', w.relname, 'role', w.role, 'rights', w.rights)
            ORDER BY w.relname, w.role), '[]')
        FROM (
            SELECT rel.relname, CASE g.grantee WHEN 0 THEN NULL ELSE g.grantee::regrole::text END AS role,
                   json_agg(g.privilege_type ORDER BY g.privilege_type) AS rights
            FROM rel, aclexplode(rel.relacl) g
            WHERE rel.relname <> 'tenant_extension_install'
              AND g.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
              AND g.grantee <> rel.relowner
            GROUP BY rel.relname, g.grantee
        ) w
    ),
    -- Citus computes the default on every replica, where it computes functions once.
    'clocks', (
        SELECT coalesce(json_agg(json_build_object('table', rel.relname, 'column', a.attname)
            ORDER BY rel.relname, a.attnum), '[]')
        FROM rel
        JOIN pg_attribute a ON a.attrelid = rel.oid
        JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE rel.relname <> 'tenant_extension_install'
          AND pg_get_expr(d.adbin, d.adrelid) = 'CURRENT_TIMESTAMP'
    ),
    'triggers', (
        SELECT coalesce(json_agg(json_build_object('name', t.tgname, 'table', rel.relname)
            ORDER BY rel.relname, t.tgname), '[]')
        FROM rel JOIN pg_trigger t ON t.tgrelid = rel.oid
        WHERE NOT t.tgisinternal
    ),
    'owner_may_log_in', coalesce((
        SELECT bool_and(o.rolcanlogin) FROM rel JOIN pg_roles o ON o.oid = rel.relowner
    ), true)
)::text
