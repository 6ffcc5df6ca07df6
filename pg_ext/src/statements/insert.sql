-- Version and bundle in one statement, for the row of the CTE `extension`; no row where the version exists.
WITH @extension@,
@manifest@,
version AS (
    INSERT INTO @schema@.extension_version
        (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, assets, created_at)
    SELECT
        $8, e.id, $2, m.runtime, m.main_entry, m.api, m.api_endpoints, m.ui, m.capabilities, m.assets, $10
    FROM extension e, manifest m
    ON CONFLICT (registry_id, version) DO NOTHING
    RETURNING id, registry_id, created_at
), bundle AS (
    INSERT INTO @schema@.extension_bundle
        (id, version_id, content_hash, signature, precompiled, storage_url, size_bytes, created_at)
    SELECT $9, v.id, $3, $4, m.precompiled, $5, $6, v.created_at
    FROM version v, manifest m
    RETURNING version_id
)
SELECT v.registry_id, v.id, v.created_at, EXISTS (SELECT FROM bundle)
FROM version v
