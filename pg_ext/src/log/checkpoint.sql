-- The checkpoint of size $1, else the latest, with the lines of its signatures. The dash that begins such a line in a
-- note is not in every encoding: where it may not be, there are none.
SELECT
    c.origin,
    c.tree_size,
    c.root,
    c.sealed_at,
    coalesce(s.lines, '')
FROM @schema@.extension_log_checkpoint c
LEFT JOIN LATERAL (
    SELECT string_agg(g.line, E'\n' ORDER BY g.created_at, g.line)
    FROM @schema@.extension_log_signature g
    WHERE g.tree_size = c.tree_size AND getdatabaseencoding() IN ('UTF8', 'SQL_ASCII')
) s (lines) ON true
WHERE $1 IS NULL OR c.tree_size = $1
ORDER BY c.tree_size DESC
LIMIT 1
