-- What an older schema lacks. On a fresh database nothing is missing and nothing happens.
-- Every default is a constant, so no table is rewritten: existing rows get it from the catalog.
-- `adopted DEFAULT true` marks all rows that are there now; V8 turns the default to false for those to come.
-- One table per migration: a transaction that locks several in turn can deadlock with the app's own.

ALTER TABLE @schema@.extension_version
    ADD COLUMN IF NOT EXISTS api_endpoints jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS assets jsonb,
    ADD COLUMN IF NOT EXISTS adopted boolean NOT NULL DEFAULT true;

COMMENT ON COLUMN @schema@.extension_version.adopted IS
    'true on rows that were there before the guards; new rows cannot be marked so';
