-- What the leaves of versions are made of. The columns from the fourth on are those of VERSION in rows.rs.
SELECT
    v.id AS version_id,
    NULL::uuid AS bundle_id,
    v.created_at,
    v.api::text,
    v.api_endpoints::text,
    v.assets::text,
    v.capabilities::text,
    v.main_entry::text,
    e.name::text,
    e.publisher::text,
    v.registry_id::text,
    v.runtime::text,
    v.ui::text,
    v.version::text
FROM @schema@.extension_version v
LEFT JOIN @schema@.extension_registry e ON e.id = v.registry_id
