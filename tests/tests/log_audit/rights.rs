//! Sealers and auditors have the rights that they need, and no others.

use ext_registry_tests::{Refusal, ext_migrate};

use crate::world::World;

#[test]
fn a_sealer_seals_and_signs_and_touches_no_version() {
    let world = World::empty();
    world.publish(1, 2);
    let role = world.db.create_role("sealer");
    world
        .db
        .ext_migrate(&["grant", "--sealer", &role])
        .succeeded();
    let key = world.folder.path("log.pem");
    for version in [10, 11] {
        let output = ext_migrate()
            .args([
                "seal",
                "--key",
                &key,
                "--database-url",
                &world.db.url_as(&role),
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        world.publish(version, 1);
    }
    let mut client = world.db.client_as(&role);
    for table in [
        "extension_version",
        "extension_bundle",
        "extension_log_leaf",
    ] {
        client
            .query(&format!("SELECT FROM {table}"), &[])
            .refused()
            .with_sqlstate("42501");
    }
    client
        .execute("DELETE FROM extension_log_signature", &[])
        .refused()
        .with_sqlstate("42501");
}

#[test]
fn an_auditor_reads_all_but_installs_and_writes_nothing() {
    let world = World::sealed();
    let role = world.db.create_role("auditor");
    let run = |arguments: &[&str]| {
        ext_migrate()
            .args(arguments)
            .args(["--database-url", &world.db.url_as(&role)])
            .output()
            .unwrap()
    };
    assert_eq!(run(&["audit"]).status.code(), Some(1));
    world
        .db
        .ext_migrate(&["grant", "--auditor", &role])
        .succeeded();
    let kept = world.folder.path("kept");
    let outcome = run(&["audit", "--checkpoint", &kept]);
    assert!(outcome.status.success(), "{outcome:?}");
    let outcome = run(&["export-tiles", &world.folder.path("tiles")]);
    assert!(outcome.status.success(), "{outcome:?}");
    let mut client = world.db.client_as(&role);
    assert!(
        client
            .query("SELECT * FROM ext_verify_log()", &[])
            .unwrap()
            .is_empty()
    );
    client
        .query("SELECT FROM tenant_extension_install", &[])
        .refused()
        .with_sqlstate("42501");
    client
        .query("SELECT ext_seal_log()", &[])
        .refused()
        .with_sqlstate("42501");
}

#[test]
fn a_publisher_gets_its_receipt_and_its_proof() {
    let world = World::sealed();
    let role = world.db.create_role("publisher");
    world
        .db
        .ext_migrate(&["grant", "--publisher", &role])
        .succeeded();
    let row = world
        .db
        .client_as(&role)
        .query_one(
            "SELECT (SELECT count(*) FROM ext_version_leaf(version_id)), ext_inclusion_proof(0) IS NOT NULL
             FROM ext_finalize_version(
                 '{\"publisher\": \"acme\", \"name\": \"gadget\", \"version\": \"1.0.0\", \"runtime\": \"node@20\"}',
                 repeat('a', 64))",
            &[],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (2_i64, true));
}
