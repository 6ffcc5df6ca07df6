-- What the leaves of versions are made of. The columns from the fourth on are the fields.
SELECT
    v.id AS version_id,
    NULL::uuid AS bundle_id,
    v.created_at,
    @fields@
FROM @schema@.extension_version v
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
