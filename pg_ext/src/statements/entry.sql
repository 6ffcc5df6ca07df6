-- The entry, locked against deletion before the version refers to it.
extension AS (
    SELECT r.id
    FROM @schema@.extension_registry r
    WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
    FOR KEY SHARE
)
