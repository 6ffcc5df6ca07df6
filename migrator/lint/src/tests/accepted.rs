//! What is on the list.

/// Statement (or several), classes of the last one, its lock.
#[rustfmt::skip]
pub const ACCEPTED: &[(&str, &[&str], &str)] = &[
    ("CREATE SCHEMA IF NOT EXISTS x", &["create schema"], "none"),
    ("CREATE TABLE s.t (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int NOT NULL CHECK (n > 0), UNIQUE (n))",
        &["create table"], "none"),
    ("CREATE TABLE IF NOT EXISTS s.t (id int)", &["create table"], "none"),
    ("CREATE TABLE s.t (id int GENERATED ALWAYS AS IDENTITY, b int GENERATED ALWAYS AS (id + 1) STORED)",
        &["create table"], "none"),
    ("CREATE TABLE s.t (id int REFERENCES s.base (id))",
        &["create table", "foreign key of a new table"], "SHARE ROW EXCLUSIVE"),
    ("CREATE TABLE s.p (id int PRIMARY KEY); CREATE TABLE s.c (id int REFERENCES s.p (id))", &["create table"], "none"),
    ("create/* in */table s.t -- and out\n(a int)", &["create table"], "none"),
    ("ALTER TABLE s.base ADD COLUMN a int", &["add column"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ADD a varchar(255) COLLATE \"C\"", &["add column"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ADD COLUMN IF NOT EXISTS a boolean NOT NULL DEFAULT true, ADD b jsonb DEFAULT '{}'::jsonb",
        &["add column"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ADD a int NOT NULL DEFAULT -1", &["add column"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ADD a text[] NOT NULL DEFAULT '{}'", &["add column"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ADD a int NULL DEFAULT NULL", &["add column"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ALTER note SET DEFAULT 'x'", &["set default"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ALTER COLUMN id SET DEFAULT s.pure(1)", &["set default"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ADD CONSTRAINT c CHECK (id > 0) NOT VALID", &["add check not valid"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES s.other (id) NOT VALID",
        &["add foreign key not valid"], "SHARE ROW EXCLUSIVE"),
    ("ALTER TABLE s.base ADD b int, ADD CONSTRAINT c CHECK (b > 0) NOT VALID",
        &["add column", "add check not valid"], "ACCESS EXCLUSIVE"),
    ("ALTER TABLE s.base VALIDATE CONSTRAINT c", &["validate constraint"], "SHARE UPDATE EXCLUSIVE"),
    ("CREATE TABLE s.t (a int); ALTER TABLE s.t ADD CONSTRAINT u UNIQUE (a)", &["add constraint to new table"], "none"),
    ("CREATE TABLE s.t (a int); ALTER TABLE s.t ADD b int", &["add column"], "none"),
    ("CREATE TABLE s.t (a int); CREATE INDEX i ON s.t (a)", &["create index on new table"], "none"),
    ("CREATE TABLE s.t (a int); CREATE UNIQUE INDEX ON s.t (lower(a::text)) WHERE a > 0",
        &["create index on new table"], "none"),
    ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s.base (id)", &["create index concurrently"], "SHARE UPDATE EXCLUSIVE"),
    ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.base (id) INCLUDE (note) WHERE note IS NOT NULL",
        &["create index concurrently"], "SHARE UPDATE EXCLUSIVE"),
    ("CREATE VIEW s.v AS WITH a AS (SELECT 1 AS one) SELECT count(*) FROM s.base b JOIN a ON a.one = b.id",
        &["create view"], "ACCESS SHARE"),
    ("CREATE FUNCTION s.f(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT a + b'",
        &["create function"], "none"),
    ("CREATE FUNCTION s.f() RETURNS int RETURN 1", &["create function"], "none"),
    ("CREATE FUNCTION s.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM s.base; END",
        &["create function"], "none"),
    ("CREATE FUNCTION s.f() RETURNS void LANGUAGE sql AS 'INSERT INTO s.base (id) VALUES (1) ON CONFLICT DO NOTHING'",
        &["create function"], "none"),
    ("CREATE FUNCTION s.f(a int) RETURNS SETOF int LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN
        FOR r IN SELECT id FROM s.base WHERE id > a LOOP RETURN NEXT r.id; END LOOP;
        RETURN QUERY SELECT id FROM s.base; EXCEPTION WHEN division_by_zero THEN RAISE; END $$",
        &["create function"], "none"),
    ("CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE execution int := 1; BEGIN NEW.note := 'EXECUTE'; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END; $$",
        &["create function"], "none"),
    ("CREATE FUNCTION s.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
      REVOKE ALL ON FUNCTION s.f() FROM PUBLIC", &["revoke on new object"], "none"),
    ("CREATE FUNCTION s.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_temp AS 'SELECT 1';
      REVOKE ALL ON FUNCTION s.f() FROM PUBLIC;
      CREATE OR REPLACE FUNCTION s.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_temp AS 'SELECT 2'",
        &["replace own function"], "none"),
    ("CREATE OR REPLACE FUNCTION s.guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
        &["replace own function"], "none"),
    ("CREATE TRIGGER t AFTER UPDATE OF note ON s.base FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note)
      EXECUTE FUNCTION s.guard()", &["create trigger"], "SHARE ROW EXCLUSIVE"),
    ("CREATE TRIGGER t BEFORE TRUNCATE ON s.base EXECUTE FUNCTION s.guard()", &["create trigger"], "SHARE ROW EXCLUSIVE"),
    ("CREATE TRIGGER other BEFORE DELETE ON s.base FOR EACH ROW EXECUTE FUNCTION s.guard();
      ALTER TABLE s.base ADD a int; DROP TRIGGER guard ON s.base;
      CREATE CONSTRAINT TRIGGER guard AFTER UPDATE ON s.base FOR EACH ROW EXECUTE FUNCTION s.guard();
      ALTER TABLE s.base ENABLE ALWAYS TRIGGER guard", &["enable always trigger"], "SHARE ROW EXCLUSIVE"),
    ("ALTER TABLE s.base ENABLE ALWAYS TRIGGER guard", &["enable always trigger"], "SHARE ROW EXCLUSIVE"),
    ("COMMENT ON TABLE s.base IS 'x'", &["comment on table"], "SHARE UPDATE EXCLUSIVE"),
    ("COMMENT ON COLUMN s.base.id IS 'x'", &["comment on table"], "SHARE UPDATE EXCLUSIVE"),
    ("COMMENT ON CONSTRAINT c ON s.base IS 'x'", &["comment on table"], "SHARE UPDATE EXCLUSIVE"),
    ("COMMENT ON FUNCTION s.guard() IS 'DROP TABLE s.base'", &["comment"], "none"),
    ("GRANT SELECT, INSERT ON s.base TO app, \"Other\"", &["grant"], "none"),
    ("GRANT SELECT (id) ON s.base TO app", &["grant"], "none"),
    ("GRANT EXECUTE ON FUNCTION s.guard() TO app", &["grant"], "none"),
    ("GRANT USAGE ON SCHEMA s TO app", &["grant"], "none"),
];
