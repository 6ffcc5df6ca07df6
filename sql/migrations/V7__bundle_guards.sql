-- From here on every bundle is final, and a version has one. The flip of the default and the triggers commit
-- together: a row that is not marked as adopted has passed the guard.

ALTER TABLE @schema@.extension_bundle
    ALTER COLUMN adopted SET DEFAULT false;

ALTER TABLE @schema@.extension_bundle
    ADD CONSTRAINT extension_bundle_content_hash_check
        CHECK (adopted OR content_hash COLLATE "C" ~ '^sha256:[0-9a-f]{64}$') NOT VALID,
    ADD CONSTRAINT extension_bundle_size_bytes_check
        CHECK (adopted OR size_bytes >= 0) NOT VALID;

-- Runs as the owner of the tables: it has to see every bundle, whatever the rights of the one who writes, and
-- row_security = off makes it fail rather than overlook rows that a policy hides.
CREATE FUNCTION @schema@.extension_bundle_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
AS $function$
DECLARE
    target  uuid;
    label   text;
    problem text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.adopted THEN
            -- Restore and replication bring adopted rows; only a superuser can be in this role.
            IF current_setting('session_replication_role') = 'replica' THEN
                RETURN NEW;
            END IF;
            problem := 'only bundles that were there before the registry was guarded are marked as adopted';
        ELSE
            -- A snapshot from before the guard may not show the bundles that were adopted.
            IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable')
               AND NOT EXISTS (
                   SELECT FROM pg_catalog.pg_trigger t
                   WHERE t.tgrelid = TG_RELID AND t.tgname = TG_NAME
               )
            THEN
                RAISE EXCEPTION 'could not serialize access: this transaction began before the registry was guarded'
                    USING ERRCODE = 'serialization_failure', HINT = 'Retry the transaction.';
            END IF;
            IF NOT EXISTS (
                   SELECT FROM @schema@.extension_bundle b
                   WHERE b.version_id = NEW.version_id
               )
               -- The same pair again is for the unique constraint and ON CONFLICT to answer.
               OR EXISTS (
                   SELECT FROM @schema@.extension_bundle b
                   WHERE b.version_id = NEW.version_id
                     AND b.content_hash COLLATE "C" = NEW.content_hash COLLATE "C"
               )
            THEN
                RETURN NEW;
            END IF;
            problem := 'it has its bundle already';
        END IF;
        target := NEW.version_id;
    ELSIF TG_OP = 'TRUNCATE' THEN
        problem := 'published bundles are never removed';
    ELSE
        target := OLD.version_id;
        problem := 'a published bundle is never changed or removed';
    END IF;

    SELECT v.version INTO label
    FROM @schema@.extension_version v
    WHERE v.id = target;

    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on %s refused%s: %s', TG_OP, TG_TABLE_NAME, coalesce(' for version ' || label, ''), problem),
        DETAIL = jsonb_strip_nulls(jsonb_build_object(
            'code', 'VERSION_IMMUTABLE', 'table', TG_TABLE_NAME, 'operation', TG_OP, 'version', label)),
        HINT = 'Publish a new version instead.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        CONSTRAINT = 'extension_bundle_immutable';
END
$function$;

REVOKE ALL ON FUNCTION @schema@.extension_bundle_immutable() FROM PUBLIC;

COMMENT ON FUNCTION @schema@.extension_bundle_immutable() IS
    'Guard of ext_registry: refuses with 23001 every change of a published bundle and every second bundle of a version';

-- ENABLE ALWAYS: the guards fire under session_replication_role = replica too.
CREATE TRIGGER extension_bundle_immutable
    BEFORE INSERT OR UPDATE OR DELETE ON @schema@.extension_bundle
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_bundle_immutable();
ALTER TABLE @schema@.extension_bundle ENABLE ALWAYS TRIGGER extension_bundle_immutable;

CREATE TRIGGER extension_bundle_immutable_truncate
    BEFORE TRUNCATE ON @schema@.extension_bundle
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_bundle_immutable();
ALTER TABLE @schema@.extension_bundle ENABLE ALWAYS TRIGGER extension_bundle_immutable_truncate;

-- Looks at the row as stored: another BEFORE trigger may have marked it after the guard above let it pass.
CREATE TRIGGER extension_bundle_immutable_adopted
    AFTER INSERT ON @schema@.extension_bundle
    FOR EACH ROW WHEN (NEW.adopted)
    EXECUTE FUNCTION @schema@.extension_bundle_immutable();
ALTER TABLE @schema@.extension_bundle ENABLE ALWAYS TRIGGER extension_bundle_immutable_adopted;
