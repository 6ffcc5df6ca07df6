CREATE FUNCTION @extschema@.ext_inclusion_proof(leaf_index bigint, tree_size bigint DEFAULT NULL)
    RETURNS bytea[]
    LANGUAGE c STABLE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_inclusion_proof_wrapper';

COMMENT ON FUNCTION @extschema@.ext_inclusion_proof(bigint, bigint) IS
    'Proves that a leaf is in the tree of a checkpoint, the latest by default (RFC 6962; the leaf''s sibling first).';

REVOKE ALL ON FUNCTION @extschema@.ext_inclusion_proof(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_inclusion_proof(bigint, bigint) TO @extowner@ WITH GRANT OPTION;
