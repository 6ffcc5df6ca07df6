-- The manifest with its names as they are stored ($2), and whether there is an entry with those that were given.
SELECT
    $1 || $2::jsonb,
    EXISTS (
        SELECT
        FROM @schema@.extension_registry r
        WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
    )
