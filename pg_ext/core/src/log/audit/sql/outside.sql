-- Where the log ends, in the first row, then what lies outside of it or is there twice: no seal has written it. One
-- statement, so one snapshot: what is sealed meanwhile is not taken for it.
WITH latest AS (
    SELECT greatest(max(c.tree_size), 0) AS size
    FROM @schema@.extension_log_checkpoint c
),
-- Leaves that go on where the latest checkpoint ends are walked too: it may be what is missing.
further AS (
    SELECT l.leaf_index - row_number() OVER (ORDER BY l.leaf_index) AS island
    FROM @schema@.extension_log_leaf l, latest
    WHERE l.leaf_index >= latest.size AND l.leaf_index < 9223372036854775807
),
log AS (
    SELECT latest.size, latest.size + (SELECT count(*) FROM further f WHERE f.island = latest.size - 1) AS leaves
    FROM latest
),
found AS (
    SELECT 'leaf' AS what, NULL::smallint AS level, l.leaf_index AS place, l.version_id, l.bundle_id, l.label
    FROM @schema@.extension_log_leaf l, log
    WHERE l.leaf_index < 0 OR l.leaf_index >= log.leaves OR l.leaf_index IS NULL
    UNION ALL
    SELECT 'tile', t.level, t.index, NULL, NULL, NULL
    FROM @schema@.extension_log_tile t, log
    WHERE CASE WHEN t.index >= 0 AND t.level BETWEEN 0 AND 6 THEN t.index >= log.leaves >> 8 * (t.level + 1) ELSE true END
    UNION ALL
    SELECT 'second tile', t.level, t.index, NULL, NULL, NULL
    FROM @schema@.extension_log_tile t
    GROUP BY t.level, t.index
    HAVING count(*) > 1
    UNION ALL
    SELECT 'checkpoint', NULL, c.tree_size, NULL, NULL, NULL
    FROM @schema@.extension_log_checkpoint c
    WHERE c.tree_size < 0 OR c.tree_size IS NULL
    UNION ALL
    SELECT 'second checkpoint', NULL, c.tree_size, NULL, NULL, NULL
    FROM @schema@.extension_log_checkpoint c
    GROUP BY c.tree_size
    HAVING count(*) > 1
)
SELECT 'end' AS what, NULL::smallint AS level, log.size AS place, log.leaves, NULL AS version_id, NULL AS bundle_id, NULL AS label
FROM log
UNION ALL
SELECT
    f.what,
    f.level,
    f.place,
    NULL,
    f.version_id::text,
    f.bundle_id::text,
    convert_to(left(coalesce(f.label, e.publisher || '/' || e.name || ' ' || v.version), 1000), getdatabaseencoding())
FROM found f
LEFT JOIN @schema@.extension_version v ON v.id = f.version_id
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
ORDER BY leaves, what, level, place
