-- The entry, not locked: Citus would lock all of the table for that, and publishes would deadlock. The foreign key
-- keeps a version from referring to an entry that is deleted meanwhile.
SELECT r.id
FROM @schema@.extension_registry r
WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
