-- From here on every version is final. Flip of the default and triggers commit together, as in V7.

ALTER TABLE @schema@.extension_version
    ALTER COLUMN adopted SET DEFAULT false;

ALTER TABLE @schema@.extension_version
    ADD CONSTRAINT extension_version_created_at_check
        CHECK (adopted OR created_at IS NOT NULL) NOT VALID;

-- Looks at no table: it needs no rights of its own, and so has none that a column's type or cast could misuse.
CREATE FUNCTION @schema@.extension_version_immutable() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    label   text;
    problem text := 'a published version is never changed or removed';
    advice  text := 'Publish a new version instead.';
BEGIN
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

    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s on %s refused%s: %s', TG_OP, TG_TABLE_NAME, coalesce(' for version ' || label, ''), problem),
        DETAIL = jsonb_strip_nulls(jsonb_build_object(
            'code', 'VERSION_IMMUTABLE', 'table', TG_TABLE_NAME, 'operation', TG_OP, 'version', label)),
        HINT = advice,
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        CONSTRAINT = 'extension_version_immutable';
END
$function$;

REVOKE ALL ON FUNCTION @schema@.extension_version_immutable() FROM PUBLIC;

COMMENT ON FUNCTION @schema@.extension_version_immutable() IS
    'Guard of ext_registry: refuses with 23001 every change of a published version';

CREATE TRIGGER extension_version_immutable
    BEFORE UPDATE OR DELETE ON @schema@.extension_version
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_version_immutable();
ALTER TABLE @schema@.extension_version ENABLE ALWAYS TRIGGER extension_version_immutable;

CREATE TRIGGER extension_version_immutable_truncate
    BEFORE TRUNCATE ON @schema@.extension_version
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_version_immutable();
ALTER TABLE @schema@.extension_version ENABLE ALWAYS TRIGGER extension_version_immutable_truncate;

-- Constraint triggers, for the reasons given in V7: they look at the row as stored and cannot be replaced.
CREATE CONSTRAINT TRIGGER extension_version_immutable_adopted
    AFTER INSERT ON @schema@.extension_version
    FOR EACH ROW WHEN (NEW.adopted)
    EXECUTE FUNCTION @schema@.extension_version_immutable();
ALTER TABLE @schema@.extension_version ENABLE ALWAYS TRIGGER extension_version_immutable_adopted;

CREATE CONSTRAINT TRIGGER extension_version_immutable_stored
    AFTER UPDATE OR DELETE ON @schema@.extension_version
    FOR EACH ROW EXECUTE FUNCTION @schema@.extension_version_immutable();
ALTER TABLE @schema@.extension_version ENABLE ALWAYS TRIGGER extension_version_immutable_stored;
