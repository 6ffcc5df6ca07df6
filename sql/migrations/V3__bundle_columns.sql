-- The same for bundles: V7 turns the default to false.

ALTER TABLE @schema@.extension_bundle
    ADD COLUMN IF NOT EXISTS storage_url text,
    ADD COLUMN IF NOT EXISTS size_bytes bigint,
    ADD COLUMN IF NOT EXISTS adopted boolean NOT NULL DEFAULT true;

COMMENT ON COLUMN @schema@.extension_bundle.adopted IS
    'true on rows that were there before the guards; new rows cannot be marked so';
