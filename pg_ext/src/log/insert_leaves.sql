-- $1 index of the first, $2 and $3 versions and bundles, $4 the hashes one after the other.
INSERT INTO @schema@.extension_log_leaf (leaf_index, version_id, bundle_id, label, leaf_hash)
SELECT
    $1 + s.place - 1,
    s.version_id,
    s.bundle_id,
    e.publisher || '/' || e.name || ' ' || v.version,
    substring($4 FROM (32 * s.place - 31)::integer FOR 32)
FROM unnest($2, $3) WITH ORDINALITY s (version_id, bundle_id, place)
LEFT JOIN @schema@.extension_version v ON v.id = s.version_id AND s.bundle_id IS NULL
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
-- Above READ COMMITTED the leaves of another sealer may be invisible: then this raises 40001.
ON CONFLICT DO NOTHING
