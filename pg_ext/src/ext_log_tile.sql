CREATE FUNCTION @extschema@.ext_log_tile(level integer, index bigint, width integer DEFAULT NULL)
    RETURNS bytea
    LANGUAGE c STABLE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_log_tile_wrapper';

COMMENT ON FUNCTION @extschema@.ext_log_tile(integer, bigint, integer) IS
    'A tile of the log as C2SP tlog-tiles has it, or its first hashes; NULL where the latest checkpoint has none.';

REVOKE ALL ON FUNCTION @extschema@.ext_log_tile(integer, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_log_tile(integer, bigint, integer) TO @extowner@ WITH GRANT OPTION;
