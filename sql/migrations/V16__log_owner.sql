-- Rows of the log and of the history of migrations come from the owner of the tables alone, whoever has been given
-- INSERT. Statement triggers: they fire for COPY too, take nothing for each leaf, and nothing in the apply of
-- replication, which brings rows that have passed them. New triggers and checks on our own tables only; publishing
-- touches none of them.

-- Who acts with the owner's rights could switch it off as well: superusers, and members that inherit them.
CREATE FUNCTION @schema@.extension_owner_only() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF EXISTS (
        SELECT FROM pg_class c
        WHERE c.oid = TG_RELID AND pg_has_role(current_user, c.relowner, 'USAGE')
    )
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege',
        MESSAGE = format('%s on %s refused: only the owner of the table writes to it', TG_OP, TG_TABLE_NAME),
        DETAIL = jsonb_build_object('code', 'NOT_OWNER', 'table', TG_TABLE_NAME, 'operation', TG_OP),
        HINT = 'ext_seal_log() appends to the log, ext-migrate up writes the history.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END
$function$;

REVOKE ALL ON FUNCTION @schema@.extension_owner_only() FROM PUBLIC;

COMMENT ON FUNCTION @schema@.extension_owner_only() IS
    'Guard of ext_registry: refuses with 42501 what anybody but the owner of the table writes';

CREATE TRIGGER extension_log_leaf_owner_only
    BEFORE INSERT ON @schema@.extension_log_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_owner_only();
ALTER TABLE @schema@.extension_log_leaf ENABLE ALWAYS TRIGGER extension_log_leaf_owner_only;

CREATE TRIGGER extension_log_tile_owner_only
    BEFORE INSERT ON @schema@.extension_log_tile
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_owner_only();
ALTER TABLE @schema@.extension_log_tile ENABLE ALWAYS TRIGGER extension_log_tile_owner_only;

CREATE TRIGGER extension_log_checkpoint_owner_only
    BEFORE INSERT ON @schema@.extension_log_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_owner_only();
ALTER TABLE @schema@.extension_log_checkpoint ENABLE ALWAYS TRIGGER extension_log_checkpoint_owner_only;

CREATE TRIGGER extension_log_signature_owner_only
    BEFORE INSERT ON @schema@.extension_log_signature
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_owner_only();
ALTER TABLE @schema@.extension_log_signature ENABLE ALWAYS TRIGGER extension_log_signature_owner_only;

-- The history has no other guard: refinery is its owner's to use.
CREATE TRIGGER ext_registry_schema_history_owner_only
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON @schema@.ext_registry_schema_history
    FOR EACH STATEMENT EXECUTE FUNCTION @schema@.extension_owner_only();
ALTER TABLE @schema@.ext_registry_schema_history ENABLE ALWAYS TRIGGER ext_registry_schema_history_owner_only;

-- What no seal writes. Places beyond the latest checkpoint are for the audit, and for every seal, to find.
ALTER TABLE @schema@.extension_log_leaf
    ADD CONSTRAINT extension_log_leaf_index_check CHECK (leaf_index < 9223372036854775807) NOT VALID;

ALTER TABLE @schema@.extension_log_tile
    -- As many leaves as bigint can count.
    ADD CONSTRAINT extension_log_tile_place_check
        CHECK (level <= 6 AND index < 9223372036854775807 >> 8 * (level + 1)) NOT VALID;

ALTER TABLE @schema@.extension_log_checkpoint
    ADD CONSTRAINT extension_log_checkpoint_time_check CHECK (isfinite(sealed_at)) NOT VALID;

ALTER TABLE @schema@.extension_log_signature
    ADD CONSTRAINT extension_log_signature_length_check CHECK (octet_length(line) <= 4096) NOT VALID;
