//! Whoever installs the extension may call everything and grant it on, superuser or not.

use ext_registry_tests::{Database, Refusal, Server, list, publish};

/// A database that belongs to a role which is no superuser, and that role, which has installed everything.
fn installed_by_ordinary_role() -> (Database<'static>, String) {
    let db = Server::shared().empty_database();
    let installer = db.create_role("installer");
    db.client()
        .batch_execute(&format!(
            "ALTER DATABASE {} OWNER TO {installer}; ALTER SCHEMA public OWNER TO {installer}",
            db.name()
        ))
        .unwrap();
    let outcome = ext_registry_tests::ext_migrate()
        .args(["up", "--database-url", &db.url_as(&installer)])
        .output()
        .unwrap();
    assert!(outcome.status.success(), "{outcome:?}");
    (db, installer)
}

#[test]
fn the_extension_is_trusted_and_an_ordinary_role_can_install_it() {
    let (db, installer) = installed_by_ordinary_role();
    let row = db
        .client()
        .query_one(
            "SELECT (SELECT rolname::text FROM pg_roles WHERE oid = extowner), extrelocatable,
                    (SELECT count(DISTINCT relowner::regrole::text) = 1 AND min(relowner::regrole::text) = $1
                     FROM pg_class WHERE relname IN ('extension_registry', 'extension_version', 'extension_bundle',
                         'tenant_extension_install')),
                    (SELECT bool_and(proowner::regrole::text = $1) FROM pg_proc WHERE proname LIKE 'extension\\_%immutable')
             FROM pg_extension WHERE extname = 'ext_registry'",
            &[&installer],
        )
        .unwrap();
    assert_eq!(row.get::<_, String>(0), installer);
    assert!(!row.get::<_, bool>(1), "not relocatable");
    assert!(row.get::<_, bool>(2), "the tables are the installer's");
    assert!(row.get::<_, bool>(3), "the guards are the installer's");
}

#[test]
fn the_installer_publishes_and_reads() {
    let (db, installer) = installed_by_ordinary_role();
    let mut client = db.client_as(&installer);
    let published = publish(&mut client, "1.0.0");
    publish(&mut client, "1.0.*");
    client
        .execute(
            r#"SELECT FROM ext_finalize_bundle('{"publisher": "a", "name": "b", "version": "1.0.0", "runtime": "a-b"}', 'x')"#,
            &[],
        )
        .unwrap();
    assert_eq!(
        list(&mut client, published.extension_id, Some("t"))
            .unwrap()
            .len(),
        2
    );
    let row = client
        .query_one("SELECT ext_extension_id('acme', 'widget')", &[])
        .unwrap();
    assert_eq!(row.get::<_, uuid::Uuid>(0), published.extension_id);
}

#[test]
fn the_installer_grants_on_with_grant_option() {
    let (db, installer) = installed_by_ordinary_role();
    let (publisher, other) = (db.create_role("publisher"), db.create_role("other"));
    db.client_as(&installer)
        .batch_execute(&format!(
            "GRANT EXECUTE ON FUNCTION ext_finalize_version TO {publisher} WITH GRANT OPTION;
             GRANT EXECUTE ON FUNCTION ext_finalize_bundle, ext_list_versions, ext_extension_id TO {publisher}"
        ))
        .unwrap();
    publish(&mut db.client_as(&publisher), "1.0.0");
    db.client_as(&publisher)
        .batch_execute(&format!(
            "GRANT EXECUTE ON FUNCTION ext_finalize_version TO {other}"
        ))
        .unwrap();
    publish(&mut db.client_as(&other), "1.0.1");
    db.client_as(&installer)
        .batch_execute(&format!(
            "REVOKE EXECUTE ON FUNCTION ext_finalize_version FROM {publisher} CASCADE"
        ))
        .unwrap();
    for role in [&publisher, &other] {
        ext_registry_tests::finalize(
            &mut db.client_as(role),
            &ext_registry_tests::manifest("1.0.2"),
            &ext_registry_tests::hash(0),
        )
        .refused()
        .with_sqlstate("42501");
    }
}

#[test]
fn the_functions_are_not_security_definer_and_set_nothing() {
    let db = Server::shared().migrated_database();
    let rows = db
        .client()
        .query(
            "SELECT proname::text, prosecdef, proconfig IS NULL, provolatile::text
             FROM pg_proc WHERE proname LIKE 'ext\\_%' ORDER BY proname",
            &[],
        )
        .unwrap();
    let facts: Vec<(String, bool, bool, String)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    let expected = [
        ("ext_consistency_proof", "s"),
        ("ext_extension_id", "s"),
        ("ext_finalize_bundle", "v"),
        ("ext_finalize_version", "v"),
        ("ext_inclusion_proof", "s"),
        ("ext_list_versions", "s"),
        ("ext_log_checkpoint", "s"),
        ("ext_log_tile", "s"),
        ("ext_seal_log", "v"),
        ("ext_sign_checkpoint", "v"),
        ("ext_verify_log", "s"),
        ("ext_version_leaf", "s"),
    ]
    .map(|(name, volatility)| (name.to_owned(), false, true, volatility.to_owned()));
    assert_eq!(facts, expected);
}
