-- The log of published versions: an RFC 6962 Merkle tree with a leaf for each version and each bundle, in the formats of
-- C2SP tlog-tiles and tlog-checkpoint. Publishing does not touch it; ext_seal_log() appends what has been committed.
-- New tables only: nothing that is there is locked.

CREATE TABLE @schema@.extension_log_leaf (
    leaf_index bigint NOT NULL,
    version_id uuid NOT NULL,
    bundle_id  uuid,
    label      text,
    leaf_hash  bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    CONSTRAINT extension_log_leaf_pkey PRIMARY KEY (leaf_index),
    -- No foreign keys: a row that is removed in spite of all guards must not take its leaf along.
    CONSTRAINT extension_log_leaf_version_id_bundle_id_unique UNIQUE NULLS NOT DISTINCT (version_id, bundle_id),
    CHECK (leaf_index >= 0)
);

CREATE TABLE @schema@.extension_log_tile (
    level  smallint NOT NULL CHECK (level >= 0),
    index  bigint NOT NULL CHECK (index >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    root   bytea NOT NULL CHECK (octet_length(root) = 32),
    CONSTRAINT extension_log_tile_pkey PRIMARY KEY (level, index)
);

CREATE TABLE @schema@.extension_log_checkpoint (
    tree_size bigint NOT NULL CHECK (tree_size >= 0),
    root      bytea NOT NULL CHECK (octet_length(root) = 32),
    origin    text NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT extension_log_checkpoint_pkey PRIMARY KEY (tree_size)
);

CREATE TABLE @schema@.extension_log_signature (
    tree_size  bigint NOT NULL,
    line       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT extension_log_signature_pkey PRIMARY KEY (tree_size, line),
    CONSTRAINT extension_log_signature_tree_size_fkey
        FOREIGN KEY (tree_size) REFERENCES @schema@.extension_log_checkpoint (tree_size)
);

-- Looks at no table, as the guard of versions.
CREATE FUNCTION @schema@.extension_log_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on %s refused: the log of published versions is only appended to', TG_OP, TG_TABLE_NAME),
        DETAIL = jsonb_build_object('code', 'VERSION_IMMUTABLE', 'table', TG_TABLE_NAME, 'operation', TG_OP),
        HINT = 'ext_seal_log() appends what has been published since the last checkpoint.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        CONSTRAINT = TG_TABLE_NAME || '_immutable';
END
$function$;

REVOKE ALL ON FUNCTION @schema@.extension_log_immutable() FROM PUBLIC;

COMMENT ON FUNCTION @schema@.extension_log_immutable() IS
    'Guard of ext_registry: refuses with 23001 every change of the log of published versions';

CREATE TRIGGER extension_log_leaf_immutable
    BEFORE UPDATE OR DELETE ON @schema@.extension_log_leaf
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_leaf ENABLE ALWAYS TRIGGER extension_log_leaf_immutable;

CREATE TRIGGER extension_log_leaf_immutable_truncate
    BEFORE TRUNCATE ON @schema@.extension_log_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_leaf ENABLE ALWAYS TRIGGER extension_log_leaf_immutable_truncate;

CREATE CONSTRAINT TRIGGER extension_log_leaf_immutable_stored
    AFTER UPDATE OR DELETE ON @schema@.extension_log_leaf
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_leaf ENABLE ALWAYS TRIGGER extension_log_leaf_immutable_stored;

CREATE TRIGGER extension_log_tile_immutable
    BEFORE UPDATE OR DELETE ON @schema@.extension_log_tile
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_tile ENABLE ALWAYS TRIGGER extension_log_tile_immutable;

CREATE TRIGGER extension_log_tile_immutable_truncate
    BEFORE TRUNCATE ON @schema@.extension_log_tile
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_tile ENABLE ALWAYS TRIGGER extension_log_tile_immutable_truncate;

CREATE CONSTRAINT TRIGGER extension_log_tile_immutable_stored
    AFTER UPDATE OR DELETE ON @schema@.extension_log_tile
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_tile ENABLE ALWAYS TRIGGER extension_log_tile_immutable_stored;

CREATE TRIGGER extension_log_checkpoint_immutable
    BEFORE UPDATE OR DELETE ON @schema@.extension_log_checkpoint
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_checkpoint ENABLE ALWAYS TRIGGER extension_log_checkpoint_immutable;

CREATE TRIGGER extension_log_checkpoint_immutable_truncate
    BEFORE TRUNCATE ON @schema@.extension_log_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_checkpoint ENABLE ALWAYS TRIGGER extension_log_checkpoint_immutable_truncate;

CREATE CONSTRAINT TRIGGER extension_log_checkpoint_immutable_stored
    AFTER UPDATE OR DELETE ON @schema@.extension_log_checkpoint
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_checkpoint ENABLE ALWAYS TRIGGER extension_log_checkpoint_immutable_stored;

CREATE TRIGGER extension_log_signature_immutable
    BEFORE UPDATE OR DELETE ON @schema@.extension_log_signature
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_signature ENABLE ALWAYS TRIGGER extension_log_signature_immutable;

CREATE TRIGGER extension_log_signature_immutable_truncate
    BEFORE TRUNCATE ON @schema@.extension_log_signature
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_signature ENABLE ALWAYS TRIGGER extension_log_signature_immutable_truncate;

CREATE CONSTRAINT TRIGGER extension_log_signature_immutable_stored
    AFTER UPDATE OR DELETE ON @schema@.extension_log_signature
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_log_immutable();
ALTER TABLE @schema@.extension_log_signature ENABLE ALWAYS TRIGGER extension_log_signature_immutable_stored;
