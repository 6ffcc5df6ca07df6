-- One bundle per version. Adopted bundles are exempt: old data may hold several for one version.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS extension_bundle_version_id_unique
    ON @schema@.extension_bundle (version_id)
    WHERE NOT adopted;
