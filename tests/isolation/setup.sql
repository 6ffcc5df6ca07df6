-- What the specs share. The test has filled isolation.migration with the files of sql/migrations before.

-- Each permutation begins with tables of its own: published rows cannot be removed.
CREATE PROCEDURE isolation.migrate(first integer, last integer)
    LANGUAGE plpgsql
AS $procedure$
DECLARE
    statements text;
BEGIN
    FOR statements IN
        SELECT m.statements
        FROM isolation.migration m
        WHERE m.number BETWEEN first AND last
        ORDER BY m.number
    LOOP
        EXECUTE statements;
    END LOOP;
END
$procedure$;

CREATE PROCEDURE isolation.drop_tables()
    LANGUAGE plpgsql
AS $procedure$
BEGIN
    DROP TABLE IF EXISTS extension_registry, extension_version, extension_bundle, tenant_extension_install,
        extension_log_leaf, extension_log_tile, extension_log_checkpoint, extension_log_signature,
        ext_registry_schema_history CASCADE;
    DROP FUNCTION IF EXISTS extension_bundle_immutable, extension_version_immutable,
        extension_registry_identity_immutable, extension_log_immutable, extension_owner_only;
    -- `ext-migrate` makes its history before the first migration; V16 guards it.
    CREATE TABLE ext_registry_schema_history (
        version    int4 PRIMARY KEY,
        name       varchar(255),
        applied_on varchar(255),
        checksum   varchar(255)
    );
END
$procedure$;

-- The tables as `ext-migrate up` makes them.
CREATE PROCEDURE isolation.fresh_tables()
    LANGUAGE plpgsql
AS $procedure$
BEGIN
    CALL isolation.drop_tables();
    CALL isolation.migrate(1, 1000);
    CALL isolation.make_visible();
END
$procedure$;

-- The tables of a deployment that has not adopted them yet: no marks, no guards, foreign keys that cascade.
CREATE PROCEDURE isolation.old_tables()
    LANGUAGE plpgsql
AS $procedure$
BEGIN
    CALL isolation.drop_tables();
    CALL isolation.migrate(1, 1);
    ALTER TABLE extension_version
        DROP COLUMN adopted,
        DROP CONSTRAINT extension_version_registry_id_fkey,
        ADD FOREIGN KEY (registry_id) REFERENCES extension_registry (id) ON DELETE CASCADE;
    ALTER TABLE extension_bundle
        DROP COLUMN adopted,
        DROP CONSTRAINT extension_bundle_version_id_fkey,
        ADD FOREIGN KEY (version_id) REFERENCES extension_version (id) ON DELETE CASCADE;
    CALL isolation.make_visible();
END
$procedure$;

CREATE PROCEDURE isolation.make_visible()
    LANGUAGE plpgsql
AS $procedure$
BEGIN
    CREATE VIEW isolation.published AS
        SELECT r.name, v.version, string_agg(isolation.content(b.content_hash), '+' ORDER BY b.content_hash) AS content
        FROM extension_registry r
        LEFT JOIN extension_version v ON v.registry_id = r.id
        LEFT JOIN extension_bundle b ON b.version_id = v.id
        GROUP BY r.id, r.name, v.id, v.version
        ORDER BY r.name, v.version;
END
$procedure$;

CREATE FUNCTION isolation.id(number integer)
    RETURNS uuid
    LANGUAGE sql IMMUTABLE
    RETURN lpad(number::text, 32, '0')::uuid;

CREATE FUNCTION isolation.manifest(version text, name text DEFAULT 'widget')
    RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_object('publisher', 'acme', 'name', name, 'version', version, 'runtime', 'wasm@1');

CREATE FUNCTION isolation.hash(content text)
    RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN 'sha256:' || encode(sha256(content::bytea), 'hex');

-- The letter that was hashed: what the expected output shows in place of the hash.
CREATE FUNCTION isolation.content(content_hash text)
    RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (SELECT letter FROM unnest('{a,b,c,z}'::text[]) letter WHERE isolation.hash(letter) = content_hash);

-- Publishes and, where that is refused, goes on in the same transaction, as a client with a savepoint does.
CREATE FUNCTION isolation.attempt(version text, content text, OUT state text, OUT code text, OUT existing text,
                                  OUT same_content boolean)
    LANGUAGE plpgsql
AS $function$
DECLARE
    detail text;
BEGIN
    PERFORM FROM ext_finalize_version(isolation.manifest(version), isolation.hash(content));
    state := '00000';
EXCEPTION
    WHEN unique_violation THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
        code := detail::jsonb ->> 'code';
        existing := isolation.content(detail::jsonb #>> '{existing,content_hash}');
        same_content := detail::jsonb -> 'same_content';
END
$function$;
