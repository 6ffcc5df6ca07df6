-- The default order of ext_list_versions, so that a page of it needs no sort.
CREATE INDEX CONCURRENTLY IF NOT EXISTS extension_version_list_idx
    ON @schema@.extension_version (registry_id, created_at DESC NULLS LAST, id DESC);
