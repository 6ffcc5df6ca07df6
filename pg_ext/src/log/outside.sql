-- What would be in the way of leaves that follow the first $1, as OUTSIDE of the audit names it, by indexes alone: only
-- the owner of the tables can have put it there.
(
    SELECT 'leaf', NULL::smallint, l.leaf_index, l.version_id::text, l.bundle_id::text, left(l.label, 1000)
    FROM @schema@.extension_log_leaf l
    WHERE l.leaf_index >= $1
    ORDER BY l.leaf_index
    LIMIT 1
)
UNION ALL
(
    SELECT 'leaf', NULL, l.leaf_index, l.version_id::text, l.bundle_id::text, left(l.label, 1000)
    FROM @schema@.extension_log_leaf l
    WHERE l.leaf_index < 0
    LIMIT 1
)
UNION ALL
(
    SELECT 'tile', t.level, t.index, NULL, NULL, NULL
    FROM generate_series(0, 6) s (level)
    CROSS JOIN LATERAL (
        SELECT i.level, i.index
        FROM @schema@.extension_log_tile i
        WHERE i.level = s.level::smallint AND i.index >= $1 >> 8 * (s.level + 1)
        LIMIT 1
    ) t
    LIMIT 1
)
UNION ALL
(
    SELECT 'checkpoint', NULL, $1, NULL, NULL, NULL
    WHERE $1 > 0
      AND NOT EXISTS (SELECT FROM @schema@.extension_log_leaf l WHERE l.leaf_index = $1 - 1)
)
LIMIT 1
