//! Where tables and extension are, and what became of them.

use ext_registry_tests::{
    Database, Refusal, Refused, Server, finalize, hash, list, manifest, publish, row_counts,
};
use postgres::Client;

fn refuse(client: &mut Client, schema: &str) -> Refused {
    client
        .execute(
            &format!("SELECT FROM {schema}.ext_finalize_version($1::text::jsonb, $2)"),
            &[&manifest("1.0.0").to_string(), &hash(0)],
        )
        .refused()
}

#[test]
fn registry_not_migrated_names_the_schema() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    client
        .batch_execute(
            r#"CREATE SCHEMA "Some where"; CREATE EXTENSION ext_registry SCHEMA "Some where""#,
        )
        .unwrap();
    refuse(&mut client, r#""Some where""#)
        .with_sqlstate("42P01")
        .with_code("REGISTRY_NOT_MIGRATED")
        .with_detail("schema", "Some where")
        .with_message_containing("ext-migrate up");
    client
        .execute(
            r#"SELECT FROM "Some where".ext_finalize_bundle($1::text::jsonb, 'x')"#,
            &[&manifest("1.0.*").to_string()],
        )
        .refused()
        .with_sqlstate("42P01")
        .with_code("REGISTRY_NOT_MIGRATED");
    // Reading is Postgres' own business.
    client
        .execute(r#"SELECT "Some where".ext_extension_id('a', 'b')"#, &[])
        .refused()
        .with_sqlstate("42P01");
}

#[test]
fn tables_of_another_schema_do_not_stand_in() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(
            "DROP EXTENSION ext_registry; CREATE SCHEMA elsewhere; CREATE EXTENSION ext_registry SCHEMA elsewhere",
        )
        .unwrap();
    refuse(&mut client, "elsewhere")
        .with_code("REGISTRY_NOT_MIGRATED")
        .with_detail("schema", "elsewhere");
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn registry_not_migrated_once_a_table_is_dropped() {
    for table in [
        "extension_registry",
        "extension_version",
        "extension_bundle",
    ] {
        let db = Server::shared().migrated_database();
        let mut client = db.client();
        // Plans that were made while the tables were there.
        publish(&mut client, "1.0.0");
        publish(&mut client, "1.0.*");
        client
            .batch_execute(&format!("DROP TABLE {table} CASCADE"))
            .unwrap();
        refuse(&mut client, "public")
            .with_sqlstate("42P01")
            .with_code("REGISTRY_NOT_MIGRATED")
            .with_detail("schema", "public");
    }
}

#[test]
fn invalid_arguments_are_named_before_missing_tables() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    client
        .batch_execute("CREATE EXTENSION ext_registry")
        .unwrap();
    finalize(&mut client, &manifest("1"), &hash(0))
        .refused()
        .with_code("INVALID_MANIFEST");
}

/// A registry in a schema whose name has to be quoted.
fn elsewhere() -> (Database<'static>, &'static str) {
    let db = Server::shared().empty_database();
    let schema = "Régistry of.things;";
    db.ext_migrate(&["up", "--schema", schema]).succeeded();
    (db, schema)
}

#[test]
fn another_schema_works_like_public() {
    let (db, schema) = elsewhere();
    let mut client = db.client();
    client
        .batch_execute(&format!("SET search_path = \"{schema}\""))
        .unwrap();
    let first = publish(&mut client, "1.0.0");
    assert_eq!(publish(&mut client, "1.0.*").version, "1.0.1");
    finalize(&mut client, &manifest("1.0.0"), &hash(1))
        .refused()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", false)
        .with_table(schema, "extension_version")
        .with_constraint("extension_version_registry_id_version_unique");
    client
        .execute("UPDATE extension_version SET runtime = 'x-y'", &[])
        .refused()
        .with_sqlstate("23001")
        .with_table(schema, "extension_version")
        .with_constraint("extension_version_immutable");
    client
        .execute(
            "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
             VALUES (gen_random_uuid(), 't', $1, $2)",
            &[&first.extension_id, &first.version_id],
        )
        .unwrap();
    let listed = list(&mut client, first.extension_id, Some("t")).unwrap();
    let marks: Vec<_> = listed
        .iter()
        .map(|l| (l.version.as_str(), l.installed))
        .collect();
    assert_eq!(marks, [("1.0.1", false), ("1.0.0", true)]);

    // From a session that knows nothing of that schema.
    let mut client = db.client();
    client
        .execute(
            &format!("SELECT FROM \"{schema}\".ext_finalize_version($1::text::jsonb, $2)"),
            &[&manifest("2.0.0").to_string(), &hash(0)],
        )
        .unwrap();
    let row = client
        .query_one(
            &format!(
                "SELECT count(*) FROM \"{schema}\".ext_list_versions(\"{schema}\".ext_extension_id('acme', 'widget'))"
            ),
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 3);
}

#[test]
fn without_the_extension_the_guards_still_hold() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    client.batch_execute("DROP EXTENSION ext_registry").unwrap();
    for (statement, constraint) in [
        (
            "UPDATE extension_version SET runtime = 'x-y'",
            "extension_version_immutable",
        ),
        (
            "DELETE FROM extension_version",
            "extension_version_immutable",
        ),
        ("TRUNCATE extension_version CASCADE", "extension_"),
        (
            "UPDATE extension_bundle SET signature = 'x'",
            "extension_bundle_immutable",
        ),
        ("DELETE FROM extension_bundle", "extension_bundle_immutable"),
        ("TRUNCATE extension_bundle", "extension_bundle_immutable"),
        (
            "INSERT INTO extension_bundle (id, version_id, content_hash)
             SELECT gen_random_uuid(), id, 'sha256:' || repeat('a', 64) FROM extension_version",
            "extension_bundle_immutable",
        ),
        (
            "UPDATE extension_registry SET name = 'other'",
            "extension_registry_identity_immutable",
        ),
        (
            "DELETE FROM extension_registry",
            "extension_registry_identity_immutable",
        ),
    ] {
        let refused = client
            .execute(statement, &[])
            .refused()
            .with_sqlstate("23001")
            .with_code("VERSION_IMMUTABLE");
        assert!(
            refused
                .constraint
                .as_deref()
                .unwrap()
                .starts_with(constraint),
            "{statement}: {refused:#?}"
        );
    }
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn a_session_outlives_the_extension_and_its_tables() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    client
        .batch_execute("DROP EXTENSION ext_registry; CREATE EXTENSION ext_registry")
        .unwrap();
    finalize(&mut client, &manifest("1.0.0"), &hash(0))
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS");
    client
        .batch_execute(
            "ALTER TABLE extension_version ADD COLUMN note text DEFAULT 'x';
             ALTER TABLE extension_registry ADD COLUMN note text;
             DROP INDEX extension_version_release_idx",
        )
        .unwrap();
    assert_eq!(publish(&mut client, "1.0.*").version, "1.0.1");
    assert_eq!(row_counts(&mut client), (1, 2, 2));
}
