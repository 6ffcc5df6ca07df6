-- Extensions with very many versions each, in one table: the rows of one are spread between those of the others, as
-- they are where many publish.
CREATE TEMP TABLE listed AS
SELECT gen_random_uuid() AS id, total FROM unnest('{@listed@}'::bigint[]) total;

INSERT INTO extension_registry (id, publisher, name)
SELECT id, 'listed', 'with-' || total FROM listed;

INSERT INTO extension_version
    (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, created_at@assets_column@)
SELECT gen_random_uuid(), l.id, format('1.%s.%s', n / 1000, n % 1000), '@runtime@', '@main_entry@',
    @api@, @endpoints@, @ui@, @capabilities@, '2022-01-01'::timestamptz + n * interval '4 years' / l.total@assets_value@
FROM listed l, generate_series(1, l.total) n
ORDER BY random();

INSERT INTO extension_bundle (id, version_id, content_hash, precompiled, created_at)
SELECT gen_random_uuid(), id, 'sha256:' || encode(sha256(uuid_send(id)), 'hex'), @precompiled@, created_at
FROM extension_version;

INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
SELECT gen_random_uuid(), 'tenant-' || tenant, registry_id, id
FROM (
    SELECT DISTINCT ON (registry_id) registry_id, id FROM extension_version ORDER BY registry_id, version
) installed, generate_series(1, 500) tenant;

DROP TABLE listed;
