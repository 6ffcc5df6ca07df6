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
GRANT EXECUTE ON FUNCTION @extschema@.ext_version_leaf(uuid) TO @extowner@ WITH GRANT OPTION;
