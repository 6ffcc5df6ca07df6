//! Nothing is granted at first; publisher and reader get exactly what the contract says.

use ext_registry_tests::{
    Database, Refusal, Server, finalize, hash, list, manifest, publish, row_counts,
};
use postgres::Client;

const FUNCTIONS: [&str; 4] = [
    "ext_finalize_version(jsonb, text, text, text, bigint)",
    "ext_finalize_bundle(jsonb, bytea, text, text, text)",
    "ext_list_versions(uuid, text)",
    "ext_extension_id(text, text)",
];

const TABLES: [&str; 4] = [
    "extension_registry",
    "extension_version",
    "extension_bundle",
    "tenant_extension_install",
];

/// A statement for each function.
const CALLS: [&str; 4] = [
    r#"SELECT FROM ext_finalize_version('{"publisher": "a", "name": "b", "version": "1.0.*", "runtime": "a-b"}', repeat('a', 64))"#,
    r#"SELECT FROM ext_finalize_bundle('{"publisher": "a", "name": "b", "version": "1.0.*", "runtime": "a-b"}', 'x')"#,
    "SELECT * FROM ext_list_versions(gen_random_uuid(), 't')",
    "SELECT ext_extension_id('a', 'b')",
];

fn allow(db: &Database<'_>, statements: &str) {
    db.client().batch_execute(statements).unwrap();
}

fn refuse(client: &mut Client, statement: &str) {
    client
        .execute(statement, &[])
        .refused()
        .with_sqlstate("42501");
}

#[test]
fn at_first_nobody_but_the_installer_may_call_or_grant_anything() {
    let db = Server::shared().migrated_database();
    let role = db.create_role("nobody");
    let mut client = db.client_as(&role);
    for call in CALLS {
        refuse(&mut client, call);
    }
    for function in FUNCTIONS {
        // Postgres warns and grants nothing, or refuses: either way nobody else gets it.
        let _ = client.execute(
            &format!("GRANT EXECUTE ON FUNCTION {function} TO PUBLIC"),
            &[],
        );
        let row = client
            .query_one(
                "SELECT has_function_privilege($1::text, 'EXECUTE')",
                &[&function],
            )
            .unwrap();
        assert!(!row.get::<_, bool>(0), "{function}");
    }
    for table in TABLES {
        refuse(&mut client, &format!("SELECT FROM {table}"));
        refuse(&mut client, &format!("DELETE FROM {table}"));
    }
    let row = db
        .client()
        .query_one(
            "SELECT count(*) FROM pg_proc, aclexplode(proacl) acl
             WHERE (proname LIKE 'ext\\_%' OR proname LIKE 'extension\\_%') AND acl.grantee = 0",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "granted to PUBLIC");
    let row = db
        .client()
        .query_one(
            "SELECT count(*) FROM pg_proc
             WHERE (proname LIKE 'ext\\_%' OR proname LIKE 'extension\\_%') AND pronamespace = 'public'::regnamespace
               AND proacl IS NULL",
            &[],
        )
        .unwrap();
    assert_eq!(
        row.get::<_, i64>(0),
        0,
        "with Postgres' default, which is PUBLIC"
    );
}

#[test]
fn a_publisher_needs_execute_and_usage_and_no_right_on_any_table() {
    let db = Server::shared().migrated_database();
    let role = db.create_role("publisher");
    allow(
        &db,
        &format!(
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;
             GRANT USAGE ON SCHEMA public TO {role};
             GRANT EXECUTE ON FUNCTION {}, {} TO {role}",
            FUNCTIONS[0], FUNCTIONS[1]
        ),
    );
    let mut client = db.client_as(&role);
    let published = publish(&mut client, "1.0.0");
    assert_eq!(publish(&mut client, "1.0.*").version, "1.0.1");
    client.execute(CALLS[1], &[]).unwrap();
    finalize(&mut client, &manifest("1.0.0"), &hash(0))
        .refused()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", true)
        .with_table("public", "extension_version")
        .with_constraint("extension_version_registry_id_version_unique");
    for table in TABLES {
        for statement in [
            format!("SELECT FROM {table}"),
            format!("INSERT INTO {table} DEFAULT VALUES"),
            format!("UPDATE {table} SET id = id"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            refuse(&mut client, &statement);
        }
    }
    refuse(&mut client, CALLS[2]);
    refuse(&mut client, CALLS[3]);
    list(&mut client, published.extension_id, None)
        .refused()
        .with_sqlstate("42501");
    assert_eq!(row_counts(&mut db.client()), (2, 3, 3));
}

#[test]
fn execute_without_usage_on_the_schema_is_refused() {
    let db = Server::shared().empty_database();
    db.ext_migrate(&["up", "--schema", "private"]).succeeded();
    let role = db.create_role("publisher");
    allow(
        &db,
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA private TO PUBLIC",
    );
    refuse(
        &mut db.client_as(&role),
        "SELECT private.ext_extension_id('a', 'b')",
    );
}

#[test]
fn a_reader_needs_exactly_what_the_contract_says() {
    let db = Server::shared().migrated_database();
    let role = db.create_role("reader");
    let published = publish(&mut db.client(), "1.0.0");
    db.client()
        .execute(
            "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
             VALUES (gen_random_uuid(), 't', $1, $2)",
            &[&published.extension_id, &published.version_id],
        )
        .unwrap();
    let needed = [
        format!("EXECUTE ON FUNCTION {}", FUNCTIONS[2]),
        format!("EXECUTE ON FUNCTION {}", FUNCTIONS[3]),
        "USAGE ON SCHEMA public".to_owned(),
        "SELECT ON extension_registry".to_owned(),
        "SELECT ON extension_version".to_owned(),
        "SELECT ON extension_bundle".to_owned(),
        "SELECT (tenant_id) ON tenant_extension_install".to_owned(),
        "SELECT (registry_id) ON tenant_extension_install".to_owned(),
        "SELECT (version_id) ON tenant_extension_install".to_owned(),
    ];
    allow(&db, "REVOKE ALL ON SCHEMA public FROM PUBLIC");
    for right in &needed {
        allow(&db, &format!("GRANT {right} TO {role}"));
    }
    let read = |tenant: Option<&str>| -> Result<usize, postgres::Error> {
        let mut client = db.client_as(&role);
        let row = client.query_one("SELECT public.ext_extension_id('acme', 'widget')", &[])?;
        let rows = client.query(
            "SELECT installed FROM public.ext_list_versions($1, $2)",
            &[&row.get::<_, uuid::Uuid>(0), &tenant],
        )?;
        Ok(rows.iter().filter(|row| row.get(0)).count())
    };
    assert_eq!(read(Some("t")).unwrap(), 1);
    assert_eq!(read(None).unwrap(), 0);
    // Take away any of them and it is too little.
    for right in &needed {
        allow(&db, &format!("REVOKE {right} FROM {role}"));
        let refused = read(Some("t")).refused();
        assert_eq!(refused.sqlstate, "42501", "{right}");
        allow(&db, &format!("GRANT {right} TO {role}"));
    }
    // And it is not enough for anything else.
    let mut client = db.client_as(&role);
    refuse(&mut client, CALLS[0]);
    refuse(&mut client, CALLS[1]);
    refuse(&mut client, "SELECT config FROM tenant_extension_install");
    for table in TABLES {
        refuse(&mut client, &format!("DELETE FROM {table}"));
        refuse(&mut client, &format!("TRUNCATE {table} CASCADE"));
    }
}

#[test]
fn ext_migrate_grant_gives_publisher_and_reader_what_they_need() {
    let db = Server::shared().migrated_database();
    let (publisher, reader) = (db.create_role("publisher"), db.create_role("reader"));
    db.ext_migrate(&["grant", "--publisher", &publisher, "--reader", &reader])
        .succeeded();
    let published = publish(&mut db.client_as(&publisher), "1.0.0");
    let mut client = db.client_as(&reader);
    assert_eq!(
        list(&mut client, published.extension_id, Some("t"))
            .unwrap()
            .len(),
        1
    );
    client.execute(CALLS[3], &[]).unwrap();
    refuse(&mut client, CALLS[0]);
    refuse(&mut client, CALLS[1]);
    refuse(&mut client, "SELECT config FROM tenant_extension_install");
    refuse(&mut db.client_as(&publisher), CALLS[2]);
    refuse(
        &mut db.client_as(&publisher),
        "SELECT FROM extension_version",
    );
}
