CREATE FUNCTION @extschema@.ext_finalize_version(
    manifest     jsonb,
    content_hash text,
    signature    text DEFAULT NULL,
    storage_url  text DEFAULT NULL,
    size_bytes   bigint DEFAULT NULL
)
    RETURNS TABLE (
        extension_id uuid,
        version_id   uuid,
        version      text,
        content_hash text,
        published_at timestamptz
    )
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    ROWS 1
    -- The function switches to the owner of the tables itself: SECURITY DEFINER would make it the extension's owner.
AS 'MODULE_PATHNAME', 'ext_finalize_version_wrapper';

COMMENT ON FUNCTION @extschema@.ext_finalize_version(jsonb, text, text, text, bigint) IS
    'Publishes the version that the manifest names, once and for good. A version that exists is refused with 23505.';

REVOKE ALL ON FUNCTION @extschema@.ext_finalize_version(jsonb, text, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_finalize_version(jsonb, text, text, text, bigint)
    TO @extowner@ WITH GRANT OPTION;
