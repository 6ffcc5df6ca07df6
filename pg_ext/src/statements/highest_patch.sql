-- The first entry of extension_version_release_idx for the series below 2^53, read backwards. Old rows may hold what
-- is nearly SemVer: build metadata with an empty part.
SELECT substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::bigint
FROM @schema@.extension_version v
WHERE v.registry_id = $1
  AND substring(v.version COLLATE "C" FROM '^([0-9]+[.][0-9]+)[.]') = $2
  AND v.version COLLATE "C" ~ '^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)([+][0-9A-Za-z.-]+)?$'
  AND substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric < 9007199254740992
  AND v.version COLLATE "C" !~ '[+.][.]|[.]$'
ORDER BY substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric DESC
LIMIT 1
