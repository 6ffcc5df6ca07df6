-- The same for bundles, and the condition of their guard in words that leave nothing to a search_path.

CREATE OR REPLACE FUNCTION @schema@.extension_bundle_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
    SET enable_seqscan = off
AS $function$
DECLARE
    target  uuid;
    label   text;
    problem text;
    advice  text := 'Publish a new version instead.';
    detail  text;
    point   integer;
BEGIN
    -- What every publish comes through: the row as stored, which another BEFORE trigger may have given to a version
    -- that has its bundle. One expression and one query; whatever else it may be is looked into below.
    IF TG_OP = 'INSERT' AND TG_WHEN = 'AFTER' AND NOT NEW.adopted
       AND TG_RELID = to_regclass('@schema@.extension_bundle')
       AND pg_typeof(NEW.id) = 'uuid'::regtype AND pg_typeof(NEW.version_id) = 'uuid'::regtype
       AND current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable')
    THEN
        PERFORM FROM ONLY @schema@.extension_bundle b
        WHERE b.version_id = NEW.version_id AND b.id <> NEW.id;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;

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

    -- With its owner's rights it touches nothing of anybody else's: not a view that has taken the table's name, not a
    -- type with casts of its own, not a table that was given away without its guards.
    IF TG_RELID IS DISTINCT FROM to_regclass('@schema@.extension_bundle') THEN
        problem := 'the guard stands on a table of another name';
    ELSIF TG_OP = 'INSERT' THEN
        IF pg_typeof(NEW.adopted) <> 'boolean'::regtype
           OR pg_typeof(NEW.id) <> 'uuid'::regtype
           OR pg_typeof(NEW.version_id) <> 'uuid'::regtype
           OR pg_typeof(NEW.content_hash) NOT IN ('varchar'::regtype, 'text'::regtype)
        THEN
            RAISE datatype_mismatch USING MESSAGE = 'the columns of extension_bundle do not have their types';
        END IF;
        IF NEW.adopted THEN
            -- Restore and replication bring adopted rows; only a superuser can be in this role. Where a version was
            -- adopted, all its bundles were.
            problem := 'only bundles that were there before the registry was guarded are marked as adopted';
            advice := 'To restore such rows, let a superuser set session_replication_role = replica.';
            IF current_setting('session_replication_role') = 'replica' THEN
                IF NOT EXISTS (
                    SELECT FROM ONLY @schema@.extension_bundle b
                    WHERE b.version_id = NEW.version_id AND NOT b.adopted AND b.id <> NEW.id
                )
                THEN
                    RETURN NEW;
                END IF;
                problem := 'it has its bundle already';
            END IF;
        ELSE
            -- A snapshot from before the guard may not show the bundles that were adopted.
            IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
                IF NOT EXISTS (
                    SELECT FROM pg_trigger t
                    WHERE t.tgrelid = TG_RELID AND t.tgname = TG_NAME
                )
                THEN
                    RAISE EXCEPTION 'could not serialize access: this transaction began before the registry was guarded'
                        USING ERRCODE = 'serialization_failure', HINT = 'Retry the transaction.';
                END IF;
            END IF;
            IF TG_WHEN = 'AFTER' THEN
                IF NOT EXISTS (
                    SELECT FROM ONLY @schema@.extension_bundle b
                    WHERE b.version_id = NEW.version_id AND b.id <> NEW.id
                )
                THEN
                    RETURN NULL;
                END IF;
            ELSIF NOT EXISTS (
                   SELECT FROM ONLY @schema@.extension_bundle b
                   WHERE b.version_id = NEW.version_id
               )
               -- The same pair again is for the unique constraint and ON CONFLICT to answer.
               OR EXISTS (
                   SELECT FROM ONLY @schema@.extension_bundle b
                   WHERE b.version_id = NEW.version_id
                     AND b.content_hash COLLATE "C" = NEW.content_hash COLLATE "C"
               )
            THEN
                RETURN NEW;
            END IF;
            problem := 'it has its bundle already';
        END IF;
        target := NEW.version_id;
    ELSIF NOT EXISTS (
        SELECT FROM pg_class c
        WHERE c.oid = TG_RELID AND pg_get_userbyid(c.relowner) = current_user
    )
    THEN
        problem := 'a published bundle is never changed or removed, and its guard belongs to another role';
    ELSIF TG_OP = 'TRUNCATE' THEN
        problem := 'published bundles are never removed';
    ELSE
        target := OLD.version_id;
        problem := 'a published bundle is never changed or removed';
    END IF;

    IF EXISTS (
        SELECT FROM pg_class c
        WHERE c.oid = to_regclass('@schema@.extension_version')
          AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = current_user
    ) THEN
        SELECT v.version INTO label
        FROM ONLY @schema@.extension_version v
        WHERE v.id = target;
    END IF;

    detail := jsonb_strip_nulls(jsonb_build_object(
        'code', 'VERSION_IMMUTABLE', 'table', TG_TABLE_NAME, 'operation', TG_OP, 'version', label));
    -- As in V13.
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
        CONSTRAINT = 'extension_bundle_immutable';
END
$function$;

-- IS DISTINCT FROM is bound to the `=` that is found when the trigger is made, and printed alike whichever that is.
DROP TRIGGER extension_bundle_immutable_insert ON @schema@.extension_bundle;
CREATE TRIGGER extension_bundle_immutable_insert
    BEFORE INSERT ON @schema@.extension_bundle
    FOR EACH ROW WHEN (
        (pg_catalog.current_setting('ext_registry.finalizing', true) OPERATOR(pg_catalog.=) 'on') IS NOT TRUE
    )
    EXECUTE FUNCTION @schema@.extension_bundle_immutable();
ALTER TABLE @schema@.extension_bundle ENABLE ALWAYS TRIGGER extension_bundle_immutable_insert;
