-- Remembers what would slow the fill down, triggers and indexes, and takes it away.
SET synchronous_commit = off;
SET session_replication_role = replica;

CREATE TEMP TABLE put_back AS
SELECT 1 AS turn,
    format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) AS away,
    format('ALTER TABLE %s ENABLE %s TRIGGER %I', tgrelid::regclass,
        CASE tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, tgname) AS back
FROM pg_trigger
WHERE NOT tgisinternal AND tgenabled <> 'D'
  AND tgrelid IN ('extension_registry'::regclass, 'extension_version'::regclass, 'extension_bundle'::regclass)
UNION ALL
SELECT 2,
    CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', i.indexrelid::regclass)
         ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, c.conname) END,
    CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
         ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) END
FROM pg_index i
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
-- Foreign keys lean on the primary keys.
WHERE NOT i.indisprimary
  AND i.indrelid IN ('extension_registry'::regclass, 'extension_version'::regclass, 'extension_bundle'::regclass);

DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN SELECT away FROM put_back ORDER BY turn LOOP
        EXECUTE statement;
    END LOOP;
END $$;
