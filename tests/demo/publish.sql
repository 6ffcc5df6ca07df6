\set manifest `cat tests/demo/manifest.json`
\set bundle_1_0_0 `base64 -w0 tests/demo/clock-1.0.0.js`
\set bundle_1_1_0 `base64 -w0 tests/demo/clock-1.1.0.js`
\pset footer off
\set ECHO all
-- Publish 1.0.0: the manifest, and the bytes of the bundle. The role may call this function, and no more.
SET ROLE demo_publisher;
SELECT version, content_hash, published_at
FROM ext_finalize_bundle(:'manifest', decode(:'bundle_1_0_0', 'base64'));

-- Publish the next version with its own bundle.
SELECT version, content_hash, published_at
FROM ext_finalize_bundle(:'manifest'::jsonb || '{"version": "1.1.0"}', decode(:'bundle_1_1_0', 'base64'));

-- The same version again with the same content: refused, and the answer says that nothing differs.
SELECT * FROM ext_finalize_bundle(:'manifest', decode(:'bundle_1_0_0', 'base64'));

-- The same version again with other content: refused, and the answer says what is there.
SELECT * FROM ext_finalize_bundle(:'manifest', decode(:'bundle_1_1_0', 'base64'));

-- Let the registry choose the next patch number.
SELECT version, content_hash, published_at
FROM ext_finalize_bundle(:'manifest'::jsonb || '{"version": "1.1.*"}', decode(:'bundle_1_1_0', 'base64'));

-- A tenant installs 1.1.0, as its app always did.
RESET ROLE;
INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
SELECT gen_random_uuid(), 'berlin', registry_id, id FROM extension_version WHERE version = '1.1.0';
