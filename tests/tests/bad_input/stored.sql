-- What differs between the arguments of a call that succeeded, its answer, and what is stored and listed.
WITH given AS (
    SELECT
        convert_from($1::bytea, getdatabaseencoding())::jsonb AS m,
        convert_from($2::bytea, getdatabaseencoding()) AS hash,
        convert_from($3::bytea, getdatabaseencoding()) AS signature,
        convert_from($4::bytea, getdatabaseencoding()) AS storage_url,
        $5::bigint AS size_bytes,
        $6::bytea AS bundle
), endpoints AS (
    SELECT
        NULLIF(m -> 'api' -> 'endpoints', 'null') IS NOT NULL AS given,
        COALESCE((
            SELECT jsonb_agg(e.value || jsonb_build_object('method', upper(e.value ->> 'method')) ORDER BY e.ordinality)
            FROM jsonb_array_elements(NULLIF(m -> 'api' -> 'endpoints', 'null')) WITH ORDINALITY e
        ), '[]') AS list
    FROM given
), wanted AS (
    SELECT
        g.*,
        COALESCE(NULLIF(m -> 'api', 'null'), '{}')
            || CASE WHEN e.given THEN jsonb_build_object('endpoints', e.list) ELSE '{}' END AS api,
        e.list AS api_endpoints,
        CASE
            WHEN bundle IS NULL THEN 'sha256:' || lower(right(hash, 64))
            ELSE 'sha256:' || encode(sha256(bundle), 'hex')
        END AS content_hash,
        COALESCE(octet_length(bundle)::bigint, size_bytes) AS size
    FROM given g, endpoints e
), compared AS (
    SELECT * FROM wanted w, LATERAL (VALUES
        ('publisher', EXISTS (
            SELECT FROM extension_registry r WHERE r.id = $7 AND position(r.publisher IN m ->> 'publisher') > 0
        )),
        ('name', EXISTS (SELECT FROM extension_registry r WHERE r.id = $7 AND position(r.name IN m ->> 'name') > 0)),
        ('display_name, description', EXISTS (
            SELECT FROM extension_registry r
            WHERE r.id = $7 AND r.display_name IS NULL AND r.description IS NULL
        )),
        ('ext_extension_id', EXISTS (
            SELECT FROM extension_registry r WHERE r.id = $7 AND ext_extension_id(r.publisher, r.name) = $7
        )),
        ('version', EXISTS (
            SELECT FROM extension_version v
            WHERE v.id = $8 AND v.registry_id = $7 AND v.version = convert_from($9, getdatabaseencoding())
              AND CASE
                  WHEN m ->> 'version' LIKE '%.*%'
                  THEN v.version ~ '^[0-9]+[.][0-9]+[.][0-9]+$'
                  ELSE position(v.version IN m ->> 'version') > 0
              END
        )),
        ('runtime', EXISTS (
            SELECT FROM extension_version v WHERE v.id = $8 AND position(v.runtime IN m ->> 'runtime') > 0
        )),
        ('main_entry', EXISTS (
            SELECT FROM extension_version v
            WHERE v.id = $8 AND v.main_entry = COALESCE(m -> 'ui' ->> 'entry', 'main')
        )),
        ('api', EXISTS (SELECT FROM extension_version v WHERE v.id = $8 AND v.api = w.api)),
        ('api_endpoints', EXISTS (SELECT FROM extension_version v WHERE v.id = $8 AND v.api_endpoints = w.api_endpoints)),
        ('ui', EXISTS (
            SELECT FROM extension_version v WHERE v.id = $8 AND v.ui IS NOT DISTINCT FROM NULLIF(m -> 'ui', 'null')
        )),
        ('capabilities', EXISTS (
            SELECT FROM extension_version v
            WHERE v.id = $8 AND v.capabilities = COALESCE(NULLIF(m -> 'capabilities', 'null'), '[]')
        )),
        ('assets', EXISTS (
            SELECT FROM extension_version v
            WHERE v.id = $8 AND v.assets IS NOT DISTINCT FROM NULLIF(m -> 'assets', 'null')
        )),
        ('adopted', EXISTS (SELECT FROM extension_version v WHERE v.id = $8 AND NOT v.adopted)),
        ('content_hash', EXISTS (
            SELECT FROM extension_bundle b
            WHERE b.version_id = $8 AND b.content_hash = w.content_hash AND b.content_hash = $10
        )),
        ('signature', EXISTS (
            SELECT FROM extension_bundle b WHERE b.version_id = $8 AND b.signature IS NOT DISTINCT FROM w.signature
        )),
        ('storage_url', EXISTS (
            SELECT FROM extension_bundle b WHERE b.version_id = $8 AND b.storage_url IS NOT DISTINCT FROM w.storage_url
        )),
        ('size_bytes', EXISTS (
            SELECT FROM extension_bundle b WHERE b.version_id = $8 AND b.size_bytes IS NOT DISTINCT FROM w.size
        )),
        ('precompiled', EXISTS (
            SELECT FROM extension_bundle b
            WHERE b.version_id = $8 AND b.precompiled IS NOT DISTINCT FROM NULLIF(m -> 'precompiled', 'null')
        )),
        ('list', EXISTS (
            SELECT FROM ext_list_versions($7) l
            WHERE l.version_id = $8 AND l.version = convert_from($9, getdatabaseencoding())
              AND l.content_hash = $10 AND l.published_at::text = $11 AND NOT l.installed AND l.bundle_count = 1
        ))
    ) AS checks (part, holds)
)
SELECT COALESCE(array_agg(part) FILTER (WHERE holds IS NOT TRUE), '{}')::text[]
FROM compared
