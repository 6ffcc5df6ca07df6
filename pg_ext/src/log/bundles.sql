-- What the leaves of bundles are made of. The columns from the fourth on are the fields.
SELECT
    b.version_id,
    b.id AS bundle_id,
    b.created_at,
    @fields@
FROM @schema@.extension_bundle b
LEFT JOIN @schema@.extension_version v ON v.id = b.version_id
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
