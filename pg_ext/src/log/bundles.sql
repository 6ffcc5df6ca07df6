-- What the leaves of bundles are made of. The columns from the fourth on are those of BUNDLE in rows.rs.
SELECT
    b.version_id,
    b.id AS bundle_id,
    b.created_at,
    b.content_hash::text,
    e.name::text,
    b.precompiled::text,
    e.publisher::text,
    b.signature::text,
    b.size_bytes::text,
    b.storage_url::text,
    NULL::text,
    NULL::text,
    NULL::text,
    NULL::text
FROM @schema@.extension_bundle b
LEFT JOIN @schema@.extension_version v ON v.id = b.version_id
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
