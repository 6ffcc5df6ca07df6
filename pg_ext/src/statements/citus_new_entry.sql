-- No row where another transaction has created it. now() is computed once, a default of CURRENT_TIMESTAMP by each node.
INSERT INTO @schema@.extension_registry (id, publisher, name, created_at, updated_at)
VALUES ($2, $1 ->> 'publisher', $1 ->> 'name', now(), now())
ON CONFLICT (publisher, name) DO NOTHING
RETURNING id
