//! A page costs what it holds, however many versions there are.

use std::sync::OnceLock;

use ext_registry_tests::{Database, Server};
use postgres::Client;
use serde_json::Value;

/// An extension with 1 000 versions.
pub const SMALL: &str = "00000000-0000-7000-8000-00000000e001";
/// An extension with 50 000 versions.
pub const BIG: &str = "00000000-0000-7000-8000-00000000e002";

/// Some extensions, one of them with very many versions, 200 of each without publish time; 500 tenants. The commit is
/// synchronous: VACUUM marks no page as visible to all while one may be lost.
pub fn large() -> &'static Database<'static> {
    static LARGE: OnceLock<Database<'static>> = OnceLock::new();
    LARGE.get_or_init(|| {
        let db = Server::shared().migrated_database();
        db.client()
            .batch_execute(&format!(
                "SET session_replication_role = replica; -- restore: rows without publish time may be written
                 INSERT INTO extension_registry (id, publisher, name)
                 VALUES ('{SMALL}', 'acme', 'small'), ('{BIG}', 'acme', 'big');
                 INSERT INTO extension_registry (id, publisher, name)
                 SELECT gen_random_uuid(), 'other', 'ext-' || n FROM generate_series(1, 200) n;

                 CREATE TEMP TABLE versions AS
                 SELECT r.id AS registry_id, n, CASE r.name WHEN 'big' THEN 50000 WHEN 'small' THEN 1000 ELSE 20 END AS total,
                     -- Ids and times of the two large extensions have nothing to do with each other.
                     CASE WHEN r.id = '{SMALL}' THEN ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
                          ELSE gen_random_uuid() END AS id
                 FROM extension_registry r,
                     generate_series(1, CASE r.name WHEN 'big' THEN 50000 WHEN 'small' THEN 1000 ELSE 20 END) n;
                 INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at, adopted)
                 SELECT id, registry_id, '1.0.' || n, 'a-b', 'main',
                     CASE WHEN total > 20 AND n <= 200 THEN NULL
                          ELSE '2020-01-01'::timestamptz + n * interval '731 days' / total END,
                     total > 20 AND n <= 200
                 FROM versions;
                 INSERT INTO extension_bundle (id, version_id, content_hash)
                 SELECT gen_random_uuid(), id, 'sha256:' || lpad(to_hex(n), 64, '0') FROM versions;
                 INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
                 SELECT gen_random_uuid(), 'tenant-' || t, registry_id, id
                 FROM versions, generate_series(1, 500) t WHERE n = 7 AND total > 20;
                 RESET session_replication_role"
            ))
            .unwrap();
        db.client().batch_execute("VACUUM (ANALYZE)").unwrap();
        db
    })
}

/// Blocks that the statement has touched.
fn blocks(client: &mut Client, statement: &str) -> i64 {
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}");
    // Once for the caches of the session.
    client.query_one(&explain, &[]).unwrap();
    let plan: Value = client.query_one(&explain, &[]).unwrap().get(0);
    let plan = &plan[0]["Plan"];
    plan["Shared Hit Blocks"].as_i64().unwrap() + plan["Shared Read Blocks"].as_i64().unwrap()
}

fn value(client: &mut Client, query: &str) -> String {
    client.query_one(query, &[]).unwrap().get(0)
}

#[test]
fn a_page_costs_what_it_holds_however_many_versions_there_are() {
    let mut client = large().client();
    for tenant in ["", ", NULL", ", 'tenant-7'", ", 'nobody'"] {
        for condition in [
            "LIMIT 1",
            "LIMIT 20",
            "ORDER BY published_at DESC NULLS LAST, version_id DESC LIMIT 20",
            "WHERE (published_at, version_id) < ('2021-01-01', 'ffffffff-ffff-ffff-ffff-ffffffffffff') LIMIT 20",
            // Deep in the list.
            "WHERE (published_at, version_id) < (SELECT created_at, id FROM extension_version
                 WHERE registry_id = 'EXTENSION' AND version = '1.0.210') LIMIT 20",
            "WHERE published_at IS NULL LIMIT 20",
            "WHERE published_at IS NULL AND version_id < 'ffffffff-ffff-ffff-ffff-ffffffffffff' LIMIT 20",
            "WHERE version = '1.0.777'",
            "WHERE version = 'unknown'",
            "WHERE version_id = (SELECT id FROM extension_version
                 WHERE registry_id = 'EXTENSION' AND version = '1.0.500')",
        ] {
            let mut cost = |extension: &str| {
                let condition = condition.replace("EXTENSION", extension);
                blocks(
                    &mut client,
                    &format!("SELECT * FROM ext_list_versions('{extension}'{tenant}) {condition}"),
                )
            };
            let (small, big) = (cost(SMALL), cost(BIG));
            // An index of fifty times the size may be a level deeper: one block more for each look-up.
            assert!(
                big <= small * 2 + 10 && big < 200,
                "{tenant} {condition}: {small} blocks with 1 000 versions, {big} with 50 000"
            );
        }
    }
}

#[test]
fn a_page_of_a_prepared_statement_costs_no_more() {
    for mode in ["force_generic_plan", "force_custom_plan"] {
        let mut client = large().client();
        client
            .batch_execute(&format!(
                "SET plan_cache_mode = {mode};
                 PREPARE page (uuid, text, timestamptz, uuid) AS
                 SELECT * FROM ext_list_versions($1, $2) WHERE (published_at, version_id) < ($3, $4) LIMIT 20"
            ))
            .unwrap();
        let mut cost = |extension: &str| {
            let last = value(
                &mut client,
                &format!(
                    "SELECT format('%L, %L', published_at, version_id) FROM ext_list_versions('{extension}') OFFSET 500 LIMIT 1"
                ),
            );
            blocks(
                &mut client,
                &format!("EXECUTE page ('{extension}', 'tenant-7', {last})"),
            )
        };
        let (small, big) = (cost(SMALL), cost(BIG));
        assert!(big <= small * 2 + 10 && big < 200, "{mode}: {small} {big}");
    }
}
