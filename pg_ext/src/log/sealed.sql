-- The first $1 leaves in their order, each with the row that it is of, NULL where that is gone. The columns of the row
-- come first.
SELECT r.*, l.leaf_index, l.version_id, l.bundle_id, left(l.label, 1000), l.leaf_hash
FROM @schema@.extension_log_leaf l
LEFT JOIN (
@versions@
) r ON r.version_id = l.version_id
WHERE l.bundle_id IS NULL AND l.leaf_index >= 0 AND l.leaf_index < $1
UNION ALL
SELECT r.*, l.leaf_index, l.version_id, l.bundle_id, left(w.label, 1000), l.leaf_hash
FROM @schema@.extension_log_leaf l
LEFT JOIN (
@bundles@
) r ON r.bundle_id = l.bundle_id
LEFT JOIN @schema@.extension_log_leaf w ON w.version_id = l.version_id AND w.bundle_id IS NULL
WHERE l.bundle_id IS NOT NULL AND l.leaf_index >= 0 AND l.leaf_index < $1
ORDER BY leaf_index
