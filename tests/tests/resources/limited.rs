//! A backend that may take little memory answers whatever it is given, and lives: where Rust finds no memory the
//! process ends, and PostgreSQL then restarts the whole server.

use std::fs;
use std::sync::{Mutex, PoisonError};

use ext_registry_tests::{Database, Refusal, Refused, Server, backend_pid, hash, publish};
use postgres::Client;

/// One after the other: together they would take all memory of the machine.
static MEMORY: Mutex<()> = Mutex::new(());

/// Calls `work` with a connection whose backend may take so many megabytes beside what it has at its start, and asserts
/// that it is the same afterwards.
fn limited<T>(db: &Database<'_>, megabytes: u64, work: impl FnOnce(&mut Client) -> T) -> T {
    let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut client = db.client();
    // The library is part of the start.
    client.batch_execute("LOAD 'ext_registry'").unwrap();
    let pid = backend_pid(&mut client);
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    let limit = pages * 4096 + (megabytes << 20);
    // Run by the backend: only the server's own user may limit it.
    client
        .batch_execute(&format!(
            "COPY (SELECT) TO PROGRAM 'cat >/dev/null; prlimit --pid={pid} --as={limit}:{limit}'"
        ))
        .unwrap();
    // PostgreSQL meets the limit.
    client
        .batch_execute(&format!(
            "SELECT octet_length(repeat('0', {megabytes} << 20))"
        ))
        .refused()
        .with_sqlstate("53200");
    let result = work(&mut client);
    assert_eq!(backend_pid(&mut client), pid);
    result
}

/// Calls finalize with a manifest that SQL makes.
fn refused(client: &mut Client, manifest: &str) -> Refused {
    client
        .batch_execute(&format!(
            "SELECT FROM ext_finalize_version({manifest}, repeat('a', 64))"
        ))
        .refused()
}

/// `{"publisher": "acme", …}` with this beside.
fn with(field: &str, value: &str) -> String {
    format!(
        r#"('{{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "node@20", "{field}":' || {value} || '}}')::jsonb"#
    )
}

#[test]
fn manifests_with_everything_wrong() {
    let db = Server::shared().migrated_database();
    limited(&db, 300, |client| {
        for manifest in [
            // An issue for each of them, or several.
            with(
                "api",
                "'{\"endpoints\": [{}' || repeat(',{}', 249999) || ']}'",
            ),
            with("capabilities", "'[1' || repeat(',1', 339999) || ']'"),
            with("assets", "'[\"..\"' || repeat(',\"..\"', 200000) || ']'"),
            with(
                "x0",
                "1 || (SELECT string_agg(',\"x' || i || '\":1', '') FROM generate_series(1, 80000) i)",
            ),
            with(
                "precompiled",
                "'{\"\":1' || (SELECT string_agg(',\"' || i || '\":1', '') FROM generate_series(1, 80000) i) || '}'",
            ),
            // Deep, in what is kept as it is and in what is read.
            with("ui", "repeat('[', 5000) || repeat(']', 5000)"),
            with("ui", "repeat('{\"a\":', 5000) || 1 || repeat('}', 5000)"),
            with(
                "capabilities",
                "'[' || repeat('[[[[[[[[[[1]]]]]]]]]],', 20000) || '1]'",
            ),
            // Long.
            with("name", "'\"' || repeat('n', 1000000) || '\"'"),
            with("version", "'\"1.0.' || repeat('1', 1000000) || '\"'"),
            with("publisher", "'\"' || repeat('\\u00e9', 500000) || '\"'"),
            with("runtime", "'\"' || repeat('\\u0001', 160000) || '\"'"),
            with("capabilities", "'[{\"' || repeat('n', 1000000) || '\":1}]'"),
            with(&"x".repeat(1_000_000), "1"),
            // Beyond the limit of a manifest.
            with("ui", "'\"' || repeat('n', 30000000) || '\"'"),
            with("capabilities", "'[1' || repeat(',1', 1000000) || ']'"),
            with("ui", "'[1e131071' || repeat(',1e131071', 100000) || ']'"),
        ] {
            let start = &manifest[..manifest.len().min(150)];
            let refused = refused(client, &manifest);
            assert_eq!(refused.sqlstate, "22023", "{start}: {refused:#?}");
            assert_eq!(refused.detail["code"], "INVALID_MANIFEST", "{start}");
        }
    });
}

/// The largest that are right.
#[test]
fn manifests_as_large_as_they_may_be() {
    let db = Server::shared().migrated_database();
    limited(&db, 600, |client| {
        for (version, manifest) in [
            // Stored otherwise than given: in upper case.
            with("api", "'{\"endpoints\": [{\"method\":\"get\",\"path\":\"/\",\"handler\":\"h\"}' || repeat(',{\"method\":\"get\",\"path\":\"/\",\"handler\":\"h\"}', 19000) || ']}'"),
            with("capabilities", "'[\"a\"' || repeat(',\"a\"', 200000) || ']'"),
            with("assets", "'[\"' || repeat('\\u00e9', 500000) || '\"]'"),
            with("precompiled", "'{\"a\":\"\"' || (SELECT string_agg(',\"' || i || '\":\"\"', '') FROM generate_series(1, 70000) i) || '}'"),
        ]
        .into_iter()
        .enumerate()
        {
            let manifest = manifest.replace("1.0.0", &format!("1.0.{version}"));
            client
                .batch_execute(&format!("SELECT FROM ext_finalize_version({manifest}, repeat('a', 64))"))
                .unwrap();
        }
        client.batch_execute("SELECT FROM ext_seal_log()").unwrap();
    });
}

/// Bundles, of which PostgreSQL itself holds one or says that it cannot.
#[test]
fn bundles_of_any_size() {
    let db = Server::shared().migrated_database();
    limited(&db, 600, |client| {
        for (megabytes, expected) in [(1, true), (200, true), (900, false)] {
            let result = client.batch_execute(&format!(
                "SELECT FROM ext_finalize_bundle(
                     '{{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"1.0.*\", \"runtime\": \"node@20\"}}',
                     convert_to(repeat('0123456789abcdef', 65536 * {megabytes}), 'UTF8'))"
            ));
            match result {
                Ok(()) => assert!(expected, "{megabytes}"),
                Err(error) => {
                    assert_eq!(
                        error.code().unwrap().code(),
                        "53200",
                        "{megabytes}: {error:?}"
                    );
                    assert!(!expected, "{megabytes}");
                }
            }
        }
    });
}

/// Rows from when signatures and URLs had no limit: one that leaves no room for a copy, and many that do not fit in
/// memory together.
#[test]
fn the_log_over_rows_of_any_size() {
    const LIMIT: u64 = 200;
    for (encoding, largest, many) in [("UTF8", 100, 64), ("LATIN1", 30, 4)] {
        let db = Server::shared().database_with(&format!(
            "TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        ));
        db.ext_migrate(&["up"]).succeeded();
        let mut client = db.client();
        let first = publish(&mut client, "0.1.0");
        let mut insert = |name: &str, count: i64, signature: &str, precompiled: &str| {
            client
                .batch_execute(&format!(
                    "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at)
                     SELECT gen_random_uuid(), registry_id, '{name}-' || i, runtime, main_entry, now()
                     FROM extension_version, generate_series(1, {count}) i
                     WHERE version = '0.1.0';
                     WITH texts AS MATERIALIZED (SELECT {signature} AS signature, {precompiled}::jsonb AS precompiled)
                     INSERT INTO extension_bundle (id, version_id, content_hash, signature, precompiled, created_at)
                     SELECT gen_random_uuid(), v.id, '{hash}', signature, precompiled, now()
                     FROM extension_version v, texts
                     WHERE v.version LIKE '{name}-%'",
                    hash = hash(1),
                ))
                .unwrap();
        };
        // Text that LATIN1 has to convert.
        let large = format!("repeat('0123456789abcd\u{e9}', {largest} * 65536)");
        insert("large", 1, &large, "NULL");
        insert(
            "many",
            many,
            "repeat('\u{e9}', 1000000)",
            "jsonb_build_object('a', repeat('0123456789abcdef', 4 * 65536))",
        );
        limited(&db, LIMIT, |client| {
            let row = client
                .query_one("SELECT tree_size FROM ext_seal_log()", &[])
                .unwrap();
            assert_eq!(row.get::<_, i64>(0), 2 * (2 + many), "{encoding}");
            let findings = client
                .query("SELECT message FROM ext_verify_log()", &[])
                .unwrap();
            assert_eq!(findings.len(), 0, "{encoding}");
            let leaves = client
                .query(
                    "SELECT FROM extension_version v, ext_version_leaf(v.id) WHERE v.version = 'large-1' OR v.id = $1",
                    &[&first.version_id],
                )
                .unwrap();
            assert_eq!(leaves.len(), 4, "{encoding}");
        });
    }
}
