-- Every object that users made, one row each: what kind, which one (key), its name for people, whether it counts in
-- the figures, what may not change (values in the order of the labels in catalog.rs, separated by unit separators),
-- its rights, and a level that may rise but not fall (validity, or how strongly a trigger is enabled).
--
-- Objects below oid 16384 came with initdb. Temporary objects and TOAST are left out. $1 is the schema of the
-- registry; with $2 only these tables of it are looked at.
--
-- In a transaction at REPEATABLE READ a row whose xmin is not older than the transaction is its own: `changed`. What
-- costs time is computed for those only, unless $3.
WITH extension AS (
    SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'ext_registry'
),
rel AS (
    SELECT c.*, age(c.xmin) <= 0 AS changed, n.nspname AS schema, n.nspname || '.' || c.relname AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384
      AND c.relkind <> 't'
      AND c.relpersistence <> 't'
      AND n.nspname <> 'pg_toast'
      AND ($2::text[] IS NULL
           OR n.nspname = $1::text AND c.relname = ANY ($2::text[])
           OR EXISTS (
               SELECT FROM pg_catalog.pg_index i
               JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
               WHERE i.indexrelid = c.oid AND n.nspname = $1::text AND t.relname = ANY ($2::text[])
           ))
),
everything AS (SELECT WHERE $2::text[] IS NULL)

SELECT CASE r.relkind
           WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table'
           WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
           WHEN 'c' THEN 'composite type' ELSE 'index'
       END AS kind,
       r.oid::text AS key,
       r.name,
       true AS counts,
       CASE WHEN $3::boolean OR r.changed OR coalesce(age(i.xmin) <= 0, false) THEN concat_ws(E'\x1f', r.name, r.relkind, r.relowner::regrole,
           CASE WHEN r.relkind IN ('r', 'm', 'i', 'S') THEN r.relfilenode ELSE 0 END,
           r.relpersistence, r.reltablespace, r.relam, r.relrowsecurity, r.relforcerowsecurity, r.relispartition,
           r.relreplident, coalesce(r.reloptions::text, '')) END AS fixed,
       CASE WHEN r.relkind NOT IN ('i', 'I', 'c') AND ($3::boolean OR r.changed OR coalesce(age(i.xmin) <= 0, false))
           THEN coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner))::text[]
       END AS rights,
       CASE WHEN i.indisvalid = false THEN 0 ELSE 1 END AS level,
       r.changed OR coalesce(age(i.xmin) <= 0, false) AS changed
FROM rel r
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid

UNION ALL
SELECT 'column', a.attrelid || '.' || a.attnum, r.name || '.' || a.attname, r.relkind IN ('r', 'p'),
       CASE WHEN $3::boolean OR age(a.xmin) <= 0 OR coalesce(age(d.xmin) <= 0, false) THEN concat_ws(E'\x1f', a.attname, a.attisdropped, a.atttypid::regtype, a.atttypmod, a.attnotnull,
           a.attcollation, a.attidentity, a.attgenerated,
           CASE WHEN a.attgenerated <> '' THEN coalesce(md5(d.adbin::text), '') ELSE '' END) END,
       a.attacl::text[],
       CASE WHEN d.oid IS NULL THEN 0 ELSE 1 END,
       age(a.xmin) <= 0 OR coalesce(age(d.xmin) <= 0, false)
FROM rel r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND r.relkind NOT IN ('i', 'I', 'S')

UNION ALL
SELECT 'constraint', k.oid::text, coalesce(r.name || '.', '') || k.conname, true,
       CASE WHEN $3::boolean OR age(k.xmin) <= 0 THEN concat_ws(E'\x1f', k.conname, k.contype, k.conrelid, k.contypid, k.confrelid, k.condeferrable, k.condeferred,
           k.connoinherit, concat(k.confupdtype, k.confdeltype, k.confmatchtype),
           coalesce(k.conkey::text, ''), coalesce(k.confkey::text, ''), md5(coalesce(k.conbin::text, '')),
           coalesce(to_jsonb(k) ->> 'conenforced', '')) END,
       NULL,
       k.convalidated::int,
       age(k.xmin) <= 0
FROM pg_catalog.pg_constraint k
LEFT JOIN rel r ON r.oid = k.conrelid
WHERE k.oid >= 16384 AND (r.oid IS NOT NULL OR (k.conrelid = 0 AND EXISTS (SELECT FROM everything)))
  -- From 18 on a column's NOT NULL is a constraint as well; it is compared with the column.
  AND (k.conrelid = 0 OR k.contype <> 'n')

UNION ALL
SELECT 'index definition', i.indexrelid::text, r.name, false,
       CASE WHEN $3::boolean OR age(i.xmin) <= 0 THEN concat_ws(E'\x1f', i.indrelid, i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate,
           i.indisreplident, i.indkey, i.indclass, i.indcollation, i.indoption,
           md5(coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '')),
           coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', '')) END,
       NULL,
       CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 1 ELSE 0 END,
       age(i.xmin) <= 0
FROM pg_catalog.pg_index i
JOIN rel r ON r.oid = i.indexrelid

UNION ALL
SELECT CASE WHEN t.tgisinternal THEN 'constraint trigger' ELSE 'trigger' END,
       t.oid::text, r.name || '.' || t.tgname, NOT t.tgisinternal,
       -- A guard that somebody changed may be put right.
       CASE WHEN NOT ($3::boolean OR age(t.xmin) <= 0) THEN NULL
           WHEN r.schema = $1::text AND t.tgname ~ '^extension_(version|bundle|registry_identity|log_[a-z]+)_immutable'
           THEN concat_ws(E'\x1f', t.tgname, t.tgrelid)
           ELSE concat_ws(E'\x1f', t.tgname, t.tgrelid, t.tgfoid, t.tgtype, t.tgdeferrable, t.tginitdeferred, t.tgattr,
               encode(t.tgargs, 'hex'), md5(coalesce(t.tgqual::text, '')), coalesce(t.tgoldtable, ''),
               coalesce(t.tgnewtable, ''))
       END,
       NULL,
       position(t.tgenabled::text IN 'DROA'),
       age(t.xmin) <= 0
FROM pg_catalog.pg_trigger t
JOIN rel r ON r.oid = t.tgrelid

UNION ALL
-- A rule is rewritten as a whole, that of a view too: its row is the one that was there.
SELECT 'rule', w.oid::text, r.name || '.' || w.rulename, false, w.xmin::text, NULL, 1,
       age(w.xmin) <= 0
FROM pg_catalog.pg_rewrite w
JOIN rel r ON r.oid = w.ev_class

UNION ALL
SELECT 'policy', p.oid::text, r.name || '.' || p.polname, true, p.xmin::text, NULL, 1,
       age(p.xmin) <= 0
FROM pg_catalog.pg_policy p
JOIN rel r ON r.oid = p.polrelid

UNION ALL
SELECT 'sequence definition', s.seqrelid::text, r.name, false, s::text, NULL, 1,
       age(s.xmin) <= 0
FROM pg_catalog.pg_sequence s
JOIN rel r ON r.oid = s.seqrelid

UNION ALL
SELECT 'inheritance', h.inhrelid || '.' || h.inhparent, r.name, false, h.inhseqno::text, NULL, 1,
       age(h.xmin) <= 0
FROM pg_catalog.pg_inherits h
JOIN rel r ON r.oid = h.inhrelid

UNION ALL
-- Of the registry's own functions body and rights may be put right: the guards, and what its extension brings.
SELECT 'function', p.oid::text, n.nspname || '.' || p.proname || '(' || coalesce(pg_get_function_identity_arguments(p.oid), '') || ')', true,
       CASE WHEN $3::boolean OR age(p.xmin) <= 0 THEN concat_ws(E'\x1f', p.proname, p.pronamespace, p.proowner::regrole, p.prokind, p.prorettype, p.proretset,
           CASE WHEN own.ours THEN '' ELSE concat_ws(',', p.prolang, coalesce(p.proargdefaults::text, ''), coalesce(p.probin, ''),
               p.provolatile, p.proisstrict, p.proleakproof, p.proparallel, p.prosupport) END,
           CASE WHEN own.ours THEN '' ELSE md5(p.prosrc || coalesce(p.prosqlbody::text, '')) END,
           CASE WHEN own.ours THEN '' ELSE p.prosecdef::text || coalesce(p.proconfig::text, '') END) END,
       CASE WHEN own.ours THEN NULL ELSE coalesce(p.proacl, acldefault('f', p.proowner))::text[] END,
       1,
       age(p.xmin) <= 0
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
CROSS JOIN LATERAL (SELECT 
    n.nspname = $1::text AND p.proname ~ '^extension_(version|bundle|registry_identity|log)_immutable$') AS own (ours)
WHERE p.oid >= 16384 AND n.nspname !~ '^pg_temp_' AND EXISTS (SELECT FROM everything)
  -- The extension's own script answers for its members.
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      JOIN extension e ON e.oid = d.refobjid
      WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        AND d.refclassid = 'pg_catalog.pg_extension'::regclass
  )

UNION ALL
SELECT 'type', t.oid::text, n.nspname || '.' || t.typname, true,
       CASE WHEN $3::boolean OR age(t.xmin) <= 0 THEN concat_ws(E'\x1f', t.typname, t.typnamespace, t.typowner::regrole, t.typtype, t.typlen, t.typbasetype,
           t.typtypmod, t.typnotnull, t.typinput, t.typoutput) END,
       coalesce(t.typacl, acldefault('T', t.typowner))::text[],
       1,
       age(t.xmin) <= 0
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid >= 16384 AND t.typrelid = 0 AND t.typcategory <> 'A' AND n.nspname !~ '^pg_temp_|^pg_toast'
  AND EXISTS (SELECT FROM everything)

UNION ALL
SELECT 'enum value', v.oid::text, v.enumtypid::regtype || '.' || v.enumlabel, false, v.enumlabel, NULL, 1,
       age(v.xmin) <= 0
FROM pg_catalog.pg_enum v
WHERE v.oid >= 16384 AND EXISTS (SELECT FROM everything)

UNION ALL
SELECT 'schema', n.oid::text, n.nspname, true, concat_ws(E'\x1f', n.nspname, n.nspowner::regrole),
       coalesce(n.nspacl, acldefault('n', n.nspowner))::text[], 1,
       age(n.xmin) <= 0
FROM pg_catalog.pg_namespace n
WHERE (n.oid >= 16384 OR n.nspname = 'public') AND n.nspname !~ '^pg_' AND EXISTS (SELECT FROM everything)

UNION ALL
SELECT 'event trigger', e.oid::text, e.evtname, true,
       concat_ws(E'\x1f', e.evtname, e.evtowner::regrole, e.evtevent, e.evtfoid, coalesce(e.evttags::text, '')), NULL,
       position(e.evtenabled::text IN 'DROA'),
       age(e.xmin) <= 0
FROM pg_catalog.pg_event_trigger e
WHERE EXISTS (SELECT FROM everything)

UNION ALL
SELECT 'extension', e.oid::text, e.extname, true,
       concat_ws(E'\x1f', e.extname, e.extowner::regrole, e.extnamespace,
           CASE WHEN e.extname = 'ext_registry' THEN '' ELSE e.extversion END), NULL, 1,
       age(e.xmin) <= 0
FROM pg_catalog.pg_extension e
WHERE e.oid >= 16384 AND EXISTS (SELECT FROM everything)

UNION ALL
-- Of the rarer kinds the whole row stays as it was.
SELECT o.kind, o.key, o.name, false, o.version, NULL, 1,
       age(o.version::xid) <= 0
FROM (
    SELECT 'aggregate' AS kind, aggfnoid::oid::text AS key, aggfnoid::text AS name, xmin::text AS version, aggfnoid::oid AS oid FROM pg_catalog.pg_aggregate
    UNION ALL SELECT 'cast', oid::text, castsource::regtype || ' as ' || casttarget::regtype, xmin::text, oid FROM pg_catalog.pg_cast
    UNION ALL SELECT 'collation', oid::text, collname, xmin::text, oid FROM pg_catalog.pg_collation
    UNION ALL SELECT 'conversion', oid::text, conname, xmin::text, oid FROM pg_catalog.pg_conversion
    UNION ALL SELECT 'default privileges', oid::text, defaclnamespace::regnamespace::text, xmin::text, oid FROM pg_catalog.pg_default_acl
    UNION ALL SELECT 'foreign-data wrapper', oid::text, fdwname, xmin::text, oid FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT 'foreign server', oid::text, srvname, xmin::text, oid FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT 'language', oid::text, lanname, xmin::text, oid FROM pg_catalog.pg_language
    UNION ALL SELECT 'operator', oid::text, oid::regoperator::text, xmin::text, oid FROM pg_catalog.pg_operator
    UNION ALL SELECT 'operator class', oid::text, opcname, xmin::text, oid FROM pg_catalog.pg_opclass
    UNION ALL SELECT 'operator family', oid::text, opfname, xmin::text, oid FROM pg_catalog.pg_opfamily
    UNION ALL SELECT 'publication', oid::text, pubname, xmin::text, oid FROM pg_catalog.pg_publication
    UNION ALL SELECT 'published table', oid::text, prrelid::regclass::text, xmin::text, oid FROM pg_catalog.pg_publication_rel
    UNION ALL SELECT 'statistics object', oid::text, stxname, xmin::text, oid FROM pg_catalog.pg_statistic_ext
    UNION ALL SELECT 'text search configuration', oid::text, cfgname, xmin::text, oid FROM pg_catalog.pg_ts_config
    UNION ALL SELECT 'text search dictionary', oid::text, dictname, xmin::text, oid FROM pg_catalog.pg_ts_dict
    UNION ALL SELECT 'transform', oid::text, trftype::regtype::text, xmin::text, oid FROM pg_catalog.pg_transform
) o
WHERE o.oid >= 16384 AND EXISTS (SELECT FROM everything)
