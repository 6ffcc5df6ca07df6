-- The entry, locked against deletion before the version refers to it; no row where the version is seen to exist: a
-- duplicate is told from its index entry alone. As a scalar subquery this is one lookup in every plan, even in one that
-- was made while the tables were empty.
extension AS (
    SELECT r.id
    FROM @schema@.extension_registry r
    WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
      AND (SELECT v.id FROM @schema@.extension_version v WHERE v.registry_id = r.id AND v.version = $2) IS NULL
    FOR KEY SHARE
)
