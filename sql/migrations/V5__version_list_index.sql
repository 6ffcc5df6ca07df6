-- The default order of ext_list_versions, so that a page of it needs no sort. With the version, a list is read from
-- the index alone, which the planner prefers to sorting even where the caller repeats the order in its own ORDER BY.
CREATE INDEX CONCURRENTLY IF NOT EXISTS extension_version_list_idx
    ON @schema@.extension_version (registry_id, created_at DESC NULLS LAST, id DESC)
    INCLUDE (version);
