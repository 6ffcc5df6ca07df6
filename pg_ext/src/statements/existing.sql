-- The version in the way, as the list shows it. Old hashes may be in upper case or without prefix.
SELECT
    v.registry_id,
    v.id,
    convert_to(b.content_hash, getdatabaseencoding()),
    to_json(v.created_at) #>> '{}',
    EXISTS (
        SELECT
        FROM @schema@.extension_bundle c
        WHERE c.version_id = v.id AND lower(c.content_hash) IN ($3, substr($3, 8))
    )
FROM @schema@.extension_registry r
JOIN @schema@.extension_version v ON v.registry_id = r.id
LEFT JOIN LATERAL (
    SELECT c.content_hash
    FROM @schema@.extension_bundle c
    WHERE c.version_id = v.id
    ORDER BY c.created_at DESC NULLS LAST, c.content_hash COLLATE "C" DESC
    LIMIT 1
) b ON true
WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name') AND v.version = $2
