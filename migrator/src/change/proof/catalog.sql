-- Every object, one row each: what kind, which one (key), its name for people, whether it counts in the figures, what may
-- not change, its rights, and a level that may rise but not fall (validity, or how strongly a trigger is enabled); whether
-- it is the registry's ($1: oids of its tables, their indexes, and functions), and whether this transaction made or changed
-- it. In a transaction at REPEATABLE READ those are the rows whose xmin is not older than the transaction, which holds for
-- subtransactions too. An index that is built sets a mark in pg_class in place; nothing here looks at that.
--
-- No joins: the two marks decide in one pass over each catalog, and only the rows that stay are looked at further.
-- Temporary objects and TOAST are left out.
SELECT CASE c.relkind
           WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table'
           WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
           WHEN 'c' THEN 'composite type' ELSE 'index'
       END AS kind,
       c.oid::text AS key,
       c.relnamespace::regnamespace || '.' || c.relname AS name,
       c.oid >= 16384 AS counts,
       jsonb_build_object(
           'name', c.relnamespace::regnamespace || '.' || c.relname, 'kind', c.relkind, 'owner', c.relowner::regrole,
           'storage (it was rewritten or truncated)', CASE WHEN c.relkind IN ('r', 'm', 'i', 'S') THEN c.relfilenode END,
           'persistence', c.relpersistence, 'tablespace', c.reltablespace, 'access method', c.relam,
           'row level security', c.relrowsecurity, 'forced row level security', c.relforcerowsecurity,
           'partition', c.relispartition, 'replica identity', c.relreplident, 'options', c.reloptions
       ) AS fixed,
       CASE WHEN c.relkind NOT IN ('i', 'I', 'c')
           THEN coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
       END AS rights,
       CASE WHEN c.relkind = 'i'
           THEN (SELECT i.indisvalid::int FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid)
           ELSE 1
       END AS level,
       c.oid = ANY ($1) AS own,
       age(c.xmin) <= 0 AS changed
FROM pg_catalog.pg_class c
WHERE c.relkind <> 't' AND c.relpersistence <> 't' AND c.relnamespace <> 'pg_toast'::regnamespace

UNION ALL
SELECT 'column', a.attrelid || '.' || a.attnum, a.attrelid::regclass || '.' || a.attname,
       a.attrelid >= 16384
           AND (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = a.attrelid) IN ('r', 'p'),
       jsonb_build_object(
           'name', a.attname, 'dropped', a.attisdropped, 'type', a.atttypid::regtype, 'type modifier', a.atttypmod,
           'not null', CASE WHEN NOT ours THEN a.attnotnull END, 'collation', a.attcollation,
           'identity', a.attidentity, 'generated', a.attgenerated
       ),
       a.attacl, (ours AND a.attnotnull)::int, a.attrelid = ANY ($1), age(a.xmin) <= 0
FROM pg_catalog.pg_attribute a
-- NOT NULL may be put right on the tables that no app has made.
CROSS JOIN LATERAL (
    SELECT a.attrelid = ANY ($1) AND a.attrelid::regclass::text !~ '(extension_(registry|version|bundle)|_install)"?$'
) AS own (ours)
WHERE a.attnum > 0
  AND (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = a.attrelid AND c.relpersistence <> 't')
      IN ('r', 'p', 'f', 'v', 'm', 'c')

UNION ALL
-- Another default is one; the expression of a generated column is its content.
SELECT 'default', d.adrelid || '.' || d.adnum,
       d.adrelid::regclass || '.' || (
           SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = d.adrelid AND a.attnum = d.adnum),
       false,
       jsonb_build_object('generation expression', (
           SELECT md5(d.adbin::text)
           FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> '')),
       NULL, 1, d.adrelid = ANY ($1), age(d.xmin) <= 0
FROM pg_catalog.pg_attrdef d

UNION ALL
-- That of a constraint trigger goes and comes with it.
SELECT 'constraint',
       CASE WHEN k.contype = 't' AND k.conrelid = ANY ($1) AND k.conname ~ '^extension_\w+_immutable'
           THEN k.conrelid || '.' || k.conname
           ELSE k.oid::text
       END,
       CASE WHEN k.conrelid <> 0 THEN k.conrelid::regclass || '.' ELSE '' END || k.conname, k.oid >= 16384,
       jsonb_build_object(
           'name', k.conname, 'kind', k.contype, 'table', k.conrelid, 'type', k.contypid, 'referenced table', k.confrelid,
           'deferrable', k.condeferrable, 'deferred', k.condeferred, 'no inherit', k.connoinherit,
           'actions', concat(k.confupdtype, k.confdeltype, k.confmatchtype), 'columns', k.conkey,
           'referenced columns', k.confkey, 'expression', md5(k.conbin::text), 'enforced', to_jsonb(k) -> 'conenforced'
       ),
       NULL, k.convalidated::int, k.conrelid = ANY ($1), age(k.xmin) <= 0
FROM pg_catalog.pg_constraint k
-- From 18 on a column's NOT NULL is a constraint as well; it is compared with the column.
WHERE k.conrelid = 0 OR k.contype <> 'n'

UNION ALL
SELECT 'index definition', i.indexrelid::text, i.indexrelid::regclass::text, false,
       jsonb_build_object(
           'table', i.indrelid, 'unique', i.indisunique, 'primary', i.indisprimary, 'exclusion', i.indisexclusion,
           'immediate', i.indimmediate, 'replica identity', i.indisreplident, 'columns', i.indkey::text,
           'operator classes', i.indclass::text, 'collations', i.indcollation::text, 'ordering', i.indoption::text,
           'expressions', md5(concat(i.indexprs::text, ' ', i.indpred::text)),
           'nulls not distinct', to_jsonb(i) -> 'indnullsnotdistinct'
       ),
       NULL, (i.indisvalid AND i.indisready AND i.indislive)::int, i.indrelid = ANY ($1), age(i.xmin) <= 0
FROM pg_catalog.pg_index i
WHERE (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = i.indexrelid) <> 'pg_toast'::regnamespace

UNION ALL
-- A guard that somebody changed may be put right, and one of ours may be made anew; one that calls a function of others
-- guards nothing.
SELECT CASE WHEN t.tgisinternal THEN 'constraint trigger' ELSE 'trigger' END,
       CASE WHEN guard THEN t.tgrelid || '.' || t.tgname ELSE t.oid::text END,
       t.tgrelid::regclass || '.' || t.tgname, NOT t.tgisinternal,
       jsonb_build_object('name', t.tgname, 'table', t.tgrelid) || CASE WHEN guard THEN '{}' ELSE jsonb_build_object(
           'function', t.tgfoid, 'events', t.tgtype, 'deferrable', t.tgdeferrable, 'deferred', t.tginitdeferred,
           'columns', t.tgattr::text, 'arguments', encode(t.tgargs, 'hex'), 'condition', md5(t.tgqual::text),
           'old table', t.tgoldtable, 'new table', t.tgnewtable
       ) END,
       NULL, CASE WHEN guard AND t.tgfoid <> ALL ($1) THEN 0 ELSE position(t.tgenabled::text IN 'DROA') END,
       t.tgrelid = ANY ($1), age(t.xmin) <= 0
FROM pg_catalog.pg_trigger t
CROSS JOIN LATERAL (
    SELECT NOT t.tgisinternal AND t.tgrelid = ANY ($1) AND t.tgname ~ '^extension_\w+_immutable'
) AS own (guard)

UNION ALL
-- Of the guards' functions body and rights may be put right. The extension's own script answers for its members.
SELECT 'function', p.oid::text,
       p.pronamespace::regnamespace || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       p.oid >= 16384,
       jsonb_build_object(
           'name', p.proname, 'schema', p.pronamespace::regnamespace, 'owner', p.proowner::regrole, 'kind', p.prokind,
           'result', p.prorettype::regtype, 'set', p.proretset
       ) || CASE WHEN p.oid = ANY ($1) THEN '{}' ELSE jsonb_build_object(
           'attributes', concat_ws(',', p.prolang, p.proargdefaults::text, p.probin, p.provolatile, p.proisstrict,
               p.proleakproof, p.proparallel, p.prosupport),
           'body', md5(concat(p.prosrc, p.prosqlbody::text)),
           'rights and settings', concat(p.prosecdef, p.proconfig)
       ) END,
       CASE WHEN p.oid <> ALL ($1) THEN coalesce(p.proacl, acldefault('f', p.proowner)) END,
       1, p.oid = ANY ($1), age(p.xmin) <= 0
FROM pg_catalog.pg_proc p
WHERE (SELECT true
       FROM pg_catalog.pg_depend d
       JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'ext_registry'
       WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
         AND d.refclassid = 'pg_catalog.pg_extension'::regclass) IS NULL

UNION ALL
SELECT 'type', t.oid::text, t.oid::regtype::text, t.oid >= 16384,
       jsonb_build_object(
           'name', t.typname, 'schema', t.typnamespace::regnamespace, 'owner', t.typowner::regrole, 'kind', t.typtype,
           'length', t.typlen, 'base type', t.typbasetype::regtype, 'type modifier', t.typtypmod,
           'not null', t.typnotnull, 'input', t.typinput, 'output', t.typoutput
       ),
       coalesce(t.typacl, acldefault('T', t.typowner)), 1, false, age(t.xmin) <= 0
FROM pg_catalog.pg_type t
WHERE t.typrelid = 0 AND t.typcategory <> 'A'

UNION ALL
SELECT 'schema', n.oid::text, n.nspname, n.oid >= 16384,
       jsonb_build_object('name', n.nspname, 'owner', n.nspowner::regrole),
       coalesce(n.nspacl, acldefault('n', n.nspowner)), 1, false, age(n.xmin) <= 0
FROM pg_catalog.pg_namespace n
WHERE n.nspname !~ '^pg_(toast_)?temp_'

UNION ALL
SELECT 'event trigger', e.oid::text, e.evtname, true,
       jsonb_build_object('name', e.evtname, 'owner', e.evtowner::regrole, 'event', e.evtevent, 'function', e.evtfoid,
           'tags', e.evttags),
       NULL, position(e.evtenabled::text IN 'DROA'), e.oid = ANY ($1), age(e.xmin) <= 0
FROM pg_catalog.pg_event_trigger e

UNION ALL
SELECT 'extension', e.oid::text, e.extname, e.oid >= 16384,
       jsonb_build_object('name', e.extname, 'owner', e.extowner::regrole, 'schema', e.extnamespace::regnamespace,
           'version', CASE WHEN e.extname <> 'ext_registry' THEN e.extversion END),
       NULL, 1, e.oid = ANY ($1), age(e.xmin) <= 0
FROM pg_catalog.pg_extension e

UNION ALL
-- Of the rarer kinds the row stays as it was; a rule is rewritten as a whole, that of a view too.
SELECT o.kind, o.key, o.name, o.kind = 'policy', to_jsonb(age(o.version) <= 0), NULL, 1,
       o.relation = ANY ($1), age(o.version) <= 0
FROM (
    SELECT 'rule' AS kind, oid::text AS key, ev_class::regclass || '.' || rulename AS name, xmin AS version, ev_class AS relation FROM pg_catalog.pg_rewrite
    UNION ALL SELECT 'policy', oid::text, polrelid::regclass || '.' || polname, xmin, polrelid FROM pg_catalog.pg_policy
    UNION ALL SELECT 'sequence definition', seqrelid::text, seqrelid::regclass::text, xmin, seqrelid FROM pg_catalog.pg_sequence
    UNION ALL SELECT 'inheritance', inhrelid || '.' || inhparent, inhrelid::regclass::text, xmin, inhrelid FROM pg_catalog.pg_inherits
    UNION ALL SELECT 'enum value', oid::text, enumtypid::regtype || '.' || enumlabel, xmin, 0 FROM pg_catalog.pg_enum
    UNION ALL SELECT 'aggregate', aggfnoid::oid::text, aggfnoid::text, xmin, 0 FROM pg_catalog.pg_aggregate
    UNION ALL SELECT 'cast', oid::text, castsource::regtype || ' as ' || casttarget::regtype, xmin, 0 FROM pg_catalog.pg_cast
    UNION ALL SELECT 'collation', oid::text, collname, xmin, 0 FROM pg_catalog.pg_collation
    UNION ALL SELECT 'conversion', oid::text, conname, xmin, 0 FROM pg_catalog.pg_conversion
    UNION ALL SELECT 'default privileges', oid::text, defaclnamespace::regnamespace::text, xmin, 0 FROM pg_catalog.pg_default_acl
    UNION ALL SELECT 'foreign-data wrapper', oid::text, fdwname, xmin, 0 FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT 'foreign server', oid::text, srvname, xmin, 0 FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT 'language', oid::text, lanname, xmin, 0 FROM pg_catalog.pg_language
    UNION ALL SELECT 'operator', oid::text, oid::regoperator::text, xmin, 0 FROM pg_catalog.pg_operator
    UNION ALL SELECT 'operator class', oid::text, opcname, xmin, 0 FROM pg_catalog.pg_opclass
    UNION ALL SELECT 'operator family', oid::text, opfname, xmin, 0 FROM pg_catalog.pg_opfamily
    UNION ALL SELECT 'publication', oid::text, pubname, xmin, 0 FROM pg_catalog.pg_publication
    UNION ALL SELECT 'published table', oid::text, prrelid::regclass::text, xmin, 0 FROM pg_catalog.pg_publication_rel
    UNION ALL SELECT 'statistics object', oid::text, stxname, xmin, 0 FROM pg_catalog.pg_statistic_ext
    UNION ALL SELECT 'text search configuration', oid::text, cfgname, xmin, 0 FROM pg_catalog.pg_ts_config
    UNION ALL SELECT 'text search dictionary', oid::text, dictname, xmin, 0 FROM pg_catalog.pg_ts_dict
    UNION ALL SELECT 'transform', oid::text, trftype::regtype::text, xmin, 0 FROM pg_catalog.pg_transform
) o (kind, key, name, version, relation)
