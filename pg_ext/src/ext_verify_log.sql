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
GRANT EXECUTE ON FUNCTION @extschema@.ext_verify_log() TO @extowner@ WITH GRANT OPTION;
