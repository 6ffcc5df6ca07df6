-- The version in the way with each of its bundles, the one that the list shows first, and how they compare with what
-- this call would have stored. Old hashes may be in upper case or without prefix. xmin and cmin tell what stored it.
WITH @manifest@
SELECT
    v.registry_id,
    v.id,
    convert_to(b.content_hash, getdatabaseencoding()),
    to_json(v.created_at) #>> '{}',
    lower(b.content_hash) IN ($3, substr($3, 8)),
    ROW(v.runtime COLLATE "C", v.main_entry COLLATE "C", v.api, v.api_endpoints, v.ui, v.capabilities, v.assets,
        b.precompiled)
        IS NOT DISTINCT FROM
    ROW(m.runtime, m.main_entry, m.api, m.api_endpoints, m.ui, m.capabilities, m.assets, m.precompiled),
    b.signature COLLATE "C" IS NOT DISTINCT FROM $4,
    v.xmin::text::bigint,
    v.cmin::text::bigint
FROM @schema@.extension_registry r
JOIN @schema@.extension_version v ON v.registry_id = r.id
CROSS JOIN manifest m
LEFT JOIN @schema@.extension_bundle b ON b.version_id = v.id
WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name') AND v.version = $2
ORDER BY b.created_at DESC NULLS LAST, b.content_hash COLLATE "C" DESC
