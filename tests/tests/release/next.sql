-- What the update script of a next version could hold; there is no such version. The tests run it after the install
-- script too, for a fresh one.

-- Another definition: grants stay as they are.
CREATE OR REPLACE FUNCTION @extschema@.ext_extension_id(publisher text, name text)
    RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
AS $function$
    SELECT r.id
    FROM @extschema@.extension_registry r
    WHERE r.name OPERATOR(pg_catalog.=) $2 AND r.publisher OPERATOR(pg_catalog.=) $1
$function$;

COMMENT ON FUNCTION @extschema@.ext_extension_id(text, text) IS 'The id of an extension, in the next version.';

-- A function of the library.
CREATE OR REPLACE FUNCTION @extschema@.ext_finalize_version(
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
    COST 100 ROWS 1
AS 'MODULE_PATHNAME', 'ext_finalize_version_wrapper';

-- A new function. @extowner@ is whoever runs the script, who at an update need not be the owner of the extension.
CREATE FUNCTION @extschema@.ext_version_count(extension_id uuid)
    RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
AS $function$
    SELECT pg_catalog.count(*)
    FROM @extschema@.extension_version v
    WHERE v.registry_id OPERATOR(pg_catalog.=) $1
$function$;

COMMENT ON FUNCTION @extschema@.ext_version_count(uuid) IS 'How many versions an extension has.';

REVOKE ALL ON FUNCTION @extschema@.ext_version_count(uuid) FROM PUBLIC;

DO $grant$
BEGIN
    EXECUTE pg_catalog.format(
        'GRANT EXECUTE ON FUNCTION @extschema@.ext_version_count(uuid) TO %I WITH GRANT OPTION',
        (SELECT pg_catalog.pg_get_userbyid(e.extowner) FROM pg_catalog.pg_extension e WHERE e.extname = 'ext_registry')
    );
END
$grant$;
