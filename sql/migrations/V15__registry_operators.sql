-- The guards of an entry's identity: DETAIL in one line as in V13, and operators that are named in full as in V14.

CREATE OR REPLACE FUNCTION @schema@.extension_registry_identity_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
AS $function$
DECLARE
    entry_publisher text;
    entry_name      text;
    problem         text := 'it holds the names of published versions';
    detail          text;
    point           integer;
BEGIN
    -- With its owner's rights it touches nothing of anybody else's, as in V7.
    IF (
        SELECT count(*)
        FROM pg_class c
        WHERE c.oid IN (TG_RELID, to_regclass('@schema@.extension_version'))
          AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = current_user
    ) < 2
    THEN
        problem := 'its guard belongs to another table or role';
    ELSIF TG_OP = 'DELETE' THEN
        -- This snapshot may be too old to show a version. Then the foreign key or the version's own guard refuses,
        -- but foreign keys sleep in this role.
        IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable')
           AND current_setting('session_replication_role') = 'replica'
        THEN
            RAISE EXCEPTION 'could not serialize access: whether % has versions cannot be seen from here', OLD.id
                USING ERRCODE = 'serialization_failure', HINT = 'Retry at READ COMMITTED.';
        END IF;
        IF NOT EXISTS (
            SELECT FROM ONLY @schema@.extension_version v
            WHERE v.registry_id = OLD.id
        ) THEN
            RETURN OLD;
        END IF;
        problem := 'it has published versions';
    ELSIF TG_OP = 'UPDATE' THEN
        problem := 'id, publisher and name of an extension are final';
    END IF;
    IF TG_OP <> 'TRUNCATE' THEN
        entry_publisher := OLD.publisher;
        entry_name := OLD.name;
    END IF;

    detail := jsonb_strip_nulls(jsonb_build_object(
        'code', 'VERSION_IMMUTABLE', 'table', TG_TABLE_NAME, 'operation', TG_OP,
        'publisher', entry_publisher, 'name', entry_name));
    -- As in V13.
    FOREACH point IN ARRAY ARRAY[133, 8232, 8233] LOOP
        EXIT WHEN current_setting('server_encoding') <> 'UTF8';
        detail := replace(detail, chr(point), chr(92) || 'u' || lpad(to_hex(point), 4, '0'));
    END LOOP;

    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on %s refused%s: %s', TG_OP, TG_TABLE_NAME,
            coalesce(' for ' || entry_publisher || '/' || entry_name, ''), problem),
        DETAIL = detail,
        HINT = 'Register the extension under the new name instead; published versions stay where they are.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        CONSTRAINT = 'extension_registry_identity_immutable';
END
$function$;

DROP TRIGGER extension_registry_identity_immutable ON @schema@.extension_registry;
CREATE TRIGGER extension_registry_identity_immutable
    BEFORE UPDATE ON @schema@.extension_registry
    FOR EACH ROW WHEN (
        (OLD.id OPERATOR(pg_catalog.=) NEW.id) IS NOT TRUE
        OR (OLD.publisher COLLATE pg_catalog."C" OPERATOR(pg_catalog.=) NEW.publisher COLLATE pg_catalog."C") IS NOT TRUE
        OR (OLD.name COLLATE pg_catalog."C" OPERATOR(pg_catalog.=) NEW.name COLLATE pg_catalog."C") IS NOT TRUE
    )
    EXECUTE FUNCTION @schema@.extension_registry_identity_immutable();
ALTER TABLE @schema@.extension_registry ENABLE ALWAYS TRIGGER extension_registry_identity_immutable;

DROP TRIGGER extension_registry_identity_immutable_stored ON @schema@.extension_registry;
CREATE CONSTRAINT TRIGGER extension_registry_identity_immutable_stored
    AFTER UPDATE ON @schema@.extension_registry
    FOR EACH ROW WHEN (
        (OLD.id OPERATOR(pg_catalog.=) NEW.id) IS NOT TRUE
        OR (OLD.publisher COLLATE pg_catalog."C" OPERATOR(pg_catalog.=) NEW.publisher COLLATE pg_catalog."C") IS NOT TRUE
        OR (OLD.name COLLATE pg_catalog."C" OPERATOR(pg_catalog.=) NEW.name COLLATE pg_catalog."C") IS NOT TRUE
    )
    EXECUTE FUNCTION @schema@.extension_registry_identity_immutable();
ALTER TABLE @schema@.extension_registry ENABLE ALWAYS TRIGGER extension_registry_identity_immutable_stored;
