//! What sealing and auditing cost: memory that does not grow with the registry, and time beside plain COPY.

use std::process::Command;
use std::time::Instant;

use ext_registry_tests::{ext_migrate, soak_size};
use serde_json::Value;

use crate::world::{World, names};

/// In kB of address space, for a debug build: less than half of what the rows alone take at full size.
const LIMIT: u64 = 400_000;

#[test]
fn an_audit_takes_bounded_memory_and_says_its_rate() {
    let versions = i32::try_from(soak_size("AUDIT_VERSIONS", 33_000, 1_000_000)).unwrap();
    let world = World::empty();
    world
        .db
        .client()
        .execute(
            "WITH entry AS (
                 INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')
                 RETURNING id
             ), versions AS (
                 INSERT INTO extension_version
                     (id, registry_id, version, runtime, main_entry, api, api_endpoints, capabilities)
                 SELECT gen_random_uuid(), entry.id, n || '.0.0', 'node@20', 'index.html',
                     jsonb_build_object('description', repeat('x', 500)), '[]', '[]'
                 FROM entry, generate_series(1, $1::int) n
                 RETURNING id, version
             )
             INSERT INTO extension_bundle (id, version_id, content_hash)
             SELECT gen_random_uuid(), id, 'sha256:' || encode(sha256(version::bytea), 'hex') FROM versions",
            &[&versions],
        )
        .unwrap();
    world.db.client().batch_execute("VACUUM ANALYZE").unwrap();
    let start = Instant::now();
    let sealed = world.seal(&[]);
    let sealing = start.elapsed();
    assert_eq!(sealed["tree_size"], 2 * versions);
    let output = Command::new("prlimit")
        .arg(format!("--as={}", LIMIT * 1024))
        .arg(ext_migrate().get_program())
        .args(["audit", "--compare", "--format", "json"])
        .args(["--database-url", &world.db.url()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["tree_size"], 2 * versions);
    println!(
        "{} leaves: sealed in {sealing:.1?}; audited {} rows a second, COPY {}",
        2 * versions,
        report["rows_per_second"],
        report["copy_rows_per_second"]
    );
    assert_level_1_is_guarded(&world);
}

/// Over 65 536 leaves there is a full tile on the second level.
fn assert_level_1_is_guarded(world: &World) {
    world.attack(
        "UPDATE extension_log_tile SET hashes = set_byte(hashes, 100, 1 # get_byte(hashes, 100)) WHERE level = 1",
    );
    let found = names(&world.audit(&[]).exited(9));
    assert_eq!(found, ["TILE_CHANGED"]);
    let row = world
        .db
        .client()
        .query_one("SELECT array_agg(finding) FROM ext_verify_log()", &[])
        .unwrap();
    assert_eq!(row.get::<_, Vec<String>>(0), found);
}
