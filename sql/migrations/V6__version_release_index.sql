-- The highest patch number of a MAJOR.MINOR series, for wildcard versions. Releases only: pre-releases do not count.
CREATE INDEX CONCURRENTLY IF NOT EXISTS extension_version_release_idx
    ON @schema@.extension_version (
        registry_id,
        (substring(version COLLATE "C" FROM '^([0-9]+[.][0-9]+)[.]')),
        (substring(version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric)
    )
    WHERE version COLLATE "C" ~ '^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)([+][0-9A-Za-z.-]+)?$';
