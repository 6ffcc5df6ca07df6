-- The first entry of extension_version_release_idx for the series, read backwards. Old rows may hold what is nearly
-- SemVer: a number beyond 64 bits, build metadata with an empty part.
SELECT substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')
FROM @schema@.extension_version v
WHERE v.registry_id = $1
  AND substring(v.version COLLATE "C" FROM '^([0-9]+[.][0-9]+)[.]') = $2
  AND v.version COLLATE "C" ~ '^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)([+][0-9A-Za-z.-]+)?$'
  AND substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric <= 18446744073709551615
  AND v.version COLLATE "C" !~ '[+.][.]|[.]$'
ORDER BY substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric DESC
LIMIT 1
