-- Signature lines of the checkpoint of size $1. Whoever may sign may store any number of them: a note has the first $2.
SELECT g.line
FROM @schema@.extension_log_signature g
WHERE g.tree_size = $1 AND octet_length(g.line) <= $3
ORDER BY g.created_at, g.line
LIMIT $2
