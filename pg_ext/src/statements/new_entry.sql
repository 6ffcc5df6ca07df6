-- The entry, created where it is missing; no row where only later snapshots show it.
entry AS (
    SELECT r.id
    FROM @schema@.extension_registry r
    WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
    FOR KEY SHARE
), created AS (
    INSERT INTO @schema@.extension_registry (id, publisher, name)
    SELECT $11, $1 ->> 'publisher', $1 ->> 'name'
    WHERE NOT EXISTS (SELECT FROM entry)
    ON CONFLICT (publisher, name) DO NOTHING
    RETURNING id
), extension AS (
    SELECT id FROM entry UNION ALL SELECT id FROM created
)
