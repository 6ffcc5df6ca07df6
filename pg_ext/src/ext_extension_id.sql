CREATE FUNCTION @extschema@.ext_extension_id(publisher text, name text)
    RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    -- Runs with the rights and the search_path of the caller, who may have other operators there: they name their schema.
AS $function$
    SELECT r.id
    FROM @extschema@.extension_registry r
    WHERE r.publisher OPERATOR(pg_catalog.=) $1 AND r.name OPERATOR(pg_catalog.=) $2
$function$;

COMMENT ON FUNCTION @extschema@.ext_extension_id(text, text) IS
    'The id of an extension by publisher and name; NULL when there is none. Runs with the rights of the caller.';

REVOKE ALL ON FUNCTION @extschema@.ext_extension_id(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_extension_id(text, text) TO @extowner@ WITH GRANT OPTION;
