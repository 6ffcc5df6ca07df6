-- An UPDATE of a version that changes nothing passes: upserts and ORMs write what is there. The triggers stay as they
-- are, so no table is locked.

CREATE OR REPLACE FUNCTION @schema@.extension_version_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    label   text;
    problem text := 'a published version is never changed or removed';
    advice  text := 'Publish a new version instead.';
    detail  text;
    point   integer;
BEGIN
    -- What changes nothing passes: rows are compared by image, byte for byte, and no operator of a type is called.
    -- A generated column has no value until the row is stored: where there is one, the trigger before that looks at the
    -- columns of the registry, and the one after it at the whole row.
    IF TG_OP = 'UPDATE' THEN
        IF OLD OPERATOR(pg_catalog.*=) NEW
           OR TG_WHEN = 'BEFORE'
              AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = TG_RELID AND a.attgenerated = 's')
              AND ROW(OLD.id, OLD.registry_id, OLD.version, OLD.runtime, OLD.main_entry, OLD.api, OLD.api_endpoints,
                  OLD.ui, OLD.capabilities, OLD.assets, OLD.created_at, OLD.adopted)::record
              OPERATOR(pg_catalog.*=)
              ROW(NEW.id, NEW.registry_id, NEW.version, NEW.runtime, NEW.main_entry, NEW.api, NEW.api_endpoints,
                  NEW.ui, NEW.capabilities, NEW.assets, NEW.created_at, NEW.adopted)::record
        THEN
            RETURN NEW;
        END IF;
    END IF;

    IF TG_OP = 'INSERT' THEN
        -- Restore and replication bring adopted rows; only a superuser can be in this role.
        IF current_setting('session_replication_role') = 'replica' THEN
            RETURN NEW;
        END IF;
        label := NEW.version;
        problem := 'only versions that were there before the registry was guarded are marked as adopted';
        advice := 'To restore such rows, let a superuser set session_replication_role = replica.';
    ELSIF TG_OP <> 'TRUNCATE' THEN
        label := OLD.version;
    END IF;

    detail := jsonb_strip_nulls(jsonb_build_object(
        'code', 'VERSION_IMMUTABLE', 'table', TG_TABLE_NAME, 'operation', TG_OP, 'version', label));
    -- One line for every reader of lines: jsonb escapes the control characters of ASCII alone.
    FOREACH point IN ARRAY ARRAY[133, 8232, 8233] LOOP
        EXIT WHEN current_setting('server_encoding') <> 'UTF8';
        detail := replace(detail, chr(point), chr(92) || 'u' || lpad(to_hex(point), 4, '0'));
    END LOOP;

    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on %s refused%s: %s', TG_OP, TG_TABLE_NAME, coalesce(' for version ' || label, ''), problem),
        DETAIL = detail,
        HINT = advice,
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        CONSTRAINT = 'extension_version_immutable';
END
$function$;
