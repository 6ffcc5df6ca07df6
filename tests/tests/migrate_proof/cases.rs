//! A database in use, and what may and may not be done to it.

/// Other people's objects, of every kind that the proof looks at.
pub const LIVE: &str = "
CREATE SCHEMA app;
CREATE TABLE app.parent (id int PRIMARY KEY, note text NOT NULL DEFAULT 'x', size int CHECK (size > 0));
CREATE TABLE app.child (id int REFERENCES app.parent (id), UNIQUE (id));
CREATE TABLE app.log (at timestamptz DEFAULT now(), what text);
CREATE TABLE app.heir () INHERITS (app.log);
CREATE INDEX parent_note ON app.parent (note) WHERE size > 1;
ALTER TABLE app.parent ADD CONSTRAINT later CHECK (size < 100) NOT VALID;
INSERT INTO app.parent VALUES (1, 'one', 1), (2, 'two', 2);
INSERT INTO app.child VALUES (1);
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.parent FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE FUNCTION app.plus(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1';
CREATE VIEW app.seen AS SELECT id FROM app.parent;
CREATE MATERIALIZED VIEW app.kept AS SELECT id FROM app.parent;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.pair AS (a int, b int);
CREATE DOMAIN app.positive AS int CONSTRAINT above CHECK (VALUE > 0);
CREATE SEQUENCE app.numbers;
CREATE POLICY mine ON app.parent USING (true);
CREATE RULE quiet AS ON INSERT TO app.log WHERE NEW.what = 'noise' DO INSTEAD NOTHING;
CREATE STATISTICS app.together ON id, size FROM app.parent;
CREATE OPERATOR app.@@ (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int);
GRANT SELECT ON app.parent TO PUBLIC;
GRANT SELECT (id) ON app.child TO PUBLIC;
GRANT INSERT ON app.child TO pg_monitor WITH GRANT OPTION;
";

/// Statements that take something away, and words of the finding.
#[rustfmt::skip]
pub const LOSSES: &[(&str, &str)] = &[
    ("UPDATE app.parent SET note = 'three' WHERE id = 1", "table app.parent: 1 rows updated, 0 rows deleted"),
    ("DELETE FROM app.child", "table app.child: 0 rows updated, 1 rows deleted"),
    ("WITH gone AS (DELETE FROM app.child RETURNING *) INSERT INTO app.log (what) SELECT id FROM gone", "1 rows deleted"),
    ("INSERT INTO app.parent VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET note = 'y'", "1 rows updated"),
    ("MERGE INTO app.child USING app.parent p ON p.id = child.id WHEN MATCHED THEN DELETE", "1 rows deleted"),
    ("SAVEPOINT a; DELETE FROM app.child; RELEASE a", "1 rows deleted"),
    ("TRUNCATE app.child", "app.child: storage (it was rewritten or truncated)"),
    ("UPDATE app.child SET id = 2; TRUNCATE app.child", "app.child: storage"),
    ("ALTER TABLE app.parent ALTER size TYPE bigint", "storage"),
    ("ALTER TABLE app.parent ALTER note TYPE varchar(100)", "type changed: text → character varying"),
    ("ALTER TABLE app.log SET UNLOGGED", "app.log: persistence changed: p → u"),
    ("CLUSTER app.parent USING parent_pkey", "storage"),
    ("REFRESH MATERIALIZED VIEW app.kept", "storage"),
    ("ALTER SEQUENCE app.numbers RESTART", "storage"),
    ("ALTER SEQUENCE app.numbers MAXVALUE 5", "sequence definition app.numbers"),
    ("REINDEX INDEX app.parent_note", "storage"),
    ("DROP TABLE app.child", "table app.child: is gone"),
    ("DROP TABLE app.child; CREATE TABLE app.child (id int)", "table app.child: is gone"),
    ("ALTER TABLE app.child RENAME TO kid", "name changed: app.child → app.kid"),
    ("ALTER TABLE app.child SET SCHEMA public", "name changed: app.child → public.child"),
    ("ALTER TABLE app.parent DROP COLUMN note", "column app.parent.note: name changed"),
    ("ALTER TABLE app.parent RENAME note TO remark", "name changed: note → remark"),
    ("ALTER TABLE app.parent ALTER size SET NOT NULL", "not null changed: false → true"),
    ("ALTER TABLE app.parent ALTER note DROP NOT NULL", "not null changed: true → false"),
    ("ALTER TABLE app.parent ALTER note DROP DEFAULT", "default app.parent.note: is gone"),
    ("ALTER TABLE app.parent DROP CONSTRAINT parent_size_check", "constraint app.parent.parent_size_check: is gone"),
    ("ALTER TABLE app.parent RENAME CONSTRAINT later TO never", "name changed: later → never"),
    ("ALTER TABLE app.child ALTER CONSTRAINT child_id_fkey DEFERRABLE", "deferrable changed"),
    ("DROP INDEX app.parent_note", "index app.parent_note: is gone"),
    ("ALTER INDEX app.parent_note RENAME TO other", "index app.parent_note: name changed"),
    ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.parent_note'::regclass", "not valid any more"),
    ("UPDATE pg_constraint SET convalidated = false WHERE conname = 'parent_size_check'", "not valid any more"),
    ("DROP TRIGGER touch ON app.parent", "trigger app.parent.touch: is gone"),
    ("ALTER TABLE app.parent DISABLE TRIGGER touch", "it is disabled, or fires less"),
    ("ALTER TABLE app.parent ENABLE REPLICA TRIGGER touch", "it is disabled, or fires less"),
    ("ALTER TABLE app.parent DISABLE TRIGGER ALL", "constraint trigger"),
    ("CREATE OR REPLACE TRIGGER touch BEFORE UPDATE OF id ON app.parent FOR EACH ROW EXECUTE FUNCTION app.touch()", "columns changed"),
    ("CREATE OR REPLACE FUNCTION app.plus(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 2'", "function app.plus(a integer): body changed"),
    ("ALTER FUNCTION app.plus(int) SECURITY DEFINER", "rights and settings changed"),
    ("ALTER FUNCTION app.plus(int) RENAME TO minus", "name changed: plus → minus"),
    ("ALTER FUNCTION app.plus(int) OWNER TO pg_monitor", "owner changed"),
    ("DROP FUNCTION app.plus(int)", "is gone"),
    ("REVOKE EXECUTE ON FUNCTION app.plus(int) FROM PUBLIC", "a right was taken away: EXECUTE of PUBLIC by postgres"),
    ("CREATE OR REPLACE VIEW app.seen AS SELECT id + 1 AS id FROM app.parent", "rule app.seen._RETURN"),
    ("DROP VIEW app.seen", "view app.seen: is gone"),
    ("DROP RULE quiet ON app.log", "rule app.log.quiet: is gone"),
    ("ALTER TABLE app.log DISABLE RULE quiet", "rule app.log.quiet"),
    ("DROP TYPE app.pair", "composite type app.pair: is gone"),
    ("ALTER TYPE app.pair DROP ATTRIBUTE b", "column app.pair.b"),
    ("ALTER TYPE app.mood RENAME VALUE 'bad' TO 'worse'", "enum value app.mood.bad"),
    ("ALTER TYPE app.mood RENAME TO temper", "type app.mood: name changed"),
    ("ALTER DOMAIN app.positive DROP CONSTRAINT above", "constraint above: is gone"),
    ("ALTER DOMAIN app.positive SET NOT NULL", "not null changed"),
    ("DROP SEQUENCE app.numbers", "sequence app.numbers: is gone"),
    ("ALTER POLICY mine ON app.parent USING (false)", "policy app.parent.mine"),
    ("ALTER TABLE app.parent ENABLE ROW LEVEL SECURITY", "row level security changed: false → true"),
    ("ALTER TABLE app.parent OWNER TO pg_monitor", "owner changed: postgres → pg_monitor"),
    ("REVOKE SELECT ON app.parent FROM PUBLIC", "a right was taken away: SELECT of PUBLIC by postgres"),
    ("REVOKE SELECT (id) ON app.child FROM PUBLIC", "column app.child.id: a right was taken away"),
    ("REVOKE GRANT OPTION FOR INSERT ON app.child FROM pg_monitor", "a right was taken away: GRANT OPTION for INSERT of pg_monitor"),
    ("REVOKE ALL ON app.log FROM postgres", " of postgres by postgres"),
    ("ALTER SCHEMA app RENAME TO other", "schema app: name changed"),
    ("ALTER TABLE app.heir NO INHERIT app.log", "inheritance app.heir: is gone"),
    ("DROP STATISTICS app.together", "statistics object together: is gone"),
    ("DROP OPERATOR app.@@ (int, int)", "operator app.@@(integer,integer): is gone"),
    ("ALTER TABLE app.log SET (fillfactor = 50)", "options changed"),
    ("ALTER TABLE app.log REPLICA IDENTITY FULL", "replica identity changed"),
    ("SET LOCAL track_counts = off; DELETE FROM app.child", "track_counts is off"),
];

/// Statements that only add, or touch nothing of what was there.
pub const ADDITIONS: &[&str] = &[
    "SELECT 1",
    "CREATE TABLE app.fresh (id int PRIMARY KEY REFERENCES app.parent (id)); INSERT INTO app.fresh VALUES (1);
     UPDATE app.fresh SET id = 2; DELETE FROM app.fresh; TRUNCATE app.fresh; DROP TABLE app.fresh",
    "ALTER TABLE app.child ADD COLUMN old boolean NOT NULL DEFAULT true, ADD COLUMN note text",
    "ALTER TABLE app.parent ALTER note SET DEFAULT 'y', ALTER size SET DEFAULT 3",
    "ALTER TABLE app.parent ADD CONSTRAINT more CHECK (id > 0) NOT VALID",
    "ALTER TABLE app.parent VALIDATE CONSTRAINT later",
    "INSERT INTO app.parent VALUES (3, 'three', 3); INSERT INTO app.log (what) VALUES ('x')",
    "CREATE UNIQUE INDEX ON app.parent (note)",
    "CREATE FUNCTION app.plus(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a + 1'",
    "CREATE TRIGGER more BEFORE DELETE ON app.parent FOR EACH ROW EXECUTE FUNCTION app.touch();
     ALTER TABLE app.parent ENABLE ALWAYS TRIGGER more, ENABLE ALWAYS TRIGGER touch",
    "CREATE VIEW app.other AS SELECT * FROM app.seen",
    "GRANT INSERT ON app.parent TO PUBLIC; GRANT ALL ON app.child TO pg_monitor WITH GRANT OPTION",
    "COMMENT ON TABLE app.parent IS 'mine'; COMMENT ON COLUMN app.parent.id IS 'key'",
    "ALTER TYPE app.mood ADD VALUE 'ugly'",
    "SELECT nextval('app.numbers')",
    "SELECT FROM app.parent FOR UPDATE",
    "CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1); UPDATE t SET a = 2; DELETE FROM t",
    "ANALYZE app.parent",
];

/// The same for objects of the registry, after all migrations.
#[rustfmt::skip]
pub const OWN_LOSSES: &[(&str, &str)] = &[
    ("DROP TRIGGER extension_version_immutable ON extension_version", "trigger extension_version.extension_version_immutable: is gone"),
    ("ALTER TABLE extension_version DISABLE TRIGGER extension_version_immutable", "it is disabled, or fires less"),
    ("DROP TRIGGER extension_version_immutable ON extension_version;
      CREATE TRIGGER extension_version_immutable BEFORE UPDATE OR DELETE ON extension_version
          FOR EACH ROW EXECUTE FUNCTION extension_version_immutable()", "it is disabled, or fires less"),
    ("DROP TRIGGER extension_registry_identity_immutable_stored ON extension_registry;
      CREATE TRIGGER extension_registry_identity_immutable_stored AFTER UPDATE ON extension_registry
          FOR EACH ROW EXECUTE FUNCTION extension_registry_identity_immutable();
      ALTER TABLE extension_registry ENABLE ALWAYS TRIGGER extension_registry_identity_immutable_stored",
        "constraint extension_registry.extension_registry_identity_immutable_stored: is gone"),
    ("DROP TRIGGER extension_registry_identity_immutable_stored ON extension_registry;
      CREATE CONSTRAINT TRIGGER extension_registry_identity_immutable_stored AFTER UPDATE ON extension_version
          FOR EACH ROW EXECUTE FUNCTION extension_registry_identity_immutable();
      ALTER TABLE extension_version ENABLE ALWAYS TRIGGER extension_registry_identity_immutable_stored", "is gone"),
    ("CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE OR REPLACE TRIGGER extension_registry_identity_immutable BEFORE UPDATE ON extension_registry
          FOR EACH ROW EXECUTE FUNCTION theirs();
      ALTER TABLE extension_registry ENABLE ALWAYS TRIGGER extension_registry_identity_immutable",
        "it is disabled, or fires less"),
    ("ALTER TABLE extension_version DROP COLUMN ui", "column extension_version.ui: name changed"),
    ("ALTER TABLE extension_version ALTER created_at DROP DEFAULT", "default extension_version.created_at: is gone"),
    ("ALTER TABLE extension_bundle DROP CONSTRAINT extension_bundle_content_hash_check", "is gone"),
    ("ALTER TABLE extension_bundle ALTER signature TYPE varchar(100)", "type changed: text → character varying"),
    ("ALTER TABLE tenant_extension_install OWNER TO pg_monitor", "owner changed"),
    ("ALTER FUNCTION extension_version_immutable() OWNER TO pg_monitor", "owner changed"),
    ("REVOKE SELECT ON extension_version FROM postgres", "a right was taken away"),
    ("DROP INDEX extension_version_release_idx", "index public.extension_version_release_idx: is gone"),
    ("TRUNCATE tenant_extension_install", "storage"),
    ("DELETE FROM ext_registry_schema_history WHERE version = 3", "table public.ext_registry_schema_history: 0 rows updated, 1 rows deleted"),
    ("SELECT lo_create(4711); SELECT lo_put(4711, 0, 'x'); SELECT lo_put(4711, 0, 'y')", "table pg_catalog.pg_largeobject"),
    ("CREATE OR REPLACE FUNCTION pg_catalog.pg_sleep_for(interval) RETURNS void LANGUAGE sql VOLATILE STRICT PARALLEL SAFE AS 'SELECT'", "it is the server's own"),
    ("DROP EXTENSION ext_registry", "extension ext_registry: is gone"),
    ("DROP TABLE extension_log_tile", "table public.extension_log_tile: is gone"),
];

/// What a migration does to them.
pub const OWN_ADDITIONS: &[&str] = &[
    "DROP TRIGGER extension_version_immutable ON extension_version;
     CREATE TRIGGER extension_version_immutable BEFORE UPDATE OR DELETE ON extension_version
         FOR EACH ROW EXECUTE FUNCTION extension_version_immutable();
     ALTER TABLE extension_version ENABLE ALWAYS TRIGGER extension_version_immutable",
    "DROP TRIGGER extension_registry_identity_immutable_stored ON extension_registry;
     CREATE CONSTRAINT TRIGGER extension_registry_identity_immutable_stored AFTER UPDATE ON extension_registry
         FOR EACH ROW EXECUTE FUNCTION extension_registry_identity_immutable();
     ALTER TABLE extension_registry ENABLE ALWAYS TRIGGER extension_registry_identity_immutable_stored",
    "CREATE OR REPLACE FUNCTION extension_version_immutable() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "ALTER TABLE extension_version ADD COLUMN more text; CREATE INDEX ON extension_version (more);
     ALTER TABLE extension_version ALTER created_at SET DEFAULT now()",
    "DO $$ BEGIN ALTER TABLE extension_bundle ADD CONSTRAINT more CHECK (true) NOT VALID; EXCEPTION WHEN division_by_zero THEN NULL; END $$",
    "ALTER TABLE extension_bundle ADD FOREIGN KEY (version_id) REFERENCES extension_version (id)",
];
