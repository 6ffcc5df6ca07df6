-- The checkpoint of size $1, else the latest, with the text of its signed note. The dash that begins a signature is not
-- in every encoding: where it may not be, the note comes without signatures.
SELECT
    c.origin,
    c.tree_size,
    c.root,
    c.sealed_at,
    c.origin || E'\n' || c.tree_size || E'\n' || encode(c.root, 'base64') || E'\n\n' || coalesce(s.lines, '')
FROM @schema@.extension_log_checkpoint c
LEFT JOIN LATERAL (
    SELECT string_agg(
        convert_from(decode('e28094', 'hex'), getdatabaseencoding()) || ' ' || g.line || E'\n', '' ORDER BY g.created_at, g.line
    )
    FROM @schema@.extension_log_signature g
    WHERE g.tree_size = c.tree_size AND getdatabaseencoding() IN ('UTF8', 'SQL_ASCII')
) s (lines) ON true
WHERE $1 IS NULL OR c.tree_size = $1
ORDER BY c.tree_size DESC
LIMIT 1
