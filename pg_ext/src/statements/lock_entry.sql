-- Wildcard publishes of one extension queue here, so that each sees the number that the one before it took.
-- Publishes of a given version pass: their FOR KEY SHARE does not conflict. Not one queue for each series: there is no row
-- for that, and advisory locks can be taken by any role, fill the lock table of a large import, and let transactions
-- that publish two series in opposite orders deadlock.
SELECT r.id
FROM @schema@.extension_registry r
WHERE r.publisher = ($1 ->> 'publisher') AND r.name = ($1 ->> 'name')
FOR NO KEY UPDATE
