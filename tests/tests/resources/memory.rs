//! Memory does not grow with the number of calls: neither Postgres' contexts nor the heap beside them, where leaked
//! Rust values and plans would show. `make soak` makes a million calls of each kind.

use std::fs;
use std::time::Instant;

use ext_registry_tests::{Database, Server, backend_pid, hash, soak_size};
use postgres::Client;

/// What caches and the allocator may add after the warm-up, whatever the number of calls.
const CONTEXTS_MAY_GROW: i64 = 256 << 10;
const HEAP_MAY_GROW: i64 = 2 << 20;

/// Calls the body of a PL/pgSQL loop so often, with `i` as the number.
fn loop_of(body: &str, first: usize, count: usize) -> String {
    format!(
        "DO $block$
         DECLARE
             i integer;
             refused integer := 0;
             manifest jsonb := '{{\"publisher\": \"acme\", \"name\": \"widget\", \"runtime\": \"node@20\"}}';
             hash text := '{hash}';
         BEGIN
             FOR i IN {first}..{last} LOOP
                 {body}
             END LOOP;
         END
         $block$",
        hash = hash(1),
        last = first + count - 1,
    )
}

/// A body that is expected to be refused with this SQLSTATE each time, in a subtransaction.
fn refused(call: &str, condition: &str) -> String {
    format!(
        "BEGIN
             {call};
             RAISE EXCEPTION 'not refused';
         EXCEPTION WHEN {condition} THEN
             refused := refused + 1;
         END;"
    )
}

#[derive(Clone, Copy)]
struct Memory {
    /// Bytes in all contexts of the backend.
    contexts: i64,
    /// Private bytes of its process.
    heap: i64,
}

impl Memory {
    fn of(client: &mut Client, pid: i32) -> Self {
        let row = client
            .query_one(
                "SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts",
                &[],
            )
            .unwrap();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .unwrap();
        let kilobytes: i64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        Self {
            contexts: row.get(0),
            heap: kilobytes << 10,
        }
    }
}

/// Measures before and after `calls` calls; a tenth as many before that fill the caches.
fn assert_bounded(
    what: &str,
    db: &Database<'_>,
    calls: usize,
    mut work: impl FnMut(&mut Client, usize, usize),
) {
    let mut client = db.client();
    let pid = backend_pid(&mut client);
    let warm_up = (calls / 10).clamp(1_000, 20_000);
    work(&mut client, 0, warm_up);
    Memory::of(&mut client, pid);
    let before = Memory::of(&mut client, pid);
    let started = Instant::now();
    work(&mut client, warm_up, calls);
    let seconds = started.elapsed().as_secs_f64();
    let after = Memory::of(&mut client, pid);
    println!(
        "memory: {calls} {what} in {seconds:.1} s: contexts {} -> {} kB, heap {} -> {} kB",
        before.contexts >> 10,
        after.contexts >> 10,
        before.heap >> 10,
        after.heap >> 10,
    );
    let contexts = after.contexts - before.contexts;
    let heap = after.heap - before.heap;
    assert!(
        contexts <= CONTEXTS_MAY_GROW,
        "{what}: contexts grew by {contexts} bytes"
    );
    assert!(heap <= HEAP_MAY_GROW, "{what}: heap grew by {heap} bytes");
}

fn calls() -> usize {
    soak_size("CALLS", 20_000, 1_000_000)
}

/// The same with all calls in one transaction, warm-up included.
fn assert_bounded_in_one_transaction(what: &str, calls: usize, body: &str) {
    let db = Server::shared().migrated_database();
    let what = format!("{what} in one transaction");
    let mut begun = false;
    assert_bounded(&what, &db, calls, |client, first, count| {
        if !std::mem::replace(&mut begun, true) {
            client.batch_execute("BEGIN").unwrap();
        }
        client.batch_execute(&loop_of(body, first, count)).unwrap();
    });
}

#[test]
fn publishes_in_one_transaction() {
    let body = "PERFORM FROM ext_finalize_version(
                    manifest || jsonb_build_object('version', '1.0.' || i), hash, 'signed', 'https://x', 7);";
    assert_bounded_in_one_transaction("publishes", calls(), body);
}

#[test]
fn publishes_in_one_backend() {
    let db = Server::shared().migrated_database();
    let mut statement = None;
    let body = "PERFORM FROM ext_finalize_version(manifest || jsonb_build_object('version', '1.0.' || i), hash);
                COMMIT;";
    assert_bounded(
        "publishes in one backend",
        &db,
        calls(),
        |client, first, count| {
            client.batch_execute(&loop_of(body, first, count)).unwrap();
            // Some of them over the wire, as clients send them.
            let statement = statement.get_or_insert_with(|| {
            client
                .prepare(
                    "SELECT version FROM ext_finalize_version(jsonb_build_object(
                         'publisher', 'acme', 'name', 'widget', 'runtime', 'node@20', 'version', $1::text), $2)",
                )
                .unwrap()
        });
            for number in first..first + count / 20 {
                client
                    .query_one(statement, &[&format!("2.0.{number}"), &hash(number)])
                    .unwrap();
            }
        },
    );
}

#[test]
fn wildcards_in_one_transaction() {
    let body = "PERFORM FROM ext_finalize_bundle(manifest || '{\"version\": \"1.0.*\"}', decode(repeat('ab', 2000), 'hex'));";
    assert_bounded_in_one_transaction("wildcard publishes of bundles", calls() / 4, body);
}

#[test]
fn duplicates_in_one_transaction() {
    let call = "PERFORM FROM ext_finalize_version(manifest || '{\"version\": \"1.0.0\"}', hash)";
    // The first one is published, outside the handler that would undo it.
    let body = format!(
        "IF i = 0 THEN
             {call};
         END IF;
         {}",
        refused(call, "unique_violation")
    );
    assert_bounded_in_one_transaction("duplicates caught", calls() / 2, &body);
}

#[test]
fn duplicates_in_one_backend() {
    let db = Server::shared().migrated_database();
    // Nobody catches them in the server.
    assert_bounded(
        "duplicates in one backend",
        &db,
        calls() / 20,
        |client, _, count| {
            for _ in 0..count {
                let call = "SELECT ext_finalize_version('{\"publisher\": \"acme\", \"name\": \"widget\", \"runtime\": \"node@20\",
                        \"version\": \"1.0.0\"}', repeat('ab', 32))";
                // The first one of all publishes.
                let _ = client.batch_execute(call);
            }
        },
    );
}

#[test]
fn invalid_arguments_in_one_transaction() {
    let call = "CASE i % 4
                    WHEN 0 THEN
                        PERFORM FROM ext_finalize_version(
                            manifest || '{\"version\": \"1\", \"what\": 1, \"assets\": [\"../a\", 2]}', hash);
                    WHEN 1 THEN
                        PERFORM FROM ext_finalize_version(manifest || '{\"version\": \"1.0.0\"}', 'no hash');
                    WHEN 2 THEN
                        PERFORM FROM ext_finalize_version(manifest || '{\"version\": \"1.0.0\"}', hash, size_bytes => -1);
                    ELSE
                        PERFORM FROM ext_finalize_bundle(manifest || '{\"version\": \"1.0.0\"}', 'content', hash);
                END CASE";
    let body = refused(call, "invalid_parameter_value");
    assert_bounded_in_one_transaction("invalid calls caught", calls() / 2, &body);
}

#[test]
fn lists_in_one_backend() {
    let db = Server::shared().migrated_database();
    let body =
        "PERFORM FROM ext_list_versions(ext_extension_id('acme', 'widget'), 'tenant') LIMIT 3;";
    let publishes = "PERFORM FROM ext_finalize_version(manifest || jsonb_build_object('version', '1.0.' || i), hash);";
    db.client()
        .batch_execute(&loop_of(publishes, 0, 20))
        .unwrap();
    assert_bounded("lists", &db, calls(), |client, first, count| {
        client.batch_execute(&loop_of(body, first, count)).unwrap();
    });
}
