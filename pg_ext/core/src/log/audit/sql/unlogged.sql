-- Rows that are in no leaf.
SELECT
    v.id::text,
    NULL::text,
    convert_to(left(e.publisher || '/' || e.name || ' ' || v.version, 1000), getdatabaseencoding()),
    v.created_at
FROM @schema@.extension_version v
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
WHERE NOT EXISTS (
    SELECT
    FROM @schema@.extension_log_leaf l
    WHERE l.version_id = v.id AND l.bundle_id IS NULL
)
UNION ALL
SELECT
    b.version_id::text,
    b.id::text,
    convert_to(left(e.publisher || '/' || e.name || ' ' || v.version, 1000), getdatabaseencoding()),
    b.created_at
FROM @schema@.extension_bundle b
LEFT JOIN @schema@.extension_version v ON v.id = b.version_id
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
WHERE NOT EXISTS (
    SELECT
    FROM @schema@.extension_log_leaf l
    WHERE l.version_id = b.version_id AND l.bundle_id = b.id
)
