-- How many rows the catalogs hold that are older than this transaction and belong to nothing of the registry ($1): fewer
-- at the end of a transaction than in the beginning where it changed or removed one. And how many of them users made.
SELECT sum(c.old)::int8, sum(c.made)::int8
FROM (
    SELECT count(*) AS old, count(*) FILTER (WHERE oid >= 16384) AS made FROM pg_catalog.pg_class WHERE age(xmin) > 0 AND oid <> ALL ($1)
    UNION ALL SELECT count(*), count(*) FILTER (WHERE attrelid >= 16384) FROM pg_catalog.pg_attribute WHERE age(xmin) > 0 AND attrelid <> ALL ($1)
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_attrdef WHERE age(xmin) > 0 AND adrelid <> ALL ($1)
    UNION ALL SELECT count(*), count(*) FILTER (WHERE oid >= 16384) FROM pg_catalog.pg_constraint WHERE age(xmin) > 0 AND conrelid <> ALL ($1)
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_index WHERE age(xmin) > 0 AND indrelid <> ALL ($1)
    UNION ALL SELECT count(*), count(*) FILTER (WHERE NOT tgisinternal) FROM pg_catalog.pg_trigger WHERE age(xmin) > 0 AND tgrelid <> ALL ($1)
    UNION ALL SELECT count(*), count(*) FILTER (WHERE oid >= 16384) FROM pg_catalog.pg_proc WHERE age(xmin) > 0 AND oid <> ALL ($1)
    UNION ALL SELECT count(*), count(*) FILTER (WHERE oid >= 16384 AND typrelid = 0 AND typcategory <> 'A') FROM pg_catalog.pg_type WHERE age(xmin) > 0
    UNION ALL SELECT count(*), count(*) FILTER (WHERE oid >= 16384) FROM pg_catalog.pg_namespace WHERE age(xmin) > 0
    UNION ALL SELECT count(*), count(*) FROM pg_catalog.pg_event_trigger WHERE age(xmin) > 0 AND oid <> ALL ($1)
    UNION ALL SELECT count(*), count(*) FILTER (WHERE oid >= 16384) FROM pg_catalog.pg_extension WHERE age(xmin) > 0 AND oid <> ALL ($1)
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_rewrite WHERE age(xmin) > 0 AND ev_class <> ALL ($1)
    UNION ALL SELECT count(*), count(*) FROM pg_catalog.pg_policy WHERE age(xmin) > 0 AND polrelid <> ALL ($1)
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_sequence WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_inherits WHERE age(xmin) > 0 AND inhrelid <> ALL ($1)
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_enum WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_aggregate WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_cast WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_collation WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_conversion WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_default_acl WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_foreign_data_wrapper WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_foreign_server WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_language WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_operator WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_opclass WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_opfamily WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_publication WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_publication_rel WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_statistic_ext WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_ts_config WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_ts_dict WHERE age(xmin) > 0
    UNION ALL SELECT count(*), 0 FROM pg_catalog.pg_transform WHERE age(xmin) > 0
) c
