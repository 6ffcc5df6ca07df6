-- What one would write without the extension: a PL/pgSQL function that does all of ext_finalize_version. Its result
-- columns have other names, because PL/pgSQL cannot have a parameter and a result column of one name.

CREATE FUNCTION baseline_climbs(path text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT path ~ '[.]{2}|%' AND path ~* '(^|[/\\]|%2f|%5c)([.]|%2e){2}($|[/\\]|%2f|%5c)'
$$;

CREATE FUNCTION baseline_issue(path text, message text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT jsonb_build_object('path', path, 'message', message)
$$;

-- Keys that grow with time, as the extension makes them. PostgreSQL has uuidv7() from 18 on.
CREATE FUNCTION baseline_uuid_v7() RETURNS uuid
    LANGUAGE sql VOLATILE
AS $$
    SELECT encode(
        set_bit(set_bit(overlay(
            uuid_send(gen_random_uuid())
            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
            FROM 1 FOR 6
        ), 52, 1), 53, 1),
        'hex')::uuid
$$;

-- Every issue of a manifest; NULL when there is none.
CREATE FUNCTION baseline_issues(manifest jsonb) RETURNS jsonb[]
    LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    issues  jsonb[];
    field   text;
    value   jsonb;
    item    jsonb;
    content text;
    at      text;
BEGIN
    IF jsonb_typeof(manifest) <> 'object' THEN
        RETURN ARRAY[baseline_issue('', 'must be an object')];
    END IF;
    IF pg_column_size(manifest) > 1048576 THEN
        RETURN ARRAY[baseline_issue('', 'must not be longer than 1048576 bytes')];
    END IF;

    IF manifest - '{publisher,name,version,runtime,capabilities,ui,api,assets,precompiled}'::text[] <> '{}' THEN
        FOR field IN
            SELECT jsonb_object_keys(
                manifest - '{publisher,name,version,runtime,capabilities,ui,api,assets,precompiled}'::text[])
        LOOP
            issues := issues || baseline_issue(field, 'is not a field of a manifest');
        END LOOP;
    END IF;

    FOREACH field IN ARRAY '{publisher,name,version,runtime}'::text[] LOOP
        value := manifest -> field;
        content := btrim(manifest ->> field, E' \t\n\r\f\v');
        IF value IS NULL OR value = 'null' THEN
            issues := issues || baseline_issue(field, 'is required');
        ELSIF jsonb_typeof(value) <> 'string' THEN
            issues := issues || baseline_issue(field, 'must be a string');
        ELSIF content = '' THEN
            issues := issues || baseline_issue(field, 'must not be empty');
        ELSE
            IF length(content) > 255 THEN
                issues := issues || baseline_issue(field, 'must not be longer than 255 characters');
            END IF;
            IF field = 'version' THEN
                IF content !~ '^(?:0|[1-9][0-9]*)[.](?:0|[1-9][0-9]*)[.](?:[*]|(?:0|[1-9][0-9]*)(?:-(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:[.](?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:[+][0-9a-zA-Z-]+(?:[.][0-9a-zA-Z-]+)*)?)$'
                   OR length(content) > 18 AND EXISTS (
                       SELECT
                       FROM regexp_matches(content, '^([0-9]+)[.]([0-9]+)[.]([0-9]*)') numbers, unnest(numbers) number
                       WHERE number <> '' AND number::numeric > 18446744073709551615
                   )
                THEN
                    issues := issues || baseline_issue(field, 'must be a version of SemVer 2.0.0');
                END IF;
            ELSIF content ~ '[\u0001-\u001f\u007f-\u009f]' THEN
                issues := issues || baseline_issue(field, 'must not have control characters');
            END IF;
            IF field = 'runtime' AND content !~ '[@-]' THEN
                issues := issues || baseline_issue(field, 'must have @ or - in it');
            END IF;
        END IF;
    END LOOP;

    value := NULLIF(manifest -> 'capabilities', 'null');
    IF jsonb_typeof(value) <> 'array' THEN
        issues := issues || baseline_issue('capabilities', 'must be an array');
    ELSIF value IS NOT NULL THEN
        FOR i IN 0 .. jsonb_array_length(value) - 1 LOOP
            IF jsonb_typeof(value -> i) <> 'string' THEN
                issues := issues || baseline_issue(format('capabilities[%s]', i), 'must be a string');
            END IF;
        END LOOP;
    END IF;

    value := NULLIF(manifest -> 'assets', 'null');
    IF jsonb_typeof(value) <> 'array' THEN
        issues := issues || baseline_issue('assets', 'must be an array');
    ELSIF value IS NOT NULL THEN
        FOR i IN 0 .. jsonb_array_length(value) - 1 LOOP
            content := value ->> i;
            IF jsonb_typeof(value -> i) <> 'string' THEN
                issues := issues || baseline_issue(format('assets[%s]', i), 'must be a string');
            ELSIF baseline_climbs(content) THEN
                issues := issues || baseline_issue(format('assets[%s]', i), 'must not have .. as a segment');
            END IF;
        END LOOP;
    END IF;

    value := NULLIF(manifest -> 'precompiled', 'null');
    IF jsonb_typeof(value) <> 'object' THEN
        issues := issues || baseline_issue('precompiled', 'must be an object');
    ELSIF value IS NOT NULL THEN
        FOR field, item IN SELECT m.key, m.value FROM jsonb_each(value) m LOOP
            at := 'precompiled.' || field;
            content := item #>> '{}';
            IF baseline_climbs(field) THEN
                issues := issues || baseline_issue(at, 'must not have .. as a segment');
            END IF;
            IF jsonb_typeof(item) <> 'string' THEN
                issues := issues || baseline_issue(at, 'must be a string');
            ELSIF baseline_climbs(content) THEN
                issues := issues || baseline_issue(at, 'must not have .. as a segment');
            END IF;
        END LOOP;
    END IF;

    value := NULLIF(manifest -> 'ui', 'null');
    IF jsonb_typeof(value) <> 'object' THEN
        issues := issues || baseline_issue('ui', 'must be an object');
    ELSIF value IS NOT NULL THEN
        FOREACH field IN ARRAY '{type,entry}'::text[] LOOP
            at := 'ui.' || field;
            item := value -> field;
            content := value ->> field;
            IF item IS NULL OR item = 'null' THEN
                issues := issues || baseline_issue(at, 'is required');
            ELSIF jsonb_typeof(item) <> 'string' THEN
                issues := issues || baseline_issue(at, 'must be a string');
            ELSIF field = 'type' THEN
                IF content <> 'iframe' THEN
                    issues := issues || baseline_issue(at, 'must be "iframe"');
                END IF;
            ELSE
                IF btrim(content, E' \t\n\r\f\v') = '' THEN
                    issues := issues || baseline_issue(at, 'must not be empty');
                END IF;
                IF length(content) > 255 THEN
                    issues := issues || baseline_issue(at, 'must not be longer than 255 characters');
                END IF;
                IF baseline_climbs(content) THEN
                    issues := issues || baseline_issue(at, 'must not have .. as a segment');
                END IF;
            END IF;
        END LOOP;
        item := NULLIF(value -> 'hooks', 'null');
        IF jsonb_typeof(item) <> 'object' THEN
            issues := issues || baseline_issue('ui.hooks', 'must be an object');
        ELSIF item IS NOT NULL THEN
            FOR content IN SELECT hook #>> '{}' FROM jsonb_path_query(item, 'strict $.** ? (@.type() == "string")') hook LOOP
                IF baseline_climbs(content) THEN
                    issues := issues || baseline_issue('ui.hooks', 'must not have .. as a segment');
                END IF;
            END LOOP;
        END IF;
    END IF;

    value := NULLIF(manifest -> 'api', 'null');
    IF jsonb_typeof(value) <> 'object' THEN
        issues := issues || baseline_issue('api', 'must be an object');
    END IF;
    value := NULLIF(value -> 'endpoints', 'null');
    IF jsonb_typeof(value) <> 'array' THEN
        issues := issues || baseline_issue('api.endpoints', 'must be an array');
    ELSIF value IS NOT NULL THEN
        FOR i IN 0 .. jsonb_array_length(value) - 1 LOOP
            item := value -> i;
            at := format('api.endpoints[%s]', i);
            IF jsonb_typeof(item) <> 'object' THEN
                issues := issues || baseline_issue(at, 'must be an object');
                CONTINUE;
            END IF;
            FOREACH field IN ARRAY '{method,path,handler}'::text[] LOOP
                content := item ->> field;
                IF content IS NULL THEN
                    issues := issues || baseline_issue(at || '.' || field, 'is required');
                ELSIF jsonb_typeof(item -> field) <> 'string' THEN
                    issues := issues || baseline_issue(at || '.' || field, 'must be a string');
                ELSIF field = 'method' THEN
                    IF upper(content) NOT IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD') THEN
                        issues := issues || baseline_issue(at || '.' || field, 'must be an HTTP method');
                    END IF;
                ELSE
                    IF field = 'path' AND content NOT LIKE '/%' THEN
                        issues := issues || baseline_issue(at || '.' || field, 'must begin with /');
                    END IF;
                    IF baseline_climbs(content) THEN
                        issues := issues || baseline_issue(at || '.' || field, 'must not have .. as a segment');
                    END IF;
                END IF;
            END LOOP;
        END LOOP;
    END IF;

    RETURN issues;
END
$$;

-- One statement for the three tables, as the extension has it: three statements of their own cost more.
CREATE FUNCTION baseline_finalize(
    manifest jsonb, hash text, given_signature text DEFAULT NULL, url text DEFAULT NULL, size bigint DEFAULT NULL
)
    RETURNS TABLE (
        extension uuid, published_id uuid, published_version text, stored_hash text, published_at timestamptz
    )
    LANGUAGE plpgsql
    -- Publishers need EXECUTE and no right on a table, as with the extension.
    SECURITY DEFINER
    SET search_path = public, pg_temp
    ROWS 1
AS $$
DECLARE
    issues    jsonb[] := baseline_issues(manifest);
    wanted    text := btrim(manifest ->> 'version', E' \t\n\r\f\v');
    wildcard  boolean := wanted LIKE '%.*';
    api       jsonb := COALESCE(NULLIF(manifest -> 'api', 'null'), '{}');
    endpoints jsonb := COALESCE(NULLIF(api -> 'endpoints', 'null'), '[]');
    highest   numeric;
    duplicate record;
BEGIN
    IF issues IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the manifest is not valid',
            DETAIL = json_build_object('code', 'INVALID_MANIFEST', 'issues', to_json(issues));
    END IF;
    stored_hash := lower(hash);
    IF stored_hash ~ '^[0-9a-f]{64}$' THEN
        stored_hash := 'sha256:' || stored_hash;
    ELSIF stored_hash !~ '^sha256:[0-9a-f]{64}$' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the content hash is not valid',
            DETAIL = json_build_object('code', 'INVALID_CONTENT_HASH', 'given', hash);
    END IF;
    IF size < 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'a size is not negative',
            DETAIL = json_build_object('code', 'INVALID_ARGUMENT', 'argument', 'size_bytes');
    END IF;

    FOR i IN 0 .. jsonb_array_length(endpoints) - 1 LOOP
        IF endpoints -> i ->> 'method' <> upper(endpoints -> i ->> 'method') THEN
            endpoints := jsonb_set(endpoints, ARRAY[i::text, 'method'], to_jsonb(upper(endpoints -> i ->> 'method')));
            api := jsonb_set(api, '{endpoints}', endpoints);
        END IF;
    END LOOP;

    published_version := wanted;
    published_at := clock_timestamp();
    FOR attempt IN 1 .. 8 LOOP
        IF wildcard THEN
            SELECT r.id INTO extension
            FROM extension_registry r
            WHERE r.publisher = manifest ->> 'publisher' AND r.name = manifest ->> 'name'
            FOR NO KEY UPDATE;

            SELECT max(substring(v.version FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric) INTO highest
            FROM extension_version v
            WHERE v.registry_id = extension
              AND substring(v.version COLLATE "C" FROM '^([0-9]+[.][0-9]+)[.]') = left(wanted, -2)
              AND v.version COLLATE "C" ~ '^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)([+][0-9A-Za-z.-]+)?$';
            published_version := left(wanted, -1) || COALESCE(highest + 1, 0);
        END IF;

        WITH entry AS (
            SELECT r.id
            FROM extension_registry r
            WHERE r.publisher = (manifest ->> 'publisher') AND r.name = (manifest ->> 'name')
            FOR KEY SHARE
        ), created AS (
            INSERT INTO extension_registry (id, publisher, name)
            SELECT gen_random_uuid(), manifest ->> 'publisher', manifest ->> 'name'
            WHERE NOT EXISTS (SELECT FROM entry)
            ON CONFLICT (publisher, name) DO NOTHING
            RETURNING id
        ), owner AS (
            SELECT id FROM entry UNION ALL SELECT id FROM created
        ), inserted AS (
            INSERT INTO extension_version
                (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, assets, created_at)
            SELECT
                baseline_uuid_v7(), o.id, published_version, manifest ->> 'runtime',
                COALESCE(manifest #>> '{ui,entry}', 'main'), api, endpoints, NULLIF(manifest -> 'ui', 'null'),
                COALESCE(NULLIF(manifest -> 'capabilities', 'null'), '[]'), NULLIF(manifest -> 'assets', 'null'),
                baseline_finalize.published_at
            FROM owner o
            ON CONFLICT (registry_id, version) DO NOTHING
            RETURNING id
        ), bundle AS (
            INSERT INTO extension_bundle
                (id, version_id, content_hash, signature, precompiled, storage_url, size_bytes, created_at)
            SELECT
                baseline_uuid_v7(), i.id, stored_hash, given_signature, NULLIF(manifest -> 'precompiled', 'null'),
                url, size, baseline_finalize.published_at
            FROM inserted i
        )
        SELECT o.id, i.id INTO extension, published_id
        FROM owner o
        LEFT JOIN inserted i ON true;
        IF published_id IS NOT NULL THEN
            RETURN NEXT;
            RETURN;
        END IF;
        CONTINUE WHEN extension IS NULL OR wildcard;

        SELECT v.id, v.created_at, b.content_hash,
            EXISTS (
                SELECT FROM extension_bundle c
                WHERE c.version_id = v.id AND lower(c.content_hash) IN (stored_hash, substr(stored_hash, 8))
            ) AS same_content
        INTO duplicate
        FROM extension_version v
        LEFT JOIN LATERAL (
            SELECT c.content_hash
            FROM extension_bundle c
            WHERE c.version_id = v.id
            ORDER BY c.created_at DESC NULLS LAST, c.content_hash COLLATE "C" DESC
            LIMIT 1
        ) b ON true
        WHERE v.registry_id = extension AND v.version = published_version;
        IF FOUND THEN
            RAISE EXCEPTION USING
                ERRCODE = 'unique_violation',
                MESSAGE = format('version %s of %s/%s already exists: publish a new version instead',
                    published_version, manifest ->> 'publisher', manifest ->> 'name'),
                DETAIL = json_build_object(
                    'code', 'EXTENSION_VERSION_ALREADY_EXISTS', 'extension_id', extension,
                    'publisher', manifest ->> 'publisher', 'name', manifest ->> 'name', 'version', published_version,
                    'existing', json_build_object('version_id', duplicate.id, 'version', published_version,
                        'content_hash', duplicate.content_hash, 'published_at', duplicate.created_at),
                    'same_content', duplicate.same_content),
                TABLE = 'extension_version',
                CONSTRAINT = 'extension_version_registry_id_version_unique';
        END IF;
    END LOOP;
    RAISE EXCEPTION 'the version was not stored';
END
$$;
