CREATE FUNCTION @extschema@.ext_sign_checkpoint(tree_size bigint, line text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    -- Runs as the owner of the tables: EXECUTE is all that a caller needs.
AS 'MODULE_PATHNAME', 'ext_sign_checkpoint_wrapper';

COMMENT ON FUNCTION @extschema@.ext_sign_checkpoint(bigint, text) IS
    'Keeps a signature of a checkpoint, which its note then carries. The key that made it never enters the database.';

REVOKE ALL ON FUNCTION @extschema@.ext_sign_checkpoint(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_sign_checkpoint(bigint, text) TO @extowner@ WITH GRANT OPTION;
