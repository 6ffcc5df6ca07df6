-- Every leaf hash, by SQL alone.
SELECT v.id AS version_id, NULL::uuid AS bundle_id, sha256('\x00'::bytea || convert_to(
       '{"api":' || coalesce(to_json(v.api::text)::text, 'null')
    || ',"api_endpoints":' || coalesce(to_json(v.api_endpoints::text)::text, 'null')
    || ',"assets":' || coalesce(to_json(v.assets::text)::text, 'null')
    || ',"capabilities":' || coalesce(to_json(v.capabilities::text)::text, 'null')
    || ',"created_at":' || coalesce(to_json(t.since_1970)::text, 'null')
    || ',"id":' || to_json(v.id::text)
    || ',"main_entry":' || coalesce(to_json(v.main_entry::text)::text, 'null')
    || ',"name":' || to_json(e.name::text)
    || ',"publisher":' || to_json(e.publisher::text)
    || ',"registry_id":' || to_json(v.registry_id::text)
    || ',"runtime":' || coalesce(to_json(v.runtime::text)::text, 'null')
    || ',"ui":' || coalesce(to_json(v.ui::text)::text, 'null')
    || ',"version":' || to_json(v.version::text)
    || '}', 'UTF8')) AS leaf_hash
FROM extension_version v
JOIN extension_registry e ON e.id = v.registry_id
CROSS JOIN LATERAL (SELECT CASE
    WHEN isfinite(v.created_at)
    THEN (trunc(extract(epoch FROM v.created_at - '2000-01-01Z'::timestamptz) * 1000000) + 946684800000000)::text
    ELSE v.created_at::text END) t (since_1970)
UNION ALL
SELECT b.version_id, b.id, sha256('\x00'::bytea || convert_to(
       '{"content_hash":' || to_json(b.content_hash::text)
    || ',"created_at":' || coalesce(to_json(t.since_1970)::text, 'null')
    || ',"id":' || to_json(b.id::text)
    || ',"name":' || to_json(e.name::text)
    || ',"precompiled":' || coalesce(to_json(b.precompiled::text)::text, 'null')
    || ',"publisher":' || to_json(e.publisher::text)
    || ',"signature":' || coalesce(to_json(b.signature::text)::text, 'null')
    || ',"size_bytes":' || coalesce(to_json(b.size_bytes::text)::text, 'null')
    || ',"storage_url":' || coalesce(to_json(b.storage_url::text)::text, 'null')
    || ',"version_id":' || to_json(b.version_id::text)
    || '}', 'UTF8'))
FROM extension_bundle b
JOIN extension_version v ON v.id = b.version_id
JOIN extension_registry e ON e.id = v.registry_id
CROSS JOIN LATERAL (SELECT CASE
    WHEN isfinite(b.created_at)
    THEN (trunc(extract(epoch FROM b.created_at - '2000-01-01Z'::timestamptz) * 1000000) + 946684800000000)::text
    ELSE b.created_at::text END) t (since_1970)
