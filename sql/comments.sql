-- What \d+, \dd and \di+ say about the tables: the COMMENT of each object that has none. What somebody has written
-- stays, which no migration could promise. $1 is the name of the schema.
WITH comments (relation, kind, name, comment) AS (VALUES
    ('extension_registry', 'TABLE', NULL, 'ext_registry: the extensions. id, publisher and name of an entry are final'),
    ('extension_registry', 'COLUMN', 'id', 'extension_id of the functions'),
    ('extension_registry', 'COLUMN', 'publisher', 'Who publishes it; final'),
    ('extension_registry', 'COLUMN', 'name', 'Unique for its publisher; final'),
    ('extension_registry', 'COLUMN', 'display_name', 'For people; may change'),
    ('extension_registry', 'COLUMN', 'description', 'For people; may change'),
    ('extension_registry', 'COLUMN', 'created_at', 'When its first version was published or it was registered'),
    ('extension_registry', 'COLUMN', 'updated_at', 'Kept by the app; publishing does not touch it'),
    ('extension_registry', 'CONSTRAINT', 'extension_registry_publisher_name_unique', 'One entry per publisher and name'),
    ('extension_registry', 'TRIGGER', 'extension_registry_identity_immutable', 'Refuses another id, publisher or name'),
    ('extension_registry', 'TRIGGER', 'extension_registry_identity_immutable_stored', 'The same for the row as stored'),
    ('extension_registry', 'TRIGGER', 'extension_registry_identity_immutable_delete', 'Refuses to delete an extension that has versions'),
    ('extension_registry', 'TRIGGER', 'extension_registry_identity_immutable_truncate', 'Refuses TRUNCATE'),

    ('extension_version', 'TABLE', NULL, 'ext_registry: the published versions. A row is never changed or removed'),
    ('extension_version', 'COLUMN', 'id', 'version_id of the functions'),
    ('extension_version', 'COLUMN', 'registry_id', 'The extension that it is a version of'),
    ('extension_version', 'COLUMN', 'version', 'SemVer 2.0.0; two versions are the same only when they are the same string'),
    ('extension_version', 'COLUMN', 'runtime', 'What runs it, such as node@20; from the manifest'),
    ('extension_version', 'COLUMN', 'main_entry', 'ui.entry of the manifest, main without one'),
    ('extension_version', 'COLUMN', 'api', 'api of the manifest'),
    ('extension_version', 'COLUMN', 'api_endpoints', 'api.endpoints of the manifest, methods in upper case'),
    ('extension_version', 'COLUMN', 'ui', 'ui of the manifest'),
    ('extension_version', 'COLUMN', 'capabilities', 'capabilities of the manifest'),
    ('extension_version', 'COLUMN', 'assets', 'assets of the manifest'),
    ('extension_version', 'COLUMN', 'created_at', 'When it was published; NULL only in rows from before the guards'),
    ('extension_version', 'COLUMN', 'adopted', 'true on rows that were there before the guards; new rows cannot be marked so'),
    ('extension_version', 'CONSTRAINT', 'extension_version_registry_id_version_unique', 'A version is published once: 23505 names this constraint'),
    ('extension_version', 'CONSTRAINT', 'extension_version_created_at_check', 'Whatever is published has its time'),
    ('extension_version', 'INDEX', 'extension_version_list_idx', 'The order of ext_list_versions'),
    ('extension_version', 'INDEX', 'extension_version_release_idx', 'The highest patch number, for versions such as 1.2.*'),
    ('extension_version', 'TRIGGER', 'extension_version_immutable', 'Refuses UPDATE and DELETE'),
    ('extension_version', 'TRIGGER', 'extension_version_immutable_adopted', 'Refuses new rows that are marked as adopted'),
    ('extension_version', 'TRIGGER', 'extension_version_immutable_stored', 'Refuses UPDATE and DELETE, where another trigger stands before the first'),
    ('extension_version', 'TRIGGER', 'extension_version_immutable_truncate', 'Refuses TRUNCATE'),

    ('extension_bundle', 'TABLE', NULL, 'ext_registry: the bundle of each version. A row is never changed or removed, the bytes are elsewhere'),
    ('extension_bundle', 'COLUMN', 'version_id', 'The version; it has one bundle, but for rows from before the guards'),
    ('extension_bundle', 'COLUMN', 'content_hash', 'sha256: and 64 hex digits in lower case'),
    ('extension_bundle', 'COLUMN', 'signature', 'Of the bundle, as the publisher gave it'),
    ('extension_bundle', 'COLUMN', 'precompiled', 'precompiled of the manifest'),
    ('extension_bundle', 'COLUMN', 'storage_url', 'Where the bytes are, as the publisher gave it'),
    ('extension_bundle', 'COLUMN', 'size_bytes', 'Size of the bundle'),
    ('extension_bundle', 'COLUMN', 'created_at', 'When it was published'),
    ('extension_bundle', 'COLUMN', 'adopted', 'true on rows that were there before the guards; new rows cannot be marked so'),
    ('extension_bundle', 'CONSTRAINT', 'extension_bundle_version_id_content_hash_unique', 'A version has the same content once'),
    ('extension_bundle', 'CONSTRAINT', 'extension_bundle_content_hash_check', 'The form of the hash, but for rows from before the guards'),
    ('extension_bundle', 'CONSTRAINT', 'extension_bundle_size_bytes_check', 'No negative size, but for rows from before the guards'),
    ('extension_bundle', 'INDEX', 'extension_bundle_version_id_unique', 'One bundle per version, but for rows from before the guards'),
    ('extension_bundle', 'TRIGGER', 'extension_bundle_immutable', 'Refuses UPDATE and DELETE'),
    ('extension_bundle', 'TRIGGER', 'extension_bundle_immutable_insert', 'Refuses a second bundle and new rows that are marked as adopted'),
    ('extension_bundle', 'TRIGGER', 'extension_bundle_immutable_stored', 'The same for the row as stored'),
    ('extension_bundle', 'TRIGGER', 'extension_bundle_immutable_truncate', 'Refuses TRUNCATE'),

    ('tenant_extension_install', 'TABLE', NULL, 'ext_registry: which version of an extension a tenant has installed. Rows are the app''s to change'),
    ('tenant_extension_install', 'COLUMN', 'tenant_id', 'The tenant; one install per tenant and extension'),
    ('tenant_extension_install', 'COLUMN', 'registry_id', 'The extension'),
    ('tenant_extension_install', 'COLUMN', 'version_id', 'The version that ext_list_versions shows as installed'),
    ('tenant_extension_install', 'COLUMN', 'status', 'enabled, disabled or pending; the app''s'),
    ('tenant_extension_install', 'COLUMN', 'granted_caps', 'Capabilities that the tenant has granted; the app''s'),
    ('tenant_extension_install', 'COLUMN', 'config', 'Settings of the tenant; the app''s'),
    ('tenant_extension_install', 'COLUMN', 'is_enabled', 'Whether it runs; the app''s'),
    ('tenant_extension_install', 'CONSTRAINT', 'tenant_extension_install_tenant_id_registry_id_unique', 'One install per tenant and extension'),

    ('extension_log_leaf', 'TABLE', NULL, 'ext_registry: the leaves of the log, in its order; each the hash of a version or a bundle'),
    ('extension_log_leaf', 'COLUMN', 'leaf_index', 'Place in the log: 0, 1, 2 and so on without gaps'),
    ('extension_log_leaf', 'COLUMN', 'version_id', 'The version, or that of the bundle'),
    ('extension_log_leaf', 'COLUMN', 'bundle_id', 'NULL for the leaf of the version itself'),
    ('extension_log_leaf', 'COLUMN', 'label', 'Publisher, name and version, so that a removed version has a name in the audit; not part of the hash'),
    ('extension_log_leaf', 'COLUMN', 'leaf_hash', 'SHA-256 as RFC 6962 has it; doc/log.md says of what'),
    ('extension_log_leaf', 'CONSTRAINT', 'extension_log_leaf_version_id_bundle_id_unique', 'One leaf per version and per bundle'),
    ('extension_log_leaf', 'CONSTRAINT', 'extension_log_leaf_leaf_index_check', 'The first leaf has index 0'),
    ('extension_log_leaf', 'CONSTRAINT', 'extension_log_leaf_leaf_hash_check', 'SHA-256 has 32 bytes'),
    ('extension_log_leaf', 'CONSTRAINT', 'extension_log_leaf_index_check', 'The tree with it has a size that bigint can hold'),

    ('extension_log_tile', 'TABLE', NULL, 'ext_registry: the full tiles of the log''s Merkle tree; partial ones are made when read'),
    ('extension_log_tile', 'COLUMN', 'level', '0 over the leaves, 1 over the tiles of level 0, and so on'),
    ('extension_log_tile', 'COLUMN', 'index', 'Place on its level, from the left'),
    ('extension_log_tile', 'COLUMN', 'hashes', '256 hashes, one after the other'),
    ('extension_log_tile', 'COLUMN', 'root', 'The hash of this tile in the one above it'),
    ('extension_log_tile', 'CONSTRAINT', 'extension_log_tile_place_check', 'There are leaves under it that bigint can count'),
    ('extension_log_tile', 'CONSTRAINT', 'extension_log_tile_level_check', 'Level 0 is the lowest'),
    ('extension_log_tile', 'CONSTRAINT', 'extension_log_tile_index_check', 'The first tile has index 0'),
    ('extension_log_tile', 'CONSTRAINT', 'extension_log_tile_hashes_check', '256 hashes of 32 bytes'),
    ('extension_log_tile', 'CONSTRAINT', 'extension_log_tile_root_check', 'SHA-256 has 32 bytes'),

    ('extension_log_checkpoint', 'TABLE', NULL, 'ext_registry: what the log was at one time, by its size'),
    ('extension_log_checkpoint', 'COLUMN', 'tree_size', 'How many leaves it had'),
    ('extension_log_checkpoint', 'COLUMN', 'root', 'The root of the tree over them'),
    ('extension_log_checkpoint', 'COLUMN', 'origin', 'The name of the log, the same in all checkpoints'),
    ('extension_log_checkpoint', 'COLUMN', 'sealed_at', 'When it was written'),
    ('extension_log_checkpoint', 'CONSTRAINT', 'extension_log_checkpoint_time_check', 'The clock has no infinite times'),
    ('extension_log_checkpoint', 'CONSTRAINT', 'extension_log_checkpoint_tree_size_check', 'A size is not negative'),
    ('extension_log_checkpoint', 'CONSTRAINT', 'extension_log_checkpoint_root_check', 'SHA-256 has 32 bytes'),

    ('extension_log_signature', 'TABLE', NULL, 'ext_registry: signatures of checkpoints'),
    ('extension_log_signature', 'COLUMN', 'tree_size', 'The checkpoint that is signed'),
    ('extension_log_signature', 'COLUMN', 'line', 'As a signed note has it, without the dash before it: name of the key, blank, base64'),
    ('extension_log_signature', 'CONSTRAINT', 'extension_log_signature_length_check', 'Enough for a post-quantum signature'),

    ('extension_log_leaf', 'TRIGGER', 'extension_log_leaf_immutable', 'Refuses UPDATE and DELETE'),
    ('extension_log_leaf', 'TRIGGER', 'extension_log_leaf_immutable_stored', 'Refuses UPDATE and DELETE, where another trigger stands before the first'),
    ('extension_log_leaf', 'TRIGGER', 'extension_log_leaf_immutable_truncate', 'Refuses TRUNCATE'),
    ('extension_log_leaf', 'TRIGGER', 'extension_log_leaf_owner_only', 'Refuses the rows of everybody but the owner'),

    ('extension_log_tile', 'TRIGGER', 'extension_log_tile_immutable', 'Refuses UPDATE and DELETE'),
    ('extension_log_tile', 'TRIGGER', 'extension_log_tile_immutable_stored', 'Refuses UPDATE and DELETE, where another trigger stands before the first'),
    ('extension_log_tile', 'TRIGGER', 'extension_log_tile_immutable_truncate', 'Refuses TRUNCATE'),
    ('extension_log_tile', 'TRIGGER', 'extension_log_tile_owner_only', 'Refuses the rows of everybody but the owner'),

    ('extension_log_checkpoint', 'TRIGGER', 'extension_log_checkpoint_immutable', 'Refuses UPDATE and DELETE'),
    ('extension_log_checkpoint', 'TRIGGER', 'extension_log_checkpoint_immutable_stored', 'Refuses UPDATE and DELETE, where another trigger stands before the first'),
    ('extension_log_checkpoint', 'TRIGGER', 'extension_log_checkpoint_immutable_truncate', 'Refuses TRUNCATE'),
    ('extension_log_checkpoint', 'TRIGGER', 'extension_log_checkpoint_owner_only', 'Refuses the rows of everybody but the owner'),

    ('extension_log_signature', 'TRIGGER', 'extension_log_signature_immutable', 'Refuses UPDATE and DELETE'),
    ('extension_log_signature', 'TRIGGER', 'extension_log_signature_immutable_stored', 'Refuses UPDATE and DELETE, where another trigger stands before the first'),
    ('extension_log_signature', 'TRIGGER', 'extension_log_signature_immutable_truncate', 'Refuses TRUNCATE'),
    ('extension_log_signature', 'TRIGGER', 'extension_log_signature_owner_only', 'Refuses the rows of everybody but the owner')
)
SELECT CASE m.kind
        WHEN 'TABLE' THEN format('COMMENT ON TABLE %I.%I IS %L', $1::text, m.relation, m.comment)
        WHEN 'COLUMN' THEN format('COMMENT ON COLUMN %I.%I.%I IS %L', $1::text, m.relation, m.name, m.comment)
        WHEN 'INDEX' THEN format('COMMENT ON INDEX %I.%I IS %L', $1::text, m.name, m.comment)
        ELSE format('COMMENT ON %s %I ON %I.%I IS %L', m.kind, m.name, $1::text, m.relation, m.comment)
    END
FROM comments m
JOIN pg_catalog.pg_class c ON c.oid = to_regclass(format('%I.%I', $1::text, m.relation)) AND c.relkind = 'r'
CROSS JOIN LATERAL (
    SELECT 'pg_class'::regclass, c.oid, 0
    WHERE m.kind = 'TABLE'
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum
    FROM pg_catalog.pg_attribute a
    WHERE m.kind = 'COLUMN' AND a.attrelid = c.oid AND a.attname = m.name AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_class'::regclass, i.oid, 0
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    WHERE m.kind = 'INDEX' AND x.indrelid = c.oid AND i.relname = m.name AND i.relnamespace = c.relnamespace
    UNION ALL
    SELECT 'pg_constraint'::regclass, o.oid, 0
    FROM pg_catalog.pg_constraint o
    WHERE m.kind = 'CONSTRAINT' AND o.conrelid = c.oid AND o.conname = m.name
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0
    FROM pg_catalog.pg_trigger t
    WHERE m.kind = 'TRIGGER' AND t.tgrelid = c.oid AND t.tgname = m.name
) AS there (classoid, objoid, objsubid)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_description d
    WHERE (d.classoid, d.objoid, d.objsubid) = (there.classoid, there.objoid, there.objsubid)
)
ORDER BY 1
