-- What may be there once and is there, or was sealed, more often. Each part begins with an index, whose order it needs.
WITH found AS (
    -- One version string of one entry.
    SELECT 'version' AS what, v.id AS version_id, NULL::uuid AS bundle_id
    FROM (
        SELECT w.registry_id, w.version
        FROM @schema@.extension_version w
        GROUP BY w.registry_id, w.version
        HAVING count(*) > 1
    ) t
    JOIN @schema@.extension_version v ON v.registry_id = t.registry_id AND v.version = t.version
    UNION ALL
    -- The same of two entries with one name.
    SELECT 'version', v.id, NULL
    FROM (
        SELECT r.publisher, r.name
        FROM @schema@.extension_registry r
        GROUP BY r.publisher, r.name
        HAVING count(*) > 1
    ) t
    JOIN @schema@.extension_registry e ON e.publisher = t.publisher AND e.name = t.name
    JOIN @schema@.extension_version v ON v.registry_id = e.id
    WHERE EXISTS (
        SELECT
        FROM @schema@.extension_registry f
        JOIN @schema@.extension_version w ON w.registry_id = f.id
        WHERE f.publisher = e.publisher AND f.name = e.name AND f.id <> e.id AND w.version = v.version
    )
    UNION ALL
    -- One row in two leaves.
    SELECT 'leaf', l.version_id, l.bundle_id
    FROM @schema@.extension_log_leaf l
    GROUP BY l.version_id, l.bundle_id
    HAVING count(*) > 1
    UNION ALL
    -- Of several bundles, which were there before the guards, each is marked so: the list shows the newest of them.
    SELECT 'bundle', b.version_id, b.id
    FROM (
        SELECT c.version_id
        FROM @schema@.extension_bundle c
        GROUP BY c.version_id
        HAVING count(*) > 1
    ) t
    JOIN @schema@.extension_bundle b ON b.version_id = t.version_id
    WHERE b.adopted IS NOT TRUE
    UNION ALL
    -- A bundle that was added after another one had been sealed.
    SELECT 'late bundle', l.version_id, l.bundle_id
    FROM (
        SELECT m.version_id
        FROM @schema@.extension_log_leaf m
        WHERE m.bundle_id IS NOT NULL
        GROUP BY m.version_id
        HAVING count(*) > 1
    ) t
    CROSS JOIN LATERAL (
        SELECT
            m.version_id,
            m.bundle_id,
            s.tree_size,
            min(s.tree_size) OVER () AS first
        FROM @schema@.extension_log_leaf m
        LEFT JOIN LATERAL (
            SELECT c.tree_size
            FROM @schema@.extension_log_checkpoint c
            WHERE c.tree_size > m.leaf_index
            ORDER BY c.tree_size
            LIMIT 1
        ) s ON true
        WHERE m.version_id = t.version_id AND m.bundle_id IS NOT NULL
    ) l
    WHERE l.tree_size > l.first
)
SELECT
    f.what,
    f.version_id::text,
    f.bundle_id::text,
    convert_to(left(coalesce(e.publisher || '/' || e.name || ' ' || v.version, l.label), 1000), getdatabaseencoding())
FROM found f
LEFT JOIN @schema@.extension_version v ON v.id = f.version_id
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
LEFT JOIN @schema@.extension_log_leaf l ON l.version_id = f.version_id AND l.bundle_id IS NULL AND v.id IS NULL
ORDER BY 1, 2, 3
