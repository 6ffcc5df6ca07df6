-- The leaves of one version: its own, then those of its bundles. The last column is their place in the log, if sealed.
SELECT r.*, l.leaf_index
FROM (
    (
@versions@
        WHERE v.id = $1
    )
    UNION ALL
    (
@bundles@
        WHERE b.version_id = $1
    )
) r
LEFT JOIN @schema@.extension_log_leaf l
    ON l.version_id = r.version_id AND l.bundle_id IS NOT DISTINCT FROM r.bundle_id
ORDER BY r.bundle_id IS NOT NULL, r.created_at NULLS FIRST, r.bundle_id
