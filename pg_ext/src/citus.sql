-- Citus plans no LANGUAGE sql function that has parameters. Where it is installed, the functions that read get the same
-- query in PL/pgSQL, out of their own body: one text for both. ext-migrate runs this block too, for a Citus that came
-- after the extension.
DO $flavour$
DECLARE
    reader     record;
    propagates text := pg_catalog.current_setting('citus.enable_ddl_propagation', true);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'citus') THEN
        RETURN;
    END IF;
    -- Every node runs this for itself.
    PERFORM pg_catalog.set_config('citus.enable_ddl_propagation', 'off', true);
    FOR reader IN
        SELECT p.oid, p.prosrc, p.proretset
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE p.oid IN (
                '@extschema@.ext_list_versions(uuid, text)'::pg_catalog.regprocedure,
                '@extschema@.ext_extension_id(text, text)'::pg_catalog.regprocedure
            )
          AND l.lanname = 'sql'
    LOOP
        -- Names of columns mean the columns, as in SQL; arguments go by number.
        EXECUTE pg_catalog.format(
            E'CREATE OR REPLACE FUNCTION %s(%s) RETURNS %s LANGUAGE plpgsql STABLE AS %L',
            reader.oid::pg_catalog.regproc,
            pg_catalog.pg_get_function_arguments(reader.oid),
            pg_catalog.pg_get_function_result(reader.oid),
            pg_catalog.format(
                CASE
                    WHEN reader.proretset THEN E'#variable_conflict use_column\nBEGIN\n    RETURN QUERY%s;\nEND\n'
                    ELSE E'#variable_conflict use_column\nBEGIN\n    RETURN (%s);\nEND\n'
                END,
                pg_catalog.rtrim(reader.prosrc, E'\n')
            )
        );
    END LOOP;
    PERFORM pg_catalog.set_config('citus.enable_ddl_propagation', propagates, true);
END
$flavour$;
