-- The guards' functions on Citus, in place of those of the migrations; the triggers are the same. Rows live in shards:
-- extension_bundle_102010 on each node, with triggers of their own, run there by Citus. So the functions take names
-- and oids of shards, look only at shards of the same node, found by their foreign keys (a trigger cannot query a
-- distributed table), and answer the same on every replica.

-- Runs as the owner of the tables, with row_security = off and on nothing of anybody else's, as in V7. Citus hides
-- shards in pg_class from its clients.
CREATE OR REPLACE FUNCTION @schema@.extension_bundle_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
    SET citus.override_table_visibility = off
AS $function$
DECLARE
    target  uuid;
    other   boolean;
    same    boolean := false;
    parent  regclass;
    label   text;
    problem text;
    detail  text;
    point   integer;
BEGIN
    -- As in V13.
    IF TG_OP = 'UPDATE' THEN
        IF OLD OPERATOR(pg_catalog.*=) NEW
           OR TG_WHEN = 'BEFORE'
              AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = TG_RELID AND a.attgenerated = 's')
              AND ROW(OLD.id, OLD.version_id, OLD.content_hash, OLD.signature, OLD.precompiled, OLD.storage_url,
                  OLD.size_bytes, OLD.created_at, OLD.adopted)::record
              OPERATOR(pg_catalog.*=)
              ROW(NEW.id, NEW.version_id, NEW.content_hash, NEW.signature, NEW.precompiled, NEW.storage_url,
                  NEW.size_bytes, NEW.created_at, NEW.adopted)::record
        THEN
            RETURN NEW;
        END IF;
    END IF;

    IF TG_TABLE_NAME !~ '^extension_bundle(_[0-9]+)?$' OR NOT EXISTS (
        SELECT FROM pg_class c
        WHERE c.oid = TG_RELID AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = current_user
    ) THEN
        problem := 'its guard belongs to another table or role';
    ELSIF TG_OP = 'INSERT' AND NEW.adopted THEN
        -- Restore and replication bring adopted rows; only a superuser can be in this role.
        IF current_setting('session_replication_role') = 'replica' THEN
            RETURN NEW;
        END IF;
        target := NEW.version_id;
        problem := 'only bundles that were there before the registry was guarded are marked as adopted';
    ELSIF TG_OP = 'INSERT' THEN
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM ONLY %1$I.%2$I b WHERE b.version_id = $1 AND b.id <> $2),
                    EXISTS (SELECT FROM ONLY %1$I.%2$I b WHERE b.version_id = $1 AND b.id <> $2
                            AND b.content_hash COLLATE "C" = $3 COLLATE "C")',
            TG_TABLE_SCHEMA, TG_TABLE_NAME
        ) INTO other, same USING NEW.version_id, NEW.id, NEW.content_hash::text;
        -- The same pair again is for the unique constraint and ON CONFLICT to answer.
        IF NOT other OR same AND TG_WHEN = 'BEFORE' THEN
            RETURN NEW;
        END IF;
        target := NEW.version_id;
        problem := 'it has its bundle already';
    ELSIF TG_OP = 'TRUNCATE' THEN
        problem := 'published bundles are never removed';
    ELSE
        target := OLD.version_id;
        problem := 'a published bundle is never changed or removed';
    END IF;

    SELECT c.oid INTO parent
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.confrelid
    WHERE k.contype = 'f' AND k.conrelid = TG_RELID
      AND c.relname ~ '^extension_version(_[0-9]+)?$'
      AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = current_user;
    IF parent IS NOT NULL AND target IS NOT NULL THEN
        EXECUTE format('SELECT v.version FROM ONLY %s v WHERE v.id = $1', parent) INTO label USING target;
    END IF;

    detail := jsonb_strip_nulls(jsonb_build_object(
        'code', 'VERSION_IMMUTABLE', 'table', 'extension_bundle', 'operation', TG_OP, 'version', label));
    -- As in V13.
    FOREACH point IN ARRAY ARRAY[133, 8232, 8233] LOOP
        EXIT WHEN current_setting('server_encoding') <> 'UTF8';
        detail := replace(detail, chr(point), chr(92) || 'u' || lpad(to_hex(point), 4, '0'));
    END LOOP;

    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on extension_bundle refused%s: %s', TG_OP, coalesce(' for version ' || label, ''), problem),
        DETAIL = detail,
        HINT = 'Publish a new version instead.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = 'extension_bundle',
        CONSTRAINT = 'extension_bundle_immutable';
END
$function$;

-- Looks at no table, as in V8.
CREATE OR REPLACE FUNCTION @schema@.extension_version_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    label   text;
    problem text := 'a published version is never changed or removed';
    detail  text;
    point   integer;
BEGIN
    -- As in V13.
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
        IF NOT NEW.adopted OR current_setting('session_replication_role') = 'replica' THEN
            RETURN NEW;
        END IF;
        label := NEW.version;
        problem := 'only versions that were there before the registry was guarded are marked as adopted';
    ELSIF TG_OP <> 'TRUNCATE' THEN
        label := OLD.version;
    END IF;

    detail := jsonb_strip_nulls(jsonb_build_object(
        'code', 'VERSION_IMMUTABLE', 'table', 'extension_version', 'operation', TG_OP, 'version', label));
    -- As in V13.
    FOREACH point IN ARRAY ARRAY[133, 8232, 8233] LOOP
        EXIT WHEN current_setting('server_encoding') <> 'UTF8';
        detail := replace(detail, chr(point), chr(92) || 'u' || lpad(to_hex(point), 4, '0'));
    END LOOP;

    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on extension_version refused%s: %s', TG_OP, coalesce(' for version ' || label, ''), problem),
        DETAIL = detail,
        HINT = 'Publish a new version instead.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = 'extension_version',
        CONSTRAINT = 'extension_version_immutable';
END
$function$;

CREATE OR REPLACE FUNCTION @schema@.extension_registry_identity_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
    SET citus.override_table_visibility = off
AS $function$
DECLARE
    entry_publisher text;
    entry_name      text;
    child           regclass;
    published       boolean;
    problem         text := 'it holds the names of published versions';
    detail          text;
    point           integer;
BEGIN
    IF TG_OP = 'DELETE' THEN
        problem := 'it has published versions';
        SELECT c.oid INTO child
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_class r ON r.oid = k.confrelid
        WHERE k.contype = 'f' AND k.confrelid = TG_RELID
          AND c.relname ~ '^extension_version(_[0-9]+)?$'
          AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = current_user
          AND r.relkind = 'r' AND pg_get_userbyid(r.relowner) = current_user;
        IF child IS NULL THEN
            problem := 'its guard belongs to another table or role';
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s v WHERE v.registry_id = $1)', child)
                INTO published USING OLD.id;
            IF NOT published THEN
                RETURN OLD;
            END IF;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        problem := 'id, publisher and name of an extension are final';
    END IF;
    IF TG_OP <> 'TRUNCATE' THEN
        entry_publisher := OLD.publisher;
        entry_name := OLD.name;
    END IF;

    detail := jsonb_strip_nulls(jsonb_build_object(
        'code', 'VERSION_IMMUTABLE', 'table', 'extension_registry', 'operation', TG_OP,
        'publisher', entry_publisher, 'name', entry_name));
    -- As in V13.
    FOREACH point IN ARRAY ARRAY[133, 8232, 8233] LOOP
        EXIT WHEN current_setting('server_encoding') <> 'UTF8';
        detail := replace(detail, chr(point), chr(92) || 'u' || lpad(to_hex(point), 4, '0'));
    END LOOP;

    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on extension_registry refused%s: %s', TG_OP,
            coalesce(' for ' || entry_publisher || '/' || entry_name, ''), problem),
        DETAIL = detail,
        HINT = 'Register the extension under the new name instead; published versions stay where they are.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = 'extension_registry',
        CONSTRAINT = 'extension_registry_identity_immutable';
END
$function$;

-- Citus makes tables anew that another table refers to, and leaves these behind.
COMMENT ON COLUMN @schema@.extension_version.adopted IS
    'true on rows that were there before the guards; new rows cannot be marked so';
COMMENT ON COLUMN @schema@.extension_bundle.adopted IS
    'true on rows that were there before the guards; new rows cannot be marked so';
