-- The guard of the guards, run by `ext-migrate up --ddl-guard`: event triggers that refuse, with 23001, any command
-- after which a guard of published versions would be missing, switched off or changed, whoever runs it. Postgres lets
-- the owner of the tables do all that; this is for the command that nobody meant.
--
-- Not a migration: event triggers belong to the whole database and take a superuser, or whom the provider lets create
-- them. Running it again renews it. To remove it:
--     DROP SCHEMA ext_registry_ddl_guard CASCADE;
--
-- The switch, for restores and the like: SET ext_registry.ddl_guard = off
-- (PGOPTIONS='-c ext_registry.ddl_guard=off' for pg_restore). It is heeded where the role may act as the owner of the
-- tables, and for nobody else. `ext-migrate up` uses it.

-- A schema of its own: the function must outlive DROP SCHEMA of the tables' and not be droppable by that one's owner.
CREATE SCHEMA IF NOT EXISTS ext_registry_ddl_guard;

COMMENT ON SCHEMA ext_registry_ddl_guard IS
    'Event triggers that keep the guards of ext_registry in place; DROP SCHEMA ext_registry_ddl_guard CASCADE removes them';

DO $install$
DECLARE
    -- What must hold, one line for each thing. Names only, no oids: a dump carries the lines to another database.
    lines text := $lines$
    WITH guarded AS (
        SELECT c.*
        FROM pg_class c
        WHERE c.oid IN (
            to_regclass('@schema@.extension_registry'),
            to_regclass('@schema@.extension_version'),
            to_regclass('@schema@.extension_bundle'),
            to_regclass('@schema@.extension_log_leaf'),
            to_regclass('@schema@.extension_log_tile'),
            to_regclass('@schema@.extension_log_checkpoint'),
            to_regclass('@schema@.extension_log_signature')
        )
    ),
    lines (line) AS (
        SELECT g.relname || ': a permanent table without parents and children'
        FROM guarded g
        WHERE g.relkind = 'r' AND g.relpersistence = 'p'
          AND NOT EXISTS (SELECT FROM pg_inherits h WHERE g.oid IN (h.inhrelid, h.inhparent))
        UNION ALL
        SELECT g.relname || ': foreign keys are enforced'
        FROM guarded g
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger t WHERE t.tgrelid = g.oid AND t.tgisinternal AND t.tgenabled IN ('D', 'R')
        )
        UNION ALL
        SELECT g.relname || ': ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
        FROM guarded g
        JOIN pg_trigger t ON t.tgrelid = g.oid
        WHERE NOT t.tgisinternal
          AND t.tgname ~ '^extension_(registry_identity|version|bundle|log_[a-z]+)_immutable'
        UNION ALL
        SELECT replace(regexp_replace(p.proname, '(_identity)?_immutable$', ''), 'extension_log', 'extension_log_leaf')
            || ': function ' || p.oid::regprocedure::text || ' ' || md5(p.prosrc) || ' ' || p.prosecdef || ' ' || coalesce(p.proconfig::text, '')
        FROM pg_proc p
        WHERE p.oid IN (
            to_regprocedure('@schema@.extension_registry_identity_immutable()'),
            to_regprocedure('@schema@.extension_version_immutable()'),
            to_regprocedure('@schema@.extension_bundle_immutable()'),
            to_regprocedure('@schema@.extension_log_immutable()')
        )
        UNION ALL
        SELECT g.relname || ': ' || pg_get_indexdef(i.indexrelid) || ' ' || (i.indisvalid AND i.indisready)
        FROM guarded g
        JOIN pg_index i ON i.indrelid = g.oid
        WHERE i.indisunique
        UNION ALL
        SELECT g.relname || ': ' || k.conname || ' ' || regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')
        FROM guarded g
        JOIN pg_constraint k ON k.conrelid = g.oid
        WHERE k.contype IN ('p', 'u')
           OR k.contype = 'f' AND k.confrelid IN (SELECT o.oid FROM guarded o)
           OR k.conname IN (
               'extension_bundle_content_hash_check', 'extension_bundle_size_bytes_check',
               'extension_version_created_at_check'
           )
        UNION ALL
        SELECT g.relname || ': column ' || a.attname
            || CASE
                   WHEN a.attname IN ('id', 'adopted', 'publisher', 'name', 'registry_id', 'version', 'version_id')
                        AND a.attnotnull THEN ' NOT NULL'
                   ELSE ''
               END
            || CASE WHEN a.attname = 'adopted' THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END
        FROM guarded g
        JOIN pg_attribute a ON a.attrelid = g.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attname IN (
            'id', 'publisher', 'name', 'registry_id', 'version', 'runtime', 'main_entry', 'api', 'api_endpoints', 'ui',
            'capabilities', 'assets', 'created_at', 'adopted', 'version_id', 'content_hash', 'signature', 'precompiled',
            'storage_url', 'size_bytes', 'leaf_index', 'bundle_id', 'label', 'leaf_hash', 'level', 'index', 'hashes', 'root',
            'tree_size', 'origin', 'sealed_at', 'line'
        )
    )
    SELECT coalesce(array_agg(l.line ORDER BY l.line COLLATE "C"), '{}') FROM lines l
$lines$;
    -- The function. What goes in for its placeholders stands at the end.
    body text := $template$
DECLARE
    kept  constant text[] := %L;
    found text[];
    ours  oid[];
    lost  text;
    named text;
BEGIN
    IF current_setting('ext_registry.ddl_guard', true) IN ('off', 'false', 'no', '0')
       AND NOT EXISTS (
           SELECT FROM pg_class c
           WHERE c.oid IN (
                   to_regclass('@schema@.extension_registry'),
                   to_regclass('@schema@.extension_version'),
                   to_regclass('@schema@.extension_bundle'),
                   to_regclass('@schema@.extension_log_leaf'),
                   to_regclass('@schema@.extension_log_tile'),
                   to_regclass('@schema@.extension_log_checkpoint'),
                   to_regclass('@schema@.extension_log_signature')
               )
             AND NOT pg_has_role(c.relowner, 'USAGE')
       )
    THEN
        RETURN;
    END IF;

    -- Also under another name or in another schema a table is known by its guards.
    ours := ARRAY(
        SELECT t.tgrelid
        FROM pg_proc p
        JOIN pg_trigger t ON t.tgfoid = p.oid
        WHERE p.proname IN (
                'extension_registry_identity_immutable', 'extension_version_immutable', 'extension_bundle_immutable',
                'extension_log_immutable'
            )
        UNION
        SELECT c.oid
        FROM pg_class c
        WHERE c.oid IN (
            to_regclass('@schema@.extension_registry'),
            to_regclass('@schema@.extension_version'),
            to_regclass('@schema@.extension_bundle'),
            to_regclass('@schema@.extension_log_leaf'),
            to_regclass('@schema@.extension_log_tile'),
            to_regclass('@schema@.extension_log_checkpoint'),
            to_regclass('@schema@.extension_log_signature')
        )
    );

    IF TG_EVENT = 'table_rewrite' THEN
        -- 4: the values of a column are converted. A column that is added (2) leaves the others as they are.
        IF pg_event_trigger_table_rewrite_oid() = ANY (ours) AND pg_event_trigger_table_rewrite_reason() & 4 > 0 THEN
            lost := (SELECT c.relname FROM pg_class c WHERE c.oid = pg_event_trigger_table_rewrite_oid())
                || ': the values as they were published';
        END IF;
    ELSE
        -- Commands on other things are none of our business, whatever the state of the guards.
        IF TG_EVENT = 'sql_drop' THEN
            SELECT d.object_identity INTO named
            FROM pg_event_trigger_dropped_objects() d
            WHERE d.object_identity ~ 'extension_(registry|version|bundle|log)'
               OR d.object_type = 'extension' AND d.object_identity = 'ext_registry'
            ORDER BY d.original DESC, d.object_type = 'extension' DESC
            LIMIT 1;
        ELSE
            SELECT e.object_identity INTO named
            FROM pg_event_trigger_ddl_commands() e
            WHERE e.objid = ANY (ours)
               OR e.classid = 'pg_namespace'::regclass
               OR e.objid IN (SELECT t.tgfoid FROM pg_trigger t WHERE t.tgrelid = ANY (ours))
               OR e.objid IN (SELECT t.oid FROM pg_trigger t WHERE t.tgrelid = ANY (ours))
               OR e.objid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = ANY (ours))
               OR e.objid IN (SELECT h.inhrelid FROM pg_inherits h WHERE h.inhparent = ANY (ours))
               OR e.objid IN (SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = ANY (ours))
            LIMIT 1;
        END IF;
        IF named IS NULL THEN
            RETURN;
        END IF;
        IF TG_EVENT = 'sql_drop' AND named = 'ext_registry' THEN
            lost := 'extension_version: the extension ext_registry';
        ELSE
            found := (
%s
            );
            SELECT k.line INTO lost FROM unnest(kept) k (line) WHERE k.line <> ALL (found) LIMIT 1;
        END IF;
    END IF;
    IF lost IS NULL THEN
        RETURN;
    END IF;

    named := split_part(lost, ':', 1);
    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%%s refused: it would weaken what keeps the published versions of %%s as they are', TG_TAG, named),
        DETAIL = jsonb_build_object(
            'code', 'VERSION_IMMUTABLE', 'table', named, 'operation', TG_TAG,
            'lost', substr(lost, length(named) + 3)),
        HINT = 'Where it is meant, as in a restore: SET ext_registry.ddl_guard = off, and ext-migrate up afterwards.',
        SCHEMA = %L,
        TABLE = named,
        CONSTRAINT = CASE named
            WHEN 'extension_registry' THEN 'extension_registry_identity_immutable'
            ELSE named || '_immutable'
        END;
END
$template$;
    kept text[];
BEGIN
    EXECUTE lines INTO kept;
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION ext_registry_ddl_guard.refuse() RETURNS event_trigger LANGUAGE plpgsql
         SET search_path = pg_catalog, pg_temp AS %L',
        -- The lines as they are now, the query for what they are then, the name of the schema.
        format(body, kept, lines, (SELECT n.nspname FROM pg_namespace n WHERE n.oid = '@schema@'::regnamespace))
    );
END
$install$;

REVOKE ALL ON FUNCTION ext_registry_ddl_guard.refuse() FROM PUBLIC;

COMMENT ON FUNCTION ext_registry_ddl_guard.refuse() IS
    'Refuses with 23001 a command that leaves a guard of ext_registry missing, switched off or changed';

-- Kept where they are there already: nothing is dropped, as in a migration.
DO $install$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'ext_registry_ddl_guard_end') THEN
        CREATE EVENT TRIGGER ext_registry_ddl_guard_end ON ddl_command_end
            EXECUTE FUNCTION ext_registry_ddl_guard.refuse();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'ext_registry_ddl_guard_drop') THEN
        CREATE EVENT TRIGGER ext_registry_ddl_guard_drop ON sql_drop
            EXECUTE FUNCTION ext_registry_ddl_guard.refuse();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'ext_registry_ddl_guard_rewrite') THEN
        CREATE EVENT TRIGGER ext_registry_ddl_guard_rewrite ON table_rewrite
            EXECUTE FUNCTION ext_registry_ddl_guard.refuse();
    END IF;
END
$install$;

-- Whatever session_replication_role says.
ALTER EVENT TRIGGER ext_registry_ddl_guard_end ENABLE ALWAYS;
ALTER EVENT TRIGGER ext_registry_ddl_guard_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER ext_registry_ddl_guard_rewrite ENABLE ALWAYS;
