-- The rows that were there before the guards, and how many of them today's rules would refuse. One pass per table.
-- The numbers of a version are 64 bits wide.
WITH bundle AS (
    SELECT b.version_id, count(*) AS bundles
    FROM @schema@.extension_bundle b
    GROUP BY b.version_id
),
version AS (
    SELECT count(*) AS rows,
           count(*) FILTER (WHERE bundle.version_id IS NULL) AS without_bundle,
           count(*) FILTER (WHERE bundle.bundles > 1) AS several_bundles,
           count(*) FILTER (WHERE v.created_at IS NULL) AS no_publish_time,
           count(*) FILTER (WHERE NOT (
               v.version COLLATE "C" ~ ('^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)'
                   '(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)([.](0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?'
                   '([+][0-9A-Za-z-]+([.][0-9A-Za-z-]+)*)?$')
               AND greatest(
                   substring(v.version COLLATE "C" FROM '^([0-9]+)')::numeric,
                   substring(v.version COLLATE "C" FROM '^[0-9]+[.]([0-9]+)')::numeric,
                   substring(v.version COLLATE "C" FROM '^[0-9]+[.][0-9]+[.]([0-9]+)')::numeric
               ) <= 18446744073709551615
           )) AS not_semver
    FROM @schema@.extension_version v
    LEFT JOIN bundle ON bundle.version_id = v.id
    WHERE @old_version@
),
hash AS (
    SELECT count(*) AS rows,
           -- With the length the pattern needs no {64}, which takes ten times as long.
           count(*) FILTER (WHERE NOT (
               octet_length(b.content_hash) = 71 AND b.content_hash COLLATE "C" ~ '^sha256:[0-9a-f]*$'
           )) AS odd_hash,
           count(*) FILTER (WHERE @negative_size@) AS negative_size
    FROM @schema@.extension_bundle b
    WHERE @old_bundle@
)
SELECT json_build_object(
    'versions', (SELECT row_to_json(version) FROM version),
    'bundles', (SELECT row_to_json(hash) FROM hash)
)::text
