//! Row-level security on the installs keeps the tenants' marks apart.

use ext_registry_tests::{Database, Published, Refusal, Server, list, publish};
use postgres::Client;

/// Two tenants have installed another version each; a policy shows each reader its tenant's rows only.
fn with_policy() -> (Database<'static>, String, Vec<Published>) {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let versions: Vec<Published> = ["1.0.0", "1.0.1"]
        .iter()
        .map(|version| publish(&mut client, version))
        .collect();
    for (tenant, version) in ["t", "u"].iter().zip(&versions) {
        client
            .execute(
                "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
                 VALUES (gen_random_uuid(), $1, $2, $3)",
                &[tenant, &version.extension_id, &version.version_id],
            )
            .unwrap();
    }
    let reader = db.create_role("reader");
    client
        .batch_execute(&format!(
            "ALTER TABLE tenant_extension_install ENABLE ROW LEVEL SECURITY;
             CREATE POLICY own_tenant ON tenant_extension_install
                 USING (tenant_id = current_setting('app.tenant', true));
             GRANT EXECUTE ON FUNCTION ext_list_versions, ext_extension_id TO {reader};
             GRANT SELECT ON extension_registry, extension_version, extension_bundle TO {reader};
             GRANT SELECT (tenant_id, registry_id, version_id) ON tenant_extension_install TO {reader}"
        ))
        .unwrap();
    (db, reader, versions)
}

fn marked(client: &mut Client, version: &Published, tenant: Option<&str>) -> Vec<String> {
    let listed = list(client, version.extension_id, tenant).unwrap();
    assert_eq!(listed.len(), 2, "versions are for everybody");
    listed
        .into_iter()
        .filter(|listed| listed.installed)
        .map(|listed| listed.version)
        .collect()
}

#[test]
fn a_role_without_rights_gets_42501_and_with_rights_gets_rows() {
    let (db, reader, versions) = with_policy();
    let stranger = db.create_role("stranger");
    list(&mut db.client_as(&stranger), versions[0].extension_id, None)
        .refused()
        .with_sqlstate("42501");
    assert!(marked(&mut db.client_as(&reader), &versions[0], None).is_empty());
}

#[test]
fn under_a_policy_a_reader_sees_its_tenants_mark_only() {
    let (db, reader, versions) = with_policy();
    let mut client = db.client_as(&reader);
    // No tenant set: no mark, whichever is asked for.
    for tenant in [Some("t"), Some("u"), None] {
        assert!(marked(&mut client, &versions[0], tenant).is_empty());
    }
    for (own, version) in [("t", "1.0.0"), ("u", "1.0.1")] {
        client
            .execute("SELECT set_config('app.tenant', $1, false)", &[&own])
            .unwrap();
        assert_eq!(marked(&mut client, &versions[0], Some(own)), [version]);
        let other = if own == "t" { "u" } else { "t" };
        assert!(marked(&mut client, &versions[0], Some(other)).is_empty());
        assert!(marked(&mut client, &versions[0], None).is_empty());
    }
}

#[test]
fn a_prepared_list_follows_the_role_that_runs_it() {
    let (db, reader, versions) = with_policy();
    let mut client = db.client();
    client
        .batch_execute(&format!(
            "PREPARE marks AS SELECT count(*) FROM ext_list_versions('{}', 'u') WHERE installed;
             SET app.tenant = 't'",
            versions[0].extension_id
        ))
        .unwrap();
    let mut marks = |role: &str| -> i64 {
        client.batch_execute(role).unwrap();
        client.query_one("EXECUTE marks", &[]).unwrap().get(0)
    };
    assert_eq!(marks("RESET ROLE"), 1, "a superuser sees everything");
    assert_eq!(marks(&format!("SET ROLE {reader}")), 0);
    assert_eq!(marks("RESET ROLE"), 1);
}
