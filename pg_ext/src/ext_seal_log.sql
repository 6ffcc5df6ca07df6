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
GRANT EXECUTE ON FUNCTION @extschema@.ext_seal_log(text) TO @extowner@ WITH GRANT OPTION;
