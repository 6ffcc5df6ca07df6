-- Version and bundle in one statement, for the row of the CTE `extension`; no row where the version exists.
WITH @extension@,
version AS (
    INSERT INTO @schema@.extension_version
        (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, assets, created_at)
    SELECT
        $8, e.id, $2, $1 ->> 'runtime', COALESCE($1 #>> '{ui,entry}', 'main'),
        COALESCE($7::jsonb, NULLIF($1 -> 'api', 'null'), '{}'),
        COALESCE(NULLIF(COALESCE($7::jsonb, $1 -> 'api') -> 'endpoints', 'null'), '[]'),
        NULLIF($1 -> 'ui', 'null'), COALESCE(NULLIF($1 -> 'capabilities', 'null'), '[]'),
        NULLIF($1 -> 'assets', 'null'), $10
    FROM extension e
    ON CONFLICT (registry_id, version) DO NOTHING
    RETURNING id, registry_id, created_at
), bundle AS (
    INSERT INTO @schema@.extension_bundle
        (id, version_id, content_hash, signature, precompiled, storage_url, size_bytes, created_at)
    SELECT $9, v.id, $3, $4, NULLIF($1 -> 'precompiled', 'null'), $5, $6, v.created_at
    FROM version v
    RETURNING version_id
)
SELECT v.registry_id, v.id, v.created_at, EXISTS (SELECT FROM bundle)
FROM version v
