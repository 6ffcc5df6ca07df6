-- Leaves $1 to $2 (not included) in their order, each with its row.
SELECT
    l.leaf_index,
    l.version_id::text,
    l.bundle_id::text,
    @label@,
    l.leaf_hash,
    CASE WHEN l.bundle_id IS NULL THEN v.id ELSE b.version_id END::text,
    CASE WHEN l.bundle_id IS NULL THEN v.created_at ELSE b.created_at END,
    @fields@
FROM @schema@.extension_log_leaf l
LEFT JOIN @schema@.extension_bundle b ON b.id = l.bundle_id
LEFT JOIN @schema@.extension_version v ON v.id = coalesce(b.version_id, l.version_id)
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
WHERE l.leaf_index >= $1 AND l.leaf_index < $2
ORDER BY l.leaf_index
