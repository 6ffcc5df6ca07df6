-- The guards of an entry's identity, with operators that are named in full, as in V14.

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
