-- The checkpoint of size $1, else the latest.
SELECT c.origin, c.tree_size, c.root, c.sealed_at
FROM @schema@.extension_log_checkpoint c
WHERE $1 IS NULL OR c.tree_size = $1
ORDER BY c.tree_size DESC
LIMIT 1
