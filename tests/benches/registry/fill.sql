-- @versions@ versions of @extensions@ extensions, published in the order of their times over four years. Every
-- extension has a version 1.0.0; of the others the first extensions have the most: half of all are of an eighth of them.

-- Keys as they would have been made then.
CREATE FUNCTION pg_temp.key_at(at timestamptz, n bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT (lpad(to_hex((date_part('epoch', at) * 1000)::bigint), 12, '0')
        || overlay(overlay(substr(md5(n::text), 1, 20) PLACING '7' FROM 1) PLACING '8' FROM 5))::uuid
$$;

CREATE TEMP TABLE extension AS
SELECT made.n, @key@ AS id
FROM (SELECT n, '2021-01-01'::timestamptz + n * interval '1 year' / @extensions@ AS at
      FROM generate_series(0::bigint, @extensions@ - 1) n) made;
ALTER TABLE pg_temp.extension ADD PRIMARY KEY (n);
ANALYZE pg_temp.extension;

INSERT INTO extension_registry (id, publisher, name)
SELECT id, 'publisher-' || n / 10, 'extension-' || n FROM pg_temp.extension;

INSERT INTO extension_version
    (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, created_at@assets_column@)
SELECT @key@, e.id,
    CASE WHEN made.n < @extensions@ THEN '1.0.0' ELSE format('1.%s.%s', 1 + made.n / 1000, made.n % 1000) END,
    '@runtime@', '@main_entry@', @api@, @endpoints@, @ui@, @capabilities@, made.at@assets_value@
FROM (
    SELECT n, '2022-01-01'::timestamptz + n * interval '4 years' / @versions@ AS at,
        CASE WHEN n < @extensions@ THEN n
             -- A random number below 1 from n, to the third power.
             ELSE (@extensions@ * (hashint8(n)::bigint + 2147483648) ^ 3 / 4294967296::float8 ^ 3)::bigint % @extensions@
        END AS extension
    FROM generate_series(0::bigint, @versions@ - 1) n
) made
JOIN pg_temp.extension e ON e.n = made.extension;

INSERT INTO extension_bundle (id, version_id, content_hash, precompiled, created_at)
SELECT @key@, made.id, 'sha256:' || encode(sha256(uuid_send(made.id)), 'hex'), @precompiled@, made.at
FROM (SELECT v.id, v.created_at AS at, row_number() OVER () AS n FROM extension_version v) made;

DROP TABLE pg_temp.extension;
