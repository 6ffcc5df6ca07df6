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
GRANT EXECUTE ON FUNCTION @extschema@.ext_log_checkpoint(bigint) TO @extowner@ WITH GRANT OPTION;
