CREATE FUNCTION @extschema@.ext_consistency_proof(old_size bigint, new_size bigint DEFAULT NULL)
    RETURNS bytea[]
    LANGUAGE c STABLE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_consistency_proof_wrapper';

COMMENT ON FUNCTION @extschema@.ext_consistency_proof(bigint, bigint) IS
    'Proves that the log has only been appended to between two checkpoints, the later one the latest by default (RFC 6962).';

REVOKE ALL ON FUNCTION @extschema@.ext_consistency_proof(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_consistency_proof(bigint, bigint) TO @extowner@ WITH GRANT OPTION;
