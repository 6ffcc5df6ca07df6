-- What has been committed and is not in the log, in the order in which it is appended.
SELECT r.*
FROM (
    (
@versions@
        WHERE NOT EXISTS (
            SELECT
            FROM @schema@.extension_log_leaf l
            WHERE l.version_id = v.id AND l.bundle_id IS NULL
        )
    )
    UNION ALL
    (
@bundles@
        WHERE NOT EXISTS (
            SELECT
            FROM @schema@.extension_log_leaf l
            WHERE l.version_id = b.version_id AND l.bundle_id = b.id
        )
    )
) r
ORDER BY r.created_at NULLS FIRST, r.bundle_id IS NOT NULL, r.version_id, r.bundle_id
