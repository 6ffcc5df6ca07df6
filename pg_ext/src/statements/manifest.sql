-- What is stored of the manifest, as columns.
manifest AS NOT MATERIALIZED (
    SELECT
        $1 ->> 'runtime' AS runtime,
        COALESCE($1 #>> '{ui,entry}', 'main') AS main_entry,
        COALESCE($7::jsonb, NULLIF($1 -> 'api', 'null'), '{}') AS api,
        COALESCE(NULLIF(COALESCE($7::jsonb, $1 -> 'api') -> 'endpoints', 'null'), '[]') AS api_endpoints,
        NULLIF($1 -> 'ui', 'null') AS ui,
        COALESCE(NULLIF($1 -> 'capabilities', 'null'), '[]') AS capabilities,
        NULLIF($1 -> 'assets', 'null') AS assets,
        NULLIF($1 -> 'precompiled', 'null') AS precompiled
)
