//! The tenant's mark, and the table it comes from.

use ext_registry_tests::{
    Database, Published, Refusal, Server, finalize, hash, list, manifest_of, publish,
};
use postgres::Client;

/// Three versions of `acme/widget`, oldest first.
fn three(db: &Database<'_>) -> Vec<Published> {
    let mut client = db.client();
    ["1.0.0", "1.0.1", "1.0.2"]
        .iter()
        .map(|version| publish(&mut client, version))
        .collect()
}

fn install(client: &mut Client, tenant: &str, version: &Published) -> Result<u64, postgres::Error> {
    client.execute(
        "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
         VALUES (gen_random_uuid(), $1, $2, $3)",
        &[&tenant, &version.extension_id, &version.version_id],
    )
}

/// The versions that are marked for this tenant.
fn marked(client: &mut Client, published: &Published, tenant: Option<&str>) -> Vec<String> {
    list(client, published.extension_id, tenant)
        .unwrap()
        .into_iter()
        .filter(|listed| listed.installed)
        .map(|listed| listed.version)
        .collect()
}

#[test]
fn installed_is_true_on_the_tenants_row_only() {
    let db = Server::shared().migrated_database();
    let versions = three(&db);
    let mut client = db.client();
    install(&mut client, "t", &versions[1]).unwrap();
    let listed = list(&mut client, versions[0].extension_id, Some("t")).unwrap();
    let marks: Vec<_> = listed
        .iter()
        .map(|listed| (listed.version.as_str(), listed.installed))
        .collect();
    assert_eq!(marks, [("1.0.2", false), ("1.0.1", true), ("1.0.0", false)]);
}

#[test]
fn without_tenant_or_install_nothing_is_marked() {
    let db = Server::shared().migrated_database();
    let versions = three(&db);
    let mut client = db.client();
    assert!(marked(&mut client, &versions[0], Some("t")).is_empty());
    install(&mut client, "t", &versions[1]).unwrap();
    install(&mut client, "", &versions[2]).unwrap();
    assert!(marked(&mut client, &versions[0], None).is_empty());
    assert_eq!(marked(&mut client, &versions[0], Some("")), ["1.0.2"]);
    // Never NULL, either.
    let row = client
        .query_one(
            "SELECT bool_and(installed IS NOT NULL) FROM ext_list_versions($1, 'nobody')",
            &[&versions[0].extension_id],
        )
        .unwrap();
    assert!(row.get::<_, bool>(0));
}

#[test]
fn another_tenants_install_does_not_show() {
    let db = Server::shared().migrated_database();
    let versions = three(&db);
    let mut client = db.client();
    install(&mut client, "t", &versions[0]).unwrap();
    install(&mut client, "u", &versions[2]).unwrap();
    install(&mut client, "T", &versions[1]).unwrap();
    for (tenant, expected) in [
        ("t", vec!["1.0.0"]),
        ("u", vec!["1.0.2"]),
        ("T", vec!["1.0.1"]),
        ("t ", vec![]),
        ("%", vec![]),
        ("t' OR true --", vec![]),
    ] {
        assert_eq!(
            marked(&mut client, &versions[0], Some(tenant)),
            expected,
            "{tenant}"
        );
    }
}

#[test]
fn an_install_of_another_extension_does_not_show() {
    let db = Server::shared().migrated_database();
    let versions = three(&db);
    let mut client = db.client();
    let gadget = finalize(&mut client, &manifest_of("gadget", "1.0.0"), &hash(0)).unwrap();
    install(&mut client, "t", &gadget).unwrap();
    assert!(marked(&mut client, &versions[0], Some("t")).is_empty());
    assert_eq!(marked(&mut client, &gadget, Some("t")), ["1.0.0"]);
}

#[test]
fn the_mark_does_not_depend_on_status_or_is_enabled() {
    let db = Server::shared().migrated_database();
    let versions = three(&db);
    let mut client = db.client();
    install(&mut client, "t", &versions[0]).unwrap();
    for status in ["enabled", "disabled", "pending"] {
        for is_enabled in [true, false] {
            client
                .execute(
                    "UPDATE tenant_extension_install SET status = $1, is_enabled = $2",
                    &[&status, &is_enabled],
                )
                .unwrap();
            assert_eq!(marked(&mut client, &versions[0], Some("t")), ["1.0.0"]);
        }
    }
}

#[test]
fn the_tenant_may_differ_from_row_to_row() {
    let db = Server::shared().migrated_database();
    let versions = three(&db);
    let mut client = db.client();
    install(&mut client, "t", &versions[0]).unwrap();
    install(&mut client, "u", &versions[2]).unwrap();
    let rows = client
        .query(
            "SELECT tenant, l.version FROM unnest(ARRAY['t', 'u', 'v']) tenant,
                 ext_list_versions($1, tenant) l WHERE l.installed ORDER BY 1",
            &[&versions[0].extension_id],
        )
        .unwrap();
    let marks: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(
        marks,
        [
            ("t".to_owned(), "1.0.0".to_owned()),
            ("u".to_owned(), "1.0.2".to_owned())
        ]
    );
}

#[test]
fn install_update_and_uninstall_work_as_before_the_guards() {
    let db = Server::shared().migrated_database();
    let versions = three(&db);
    let mut client = db.client();
    install(&mut client, "t", &versions[0]).unwrap();
    install(&mut client, "u", &versions[0]).unwrap();
    let row = client
        .query_one(
            "SELECT status, is_enabled, granted_caps::text, config::text, created_at IS NOT NULL, updated_at IS NOT NULL
             FROM tenant_extension_install WHERE tenant_id = 't'",
            &[],
        )
        .unwrap();
    assert_eq!(
        (
            row.get(0),
            row.get(1),
            row.get(2),
            row.get(3),
            row.get(4),
            row.get(5)
        ),
        (
            "enabled".to_owned(),
            true,
            "[]".to_owned(),
            "{}".to_owned(),
            true,
            true
        )
    );

    // One install of an extension per tenant: another one is an update.
    install(&mut client, "t", &versions[1])
        .refused()
        .with_sqlstate("23505")
        .with_constraint("tenant_extension_install_tenant_id_registry_id_unique");
    let updated = client
        .execute(
            "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
             VALUES (gen_random_uuid(), 't', $1, $2)
             ON CONFLICT (tenant_id, registry_id) DO UPDATE SET version_id = excluded.version_id, updated_at = now()",
            &[&versions[2].extension_id, &versions[2].version_id],
        )
        .unwrap();
    assert_eq!(updated, 1);
    assert_eq!(marked(&mut client, &versions[0], Some("t")), ["1.0.2"]);
    client
        .execute(
            r#"UPDATE tenant_extension_install
               SET version_id = $1, status = 'disabled', is_enabled = false, config = '{"a": 1}', granted_caps = '["net"]'
               WHERE tenant_id = 't'"#,
            &[&versions[1].version_id],
        )
        .unwrap();
    assert_eq!(marked(&mut client, &versions[0], Some("t")), ["1.0.1"]);
    client
        .execute("UPDATE tenant_extension_install SET status = 'broken'", &[])
        .refused()
        .with_sqlstate("23514")
        .with_constraint("tenant_extension_install_status_chk");

    let removed = client
        .execute(
            "DELETE FROM tenant_extension_install WHERE tenant_id = 't'",
            &[],
        )
        .unwrap();
    assert_eq!(removed, 1);
    assert!(marked(&mut client, &versions[0], Some("t")).is_empty());
    assert_eq!(marked(&mut client, &versions[0], Some("u")), ["1.0.0"]);
    client
        .batch_execute("TRUNCATE tenant_extension_install")
        .unwrap();
    assert!(marked(&mut client, &versions[0], Some("u")).is_empty());
}

#[test]
fn an_install_refers_to_what_exists() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut unknown = three(&db).remove(0);
    unknown.version_id = uuid::Uuid::from_u128(1);
    install(&mut client, "t", &unknown)
        .refused()
        .with_sqlstate("23503")
        .with_constraint("tenant_extension_install_version_id_fkey");
}
