CREATE FUNCTION @extschema@.ext_finalize_bundle(
    manifest      jsonb,
    bundle        bytea,
    declared_hash text DEFAULT NULL,
    signature     text DEFAULT NULL,
    storage_url   text DEFAULT NULL
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
AS 'MODULE_PATHNAME', 'ext_finalize_bundle_wrapper';

COMMENT ON FUNCTION @extschema@.ext_finalize_bundle(jsonb, bytea, text, text, text) IS
    'Hashes the bundle in the server and publishes the version with that hash and size; the bytes are not stored.';

REVOKE ALL ON FUNCTION @extschema@.ext_finalize_bundle(jsonb, bytea, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_finalize_bundle(jsonb, bytea, text, text, text)
    TO @extowner@ WITH GRANT OPTION;
