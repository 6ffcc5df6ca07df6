CREATE FUNCTION @extschema@.ext_list_versions(extension_id uuid, tenant_id text DEFAULT NULL)
    RETURNS TABLE (
        version_id   uuid,
        version      text,
        published_at timestamptz,
        content_hash text,
        installed    boolean,
        bundle_count integer
    )
    LANGUAGE sql STABLE PARALLEL SAFE
    -- No SET clause and no SECURITY DEFINER: the planner puts the query in place of the call, so that the caller's
    -- WHERE, ORDER BY and LIMIT reach the indexes. Arguments by number: tenant_id by name would be the column. Every
    -- operator, type and function names its schema: the caller's search_path may hold others.
AS $function$
    SELECT
        v.id,
        v.version::pg_catalog.text,
        v.created_at,
        b.content_hash::pg_catalog.text,
        COALESCE(
            v.id OPERATOR(pg_catalog.=) (
                SELECT i.version_id
                FROM @extschema@.tenant_extension_install i
                WHERE i.tenant_id OPERATOR(pg_catalog.=) $2 AND i.registry_id OPERATOR(pg_catalog.=) $1
            ),
            false
        ),
        COALESCE(b.bundle_count, 0)
    FROM @extschema@.extension_version v
    LEFT JOIN LATERAL (
        -- The one bundle of a version that was not adopted, else the newest of several; not a plain join, which the
        -- planner would hash even for a page. The second query runs where the first one finds nothing.
        SELECT c.content_hash, 1 AS bundle_count
        FROM @extschema@.extension_bundle c
        WHERE c.version_id OPERATOR(pg_catalog.=) v.id AND NOT c.adopted
        UNION ALL (
            SELECT c.content_hash, (pg_catalog.count(*) OVER ())::pg_catalog.int4
            FROM @extschema@.extension_bundle c
            WHERE c.version_id OPERATOR(pg_catalog.=) v.id
            ORDER BY c.created_at DESC NULLS LAST, c.content_hash COLLATE pg_catalog."C" DESC
            LIMIT 1
        )
        LIMIT 1
    ) b ON true
    WHERE v.registry_id OPERATOR(pg_catalog.=) $1
    ORDER BY v.created_at DESC NULLS LAST, v.id DESC
$function$;

COMMENT ON FUNCTION @extschema@.ext_list_versions(uuid, text) IS
    'Every version of one extension, newest first, with its newest bundle and the mark of the one that the tenant has installed. Runs with the rights of the caller.';

REVOKE ALL ON FUNCTION @extschema@.ext_list_versions(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.ext_list_versions(uuid, text) TO @extowner@ WITH GRANT OPTION;
