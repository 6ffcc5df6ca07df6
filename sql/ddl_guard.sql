-- The guard of the guards, run by `ext-migrate up --ddl-guard`: event triggers that refuse, with 23001, any command
-- after which the registry, its log or its history would no longer be as the migrations made it, whoever runs it.
-- Postgres lets the owner of the tables do all that; this is for the command that nobody meant.
--
-- Not a migration: event triggers belong to the whole database and take a superuser, or whom the provider lets create
-- them. Running it again renews it. To remove it:
--     DROP SCHEMA ext_registry_ddl_guard CASCADE;
--
-- Nothing of it may belong to a role with fewer rights: event triggers run as whoever gives a command. ext-migrate refuses
-- what somebody else has made under these names before it comes here.
--
-- The switch, for restores and the like: SET ext_registry.ddl_guard = off
-- (PGOPTIONS='-c ext_registry.ddl_guard=off' for pg_restore). It is heeded where the role may act as the owner of the
-- tables, and for nobody else. `ext-migrate up` uses it.

DO $install$
DECLARE
    schema text := (SELECT n.nspname FROM pg_namespace n WHERE n.oid = '@schema@'::regnamespace);
    tables text[] := ARRAY[
        'extension_registry', 'extension_version', 'extension_bundle', 'extension_version_notice', 'extension_log_leaf',
        'extension_log_tile', 'extension_log_checkpoint', 'extension_log_signature', 'ext_registry_schema_history'
    ];
    -- What must hold, one line for each thing. Names only, no oids and no numbers of columns: a dump carries the lines
    -- to another database. %1$L is the schema, %3$L the tables; `whole` are those that nobody else puts anything on.
    lines text := $lines$
    WITH guarded AS (
        SELECT c.*, c.relname NOT IN ('extension_registry', 'extension_version', 'extension_bundle') AS whole
        FROM pg_namespace n
        JOIN pg_class c ON c.relnamespace = n.oid
        WHERE n.nspname = %1$L AND c.relname = ANY (%3$L::text[]) AND c.relkind NOT IN ('i', 'I')
    ),
    triggers AS (
        SELECT g.relname, t.oid, t.tgname, t.tgenabled, t.tgfoid
        FROM guarded g
        JOIN pg_trigger t ON t.tgrelid = g.oid
        JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal
          AND (g.whole OR t.tgname ~ '^extension_(registry_identity|version|bundle)_immutable')
          -- Citus puts it on each table that it knows.
          AND NOT (p.proname = 'citus_truncate_trigger' AND p.pronamespace = 'pg_catalog'::regnamespace)
    ),
    indexes AS (
        SELECT g.relname, c.oid, c.relname AS name, i.indisvalid AND i.indisready AND i.indislive AS valid
        FROM guarded g
        JOIN pg_index i ON i.indrelid = g.oid
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE g.whole OR i.indisunique
    ),
    constraints AS (
        SELECT g.relname, k.oid, k.conname
        FROM guarded g
        JOIN pg_constraint k ON k.conrelid = g.oid
        -- Constraint triggers are triggers; NOT NULL, a constraint from 18 on, belongs to the column.
        WHERE k.contype IN ('p', 'u') AND NOT g.whole
           OR k.contype NOT IN ('t', 'n') AND g.whole
           OR k.contype = 'f' AND k.confrelid IN (SELECT o.oid FROM guarded o)
           OR k.conname IN (
               'extension_bundle_content_hash_check', 'extension_bundle_size_bytes_check',
               'extension_version_created_at_check'
           )
    ),
    columns AS (
        SELECT g.relname, a.attname, a.attnotnull, t.typcollation, a.attcollation, a.attgenerated, a.attidentity,
               -- Wider is not weaker: what was published stays what it is.
               CASE WHEN a.atttypid = 'varchar'::regtype THEN 'text' ELSE format_type(a.atttypid, a.atttypmod) END AS type,
               pg_get_expr(d.adbin, d.adrelid) AS default_value,
               g.whole OR a.attname IN ('adopted', 'created_at') AS keeps_default
        FROM guarded g
        JOIN pg_attribute a ON a.attrelid = g.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE g.whole
           OR a.attname = 'id'
           OR g.relname = 'extension_registry' AND a.attname IN ('publisher', 'name')
           OR g.relname = 'extension_version' AND a.attname IN (
               'registry_id', 'version', 'runtime', 'main_entry', 'api', 'api_endpoints', 'ui', 'capabilities', 'assets',
               'created_at', 'adopted'
           )
           OR g.relname = 'extension_bundle' AND a.attname IN (
               'version_id', 'content_hash', 'signature', 'precompiled', 'storage_url', 'size_bytes', 'created_at',
               'adopted'
           )
    ),
    lines (line) AS (
        SELECT g.relname || ': a permanent table without parents and children'
        FROM guarded g
        WHERE g.relkind = 'r' AND g.relpersistence = 'p' AND g.reloftype = 0
          AND NOT EXISTS (SELECT FROM pg_inherits h WHERE g.oid IN (h.inhrelid, h.inhparent))
        UNION ALL
        SELECT g.relname || ': foreign keys are enforced'
        FROM guarded g
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger t WHERE t.tgrelid = g.oid AND t.tgisinternal AND t.tgenabled IN ('D', 'R')
        )
        UNION ALL
        SELECT g.relname || ': bound to nothing but what came with PostgreSQL'
        FROM guarded g
        -- What is printed alike may be bound to something else; what came with PostgreSQL has no entry here.
        WHERE NOT EXISTS (
            SELECT
            FROM (
                SELECT 'pg_trigger'::regclass, t.oid FROM triggers t WHERE t.relname = g.relname
                UNION ALL
                SELECT 'pg_constraint'::regclass, k.oid FROM constraints k WHERE k.relname = g.relname
                UNION ALL
                SELECT 'pg_class'::regclass, i.oid FROM indexes i WHERE i.relname = g.relname
            ) o (classid, objid)
            JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.objid
            WHERE d.refclassid IN ('pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_collation'::regclass)
               OR d.refclassid = 'pg_proc'::regclass AND d.refobjid NOT IN (SELECT t.tgfoid FROM triggers t)
        )
        UNION ALL
        SELECT t.relname || ': trigger ' || t.tgname || ' ' || t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
        FROM triggers t
        UNION ALL
        SELECT DISTINCT t.relname || ': function ' || p.proname || ' ' || md5(pg_get_functiondef(p.oid))
        FROM triggers t
        JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.prokind = 'f'
        UNION ALL
        SELECT i.relname || ': index ' || i.name || ' ' || pg_get_indexdef(i.oid) || CASE WHEN i.valid THEN '' ELSE ' INVALID' END
        FROM indexes i
        UNION ALL
        SELECT k.relname || ': constraint ' || k.conname || ' ' || regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')
        FROM constraints k
        UNION ALL
        SELECT a.relname || ': column ' || a.attname || ' ' || a.type
            || CASE WHEN a.attcollation <> a.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
            || CASE WHEN a.attgenerated <> '' THEN ' GENERATED' ELSE '' END
            || CASE WHEN a.attidentity <> '' THEN ' IDENTITY' ELSE '' END
        FROM columns a
        UNION ALL
        SELECT a.relname || ': column ' || a.attname || ' NOT NULL'
        FROM columns a
        WHERE a.attnotnull
        UNION ALL
        SELECT a.relname || ': column ' || a.attname || ' DEFAULT ' || coalesce(a.default_value, 'none')
        FROM columns a
        WHERE a.keeps_default
        UNION ALL
        SELECT g.relname || ': rule ' || r.rulename
        FROM guarded g
        JOIN pg_rewrite r ON r.ev_class = g.oid
        WHERE g.whole
        UNION ALL
        SELECT g.relname || ': policy ' || r.polname
        FROM guarded g
        JOIN pg_policy r ON r.polrelid = g.oid
        WHERE g.whole
        UNION ALL
        SELECT g.relname || ': statistics ' || s.stxname
        FROM guarded g
        JOIN pg_statistic_ext s ON s.stxrelid = g.oid
        WHERE g.whole
        UNION ALL
        SELECT g.relname || ': row-level security'
        FROM guarded g
        WHERE g.whole AND (g.relrowsecurity OR g.relforcerowsecurity)
    )
    SELECT coalesce(array_agg(l.line ORDER BY l.line COLLATE "C"), '{}') FROM lines l
$lines$;
    -- The function. What goes in for its placeholders stands at the end.
    body text := $template$
DECLARE
    tables   constant name[] := %3$L::name[];
    command  record;
    rel      record;
    relation oid;
    -- The command is on something of ours.
    touched  boolean := false;
    -- How the lines begin or go on that tell of what was dropped.
    dropped  text[] := '{}';
    lost     text;
BEGIN
    -- What a command is on is looked up by name in the catalogs alone, which takes no right: this runs as whoever gives
    -- the command. Commands on other things are none of our business, whatever the state of the guards.
    IF TG_EVENT = 'sql_drop' THEN
        -- A replacement in the same command does not help: its values are not those that were published.
        FOR command IN
            SELECT d.object_type AS type, d.address_names AS names
            FROM pg_event_trigger_dropped_objects() d
            WHERE NOT d.is_temporary
        LOOP
            IF command.type = 'extension' AND command.names[1] = 'ext_registry' THEN
                lost := 'extension_version: the extension ext_registry';
            ELSIF command.names[1] = %1$L AND command.names[2] IS NOT NULL THEN
                touched := touched OR command.names[2] = ANY (tables);
                dropped := dropped || CASE command.type
                    WHEN 'table' THEN command.names[2] || ': '
                    WHEN 'table column' THEN command.names[2] || ': column ' || command.names[3] || ' '
                    WHEN 'table constraint' THEN command.names[2] || ': constraint ' || command.names[3] || ' '
                    WHEN 'trigger' THEN command.names[2] || ': trigger ' || command.names[3] || ' '
                    WHEN 'index' THEN ': index ' || command.names[2] || ' '
                    WHEN 'function' THEN ': function ' || command.names[2] || ' '
                END;
            END IF;
        END LOOP;
    ELSIF TG_EVENT = 'table_rewrite' THEN
        relation := pg_event_trigger_table_rewrite_oid();
        SELECT c.relname || ': the values as they were published' INTO lost
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = relation
          AND (
              n.nspname = %1$L AND c.relname = ANY (tables)
              OR EXISTS (
                  SELECT
                  FROM pg_trigger t
                  JOIN pg_proc p ON p.oid = t.tgfoid
                  WHERE t.tgrelid = c.oid AND p.proname ~ '^extension_([a-z_]+_immutable|owner_only)$'
              )
          );
    ELSE
        FOR command IN
            SELECT e.objid, e.object_type AS type, e.schema_name AS schema
            FROM pg_event_trigger_ddl_commands() e
            WHERE e.objid IS NOT NULL
        LOOP
            relation := command.objid;
            -- What most commands make: a table in another schema. It touches ours as a child of it only.
            CONTINUE WHEN command.type = 'table' AND command.schema <> %1$L AND TG_TAG LIKE 'CREATE %%'
                AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = relation);
            CASE command.type
                WHEN 'table', 'table column', 'view', 'foreign table' THEN
                    NULL;
                WHEN 'index' THEN
                    SELECT i.indrelid INTO relation FROM pg_index i WHERE i.indexrelid = command.objid;
                WHEN 'trigger' THEN
                    SELECT t.tgrelid INTO relation FROM pg_trigger t WHERE t.oid = command.objid;
                WHEN 'table constraint' THEN
                    SELECT k.conrelid INTO relation FROM pg_constraint k WHERE k.oid = command.objid;
                WHEN 'rule' THEN
                    SELECT r.ev_class INTO relation FROM pg_rewrite r WHERE r.oid = command.objid;
                WHEN 'policy' THEN
                    SELECT r.polrelid INTO relation FROM pg_policy r WHERE r.oid = command.objid;
                WHEN 'statistics object' THEN
                    SELECT s.stxrelid INTO relation FROM pg_statistic_ext s WHERE s.oid = command.objid;
                WHEN 'function' THEN
                    -- Of a guard, whatever its name is now.
                    touched := touched OR EXISTS (
                        SELECT
                        FROM pg_namespace n
                        JOIN pg_class c ON c.relnamespace = n.oid
                        JOIN pg_trigger t ON t.tgrelid = c.oid
                        WHERE n.nspname = %1$L AND c.relname = ANY (tables) AND t.tgfoid = command.objid
                    );
                    CONTINUE;
                WHEN 'schema' THEN
                    touched := touched OR TG_TAG = 'ALTER SCHEMA' AND EXISTS (
                        SELECT FROM pg_class c WHERE c.relnamespace = command.objid AND c.relname = ANY (tables)
                    );
                    CONTINUE;
                ELSE
                    CONTINUE;
            END CASE;
            SELECT c.relname, c.relnamespace, c.relhassubclass,
                   EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid) AS has_parent
            INTO rel
            FROM pg_class c
            WHERE c.oid = relation;
            IF rel.relname = ANY (tables) THEN
                touched := touched OR EXISTS (
                    SELECT FROM pg_namespace n WHERE n.oid = rel.relnamespace AND n.nspname = %1$L
                );
            END IF;
            IF rel.has_parent OR rel.relhassubclass THEN
                touched := touched OR EXISTS (
                    SELECT
                    FROM pg_inherits h
                    JOIN pg_class c ON c.oid IN (h.inhrelid, h.inhparent)
                    JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE relation IN (h.inhrelid, h.inhparent) AND n.nspname = %1$L AND c.relname = ANY (tables)
                );
            END IF;
            -- Under another name or in another schema a table is known by its guards.
            IF TG_TAG LIKE 'ALTER %%' AND NOT touched THEN
                touched := EXISTS (
                    SELECT
                    FROM pg_trigger t
                    JOIN pg_proc p ON p.oid = t.tgfoid
                    WHERE t.tgrelid = relation AND p.proname ~ '^extension_([a-z_]+_immutable|owner_only)$'
                );
            END IF;
        END LOOP;
    END IF;
    IF NOT touched AND lost IS NULL AND dropped = '{}' THEN
        RETURN;
    END IF;

    IF current_setting('ext_registry.ddl_guard', true) IN ('off', 'false', 'no', '0')
       AND NOT EXISTS (
           SELECT
           FROM pg_namespace n
           JOIN pg_class c ON c.relnamespace = n.oid
           WHERE n.nspname = %1$L AND c.relname = ANY (tables) AND NOT pg_has_role(c.relowner, 'USAGE')
       )
    THEN
        RETURN;
    END IF;

    -- In a block of its own: the lines are read where they are needed.
    DECLARE
        kept     constant text[] := %2$L;
        found    text[];
        named    text;
        quoting  constant text := current_setting('quote_all_identifiers');
    BEGIN
        IF lost IS NULL AND dropped <> '{}' THEN
            SELECT k.line INTO lost
            FROM unnest(kept) k (line)
            JOIN unnest(dropped) d (part) ON CASE
                WHEN starts_with(d.part, ':') THEN strpos(k.line, d.part) > 0
                ELSE starts_with(k.line, d.part)
            END
            LIMIT 1;
        END IF;
        IF lost IS NULL AND touched THEN
            -- Definitions are printed by this setting. A SET of the function would cost each command.
            PERFORM set_config('quote_all_identifiers', 'off', true);
            found := (
%4$s
            );
            PERFORM set_config('quote_all_identifiers', quoting, true);
            -- NULL is a line like any other. What is there besides counts where nobody else puts anything.
            SELECT d.line INTO lost
            FROM (
                (SELECT k.line FROM unnest(kept) k (line) EXCEPT SELECT f.line FROM unnest(found) f (line))
                UNION ALL
                (
                    SELECT f.line FROM unnest(found) f (line) WHERE f.line !~ '^extension_(registry|version|bundle):'
                    EXCEPT
                    SELECT k.line FROM unnest(kept) k (line)
                )
            ) d
            LIMIT 1;
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
            SCHEMA = %1$L,
            TABLE = named,
            CONSTRAINT = CASE named
                WHEN 'extension_registry' THEN 'extension_registry_identity_immutable'
                WHEN 'ext_registry_schema_history' THEN 'ext_registry_schema_history_pkey'
                ELSE named || '_immutable'
            END;
    END;
END
$template$;
    kept text[];
BEGIN
    -- A schema of its own: the function must outlive DROP SCHEMA of the tables' and not be droppable by that one's owner.
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'ext_registry_ddl_guard') THEN
        CREATE SCHEMA ext_registry_ddl_guard;
    END IF;
    lines := format(lines, schema, NULL, tables);
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL quote_all_identifiers = off;
    EXECUTE lines INTO kept;
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION ext_registry_ddl_guard.refuse() RETURNS event_trigger LANGUAGE plpgsql
         SET search_path = pg_catalog, pg_temp AS %L',
        -- The schema, the lines as they are now, the tables, the query for what the lines are then.
        format(body, schema, kept, tables, lines)
    );
    -- CREATE OR REPLACE keeps the owner.
    IF EXISTS (
        SELECT
        FROM (
            SELECT p.proowner
            FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = 'ext_registry_ddl_guard'
            UNION ALL
            SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'ext_registry_ddl_guard'
        ) o (owner)
        JOIN pg_roles r ON r.oid = o.owner
        WHERE NOT r.rolsuper AND r.rolname <> current_user
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the schema ext_registry_ddl_guard is not ours';
    END IF;
END
$install$;

COMMENT ON SCHEMA ext_registry_ddl_guard IS
    'Event triggers that keep the guards of ext_registry in place; DROP SCHEMA ext_registry_ddl_guard CASCADE removes them';

REVOKE ALL ON FUNCTION ext_registry_ddl_guard.refuse() FROM PUBLIC;

COMMENT ON FUNCTION ext_registry_ddl_guard.refuse() IS
    'Refuses with 23001 a command that leaves the registry, its log or its history other than the migrations made them';

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
