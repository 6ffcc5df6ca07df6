-- The log of published versions. Each function as its file in pg_ext/src has it.

CREATE FUNCTION @extschema@.ext_version_leaf(version_id uuid)
    RETURNS TABLE (
        bundle_id  uuid,
        leaf_hash  bytea,
        leaf_index bigint
    )
    LANGUAGE c STABLE PARALLEL UNSAFE
    ROWS 2
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_version_leaf_wrapper';

COMMENT ON FUNCTION @extschema@.ext_version_leaf(uuid) IS
    'The hashes under which a version and its bundles are in the log, or will be once it is sealed: the publisher''s receipt.';

REVOKE ALL ON FUNCTION @extschema@.ext_version_leaf(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.ext_seal_log(origin text DEFAULT NULL)
    RETURNS TABLE (
        origin    text,
        tree_size bigint,
        root      bytea,
        appended  bigint,
        note      text
    )
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    ROWS 1
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_seal_log_wrapper';

COMMENT ON FUNCTION @extschema@.ext_seal_log(text) IS
    'Appends to the log what has been published and is not in it, and writes a checkpoint. Publishing does not wait for it.';

REVOKE ALL ON FUNCTION @extschema@.ext_seal_log(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.ext_sign_checkpoint(tree_size bigint, line text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_sign_checkpoint_wrapper';

COMMENT ON FUNCTION @extschema@.ext_sign_checkpoint(bigint, text) IS
    'Keeps a signature of a checkpoint, which its note then carries. The key that made it never enters the database.';

REVOKE ALL ON FUNCTION @extschema@.ext_sign_checkpoint(bigint, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.ext_log_checkpoint(tree_size bigint DEFAULT NULL)
    RETURNS TABLE (
        origin    text,
        tree_size bigint,
        root      bytea,
        sealed_at timestamptz,
        note      text
    )
    LANGUAGE c STABLE PARALLEL UNSAFE
    ROWS 1
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_log_checkpoint_wrapper';

COMMENT ON FUNCTION @extschema@.ext_log_checkpoint(bigint) IS
    'A checkpoint of the log as a signed note: the one of a size, or the latest. Whoever keeps it can prove later that no published version has changed.';

REVOKE ALL ON FUNCTION @extschema@.ext_log_checkpoint(bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.ext_inclusion_proof(leaf_index bigint, tree_size bigint DEFAULT NULL)
    RETURNS bytea[]
    LANGUAGE c STABLE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_inclusion_proof_wrapper';

COMMENT ON FUNCTION @extschema@.ext_inclusion_proof(bigint, bigint) IS
    'Proves that a leaf is in the tree of a checkpoint, the latest by default (RFC 6962; the leaf''s sibling first).';

REVOKE ALL ON FUNCTION @extschema@.ext_inclusion_proof(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.ext_consistency_proof(old_size bigint, new_size bigint DEFAULT NULL)
    RETURNS bytea[]
    LANGUAGE c STABLE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_consistency_proof_wrapper';

COMMENT ON FUNCTION @extschema@.ext_consistency_proof(bigint, bigint) IS
    'Proves that the log has only been appended to between two checkpoints, the later one the latest by default (RFC 6962).';

REVOKE ALL ON FUNCTION @extschema@.ext_consistency_proof(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.ext_log_tile(level integer, index bigint, width integer DEFAULT NULL)
    RETURNS bytea
    LANGUAGE c STABLE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_log_tile_wrapper';

COMMENT ON FUNCTION @extschema@.ext_log_tile(integer, bigint, integer) IS
    'A tile of the log as C2SP tlog-tiles has it, or its first hashes; NULL where the latest checkpoint has none.';

REVOKE ALL ON FUNCTION @extschema@.ext_log_tile(integer, bigint, integer) FROM PUBLIC;

CREATE FUNCTION @extschema@.ext_verify_log()
    RETURNS TABLE (
        finding    text,
        leaf_index bigint,
        version_id uuid,
        bundle_id  uuid,
        message    text
    )
    LANGUAGE c STABLE PARALLEL UNSAFE
    ROWS 1
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_verify_log_wrapper';

COMMENT ON FUNCTION @extschema@.ext_verify_log() IS
    'Recomputes every leaf of the log from its row and the tree from the leaves, and names what was changed, removed, added outside the log or reordered.';

REVOKE ALL ON FUNCTION @extschema@.ext_verify_log() FROM PUBLIC;

-- @extowner@ is whoever runs this, who need not be the owner of the extension.
DO $grant$
DECLARE
    owner text := (
        SELECT pg_catalog.pg_get_userbyid(e.extowner) FROM pg_catalog.pg_extension e WHERE e.extname = 'ext_registry'
    );
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        '@extschema@.ext_version_leaf(uuid)',
        '@extschema@.ext_seal_log(text)',
        '@extschema@.ext_sign_checkpoint(bigint, text)',
        '@extschema@.ext_log_checkpoint(bigint)',
        '@extschema@.ext_inclusion_proof(bigint, bigint)',
        '@extschema@.ext_consistency_proof(bigint, bigint)',
        '@extschema@.ext_log_tile(integer, bigint, integer)',
        '@extschema@.ext_verify_log()'
    ] LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I WITH GRANT OPTION', signature, owner);
    END LOOP;
END
$grant$;
