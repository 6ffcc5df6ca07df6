//! Publishing runs with the rights of the tables' owner, and nothing of the owner's gets out of the call.

use ext_registry_tests::{
    Database, Refusal, Server, finalize, hash, manifest, publish, row_counts,
};

/// A registry whose tables belong to an ordinary role; a superuser has installed the extension.
fn owned() -> (Database<'static>, String) {
    let db = Server::shared().migrated_database();
    let owner = db.create_role("owner");
    db.client()
        .batch_execute(&format!(
            "GRANT CREATE, USAGE ON SCHEMA public TO {owner};
             ALTER TABLE extension_registry OWNER TO {owner};
             ALTER TABLE extension_version OWNER TO {owner};
             ALTER TABLE extension_bundle OWNER TO {owner};
             ALTER TABLE tenant_extension_install OWNER TO {owner};
             ALTER FUNCTION extension_bundle_immutable() OWNER TO {owner};
             ALTER FUNCTION extension_version_immutable() OWNER TO {owner};
             ALTER FUNCTION extension_registry_identity_immutable() OWNER TO {owner}"
        ))
        .unwrap();
    (db, owner)
}

fn publisher(db: &Database<'_>) -> String {
    let role = db.create_role("publisher");
    db.client()
        .batch_execute(&format!(
            "GRANT EXECUTE ON FUNCTION ext_finalize_version, ext_finalize_bundle TO {role}"
        ))
        .unwrap();
    role
}

/// A trigger that notes who it runs as.
const WITNESS: &str = "
    CREATE TABLE witness (who text, rights text, path text);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO public.witness
        VALUES (current_user, current_setting('is_superuser'), current_setting('search_path'));
        PERFORM set_config('my.leak', 'leaked', false), set_config('work_mem', '64kB', false);
        RETURN NEW;
    END $$;
    CREATE TRIGGER witness BEFORE INSERT ON extension_version FOR EACH ROW EXECUTE FUNCTION witness()";

#[test]
fn what_the_owner_hangs_on_the_tables_runs_as_the_owner_whoever_publishes() {
    let (db, owner) = owned();
    let role = publisher(&db);
    db.client_as(&owner).batch_execute(WITNESS).unwrap();
    for (patch, mut client) in [db.client(), db.client_as(&role)].into_iter().enumerate() {
        let before: String = client.query_one("SHOW work_mem", &[]).unwrap().get(0);
        let mut transaction = client.transaction().unwrap();
        publish(&mut transaction, &format!("1.0.{patch}"));
        let row = transaction
            .query_one(
                "SELECT current_setting('my.leak', true), current_setting('work_mem'), current_user = session_user",
                &[],
            )
            .unwrap();
        let leak: Option<String> = row.get(0);
        assert_eq!(
            leak.unwrap_or_default(),
            "",
            "a setting of the trigger's outlived the call"
        );
        assert_eq!(row.get::<_, String>(1), before);
        assert!(row.get::<_, bool>(2));
        transaction.commit().unwrap();
    }
    let rows = db
        .client()
        .query("SELECT who, path FROM witness", &[])
        .unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row.get::<_, String>(0), owner);
        assert_eq!(row.get::<_, String>(1), "pg_catalog, pg_temp");
    }
}

#[test]
fn a_deferred_trigger_of_the_owner_does_not_run_as_the_caller() {
    let (db, owner) = owned();
    db.client_as(&owner)
        .batch_execute(
            "CREATE TABLE witness (who text);
             CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO public.witness VALUES (current_user); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER later AFTER INSERT ON extension_version
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION later()",
        )
        .unwrap();
    let refused = finalize(&mut db.client(), &manifest("1.0.0"), &hash(0)).refused();
    assert_eq!(refused.sqlstate, "42501", "{refused:#?}");
    let count = "SELECT count(*) FROM witness";
    assert_eq!(
        db.client().query_one(count, &[]).unwrap().get::<_, i64>(0),
        0
    );
    assert_eq!(row_counts(&mut db.client()), (0, 0, 0));
}

#[test]
fn the_user_is_the_caller_again_after_an_error_in_the_owners_trigger() {
    let (db, owner) = owned();
    let role = publisher(&db);
    db.client_as(&owner)
        .batch_execute(
            "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'P4711'; END $$;
             CREATE TRIGGER fails BEFORE INSERT ON extension_bundle FOR EACH ROW EXECUTE FUNCTION fails()",
        )
        .unwrap();
    let mut client = db.client_as(&role);
    let mut transaction = client.transaction().unwrap();
    let mut savepoint = transaction.transaction().unwrap();
    let refused = finalize(&mut savepoint, &manifest("1.0.0"), &hash(0)).refused();
    assert!(refused.message.contains("no"), "{refused:#?}");
    savepoint.rollback().unwrap();
    let row = transaction
        .query_one(
            "SELECT current_user::text, current_setting('search_path')",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, String>(0), role);
    assert_eq!(row.get::<_, String>(1), r#""$user", public"#);
    transaction
        .execute("SELECT FROM extension_version", &[])
        .refused()
        .with_sqlstate("42501");
}

#[test]
fn row_level_security_does_not_hide_the_rows_from_a_publish() {
    let (db, owner) = owned();
    let role = publisher(&db);
    let existing = publish(&mut db.client(), "1.0.0");
    db.client_as(&owner)
        .batch_execute(
            "ALTER TABLE extension_registry ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             ALTER TABLE extension_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             ALTER TABLE extension_bundle ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        )
        .unwrap();
    let mut client = db.client_as(&role);
    for row_security in ["on", "off"] {
        client
            .batch_execute(&format!("SET row_security = {row_security}"))
            .unwrap();
        let refused = finalize(&mut client, &manifest("1.0.0"), &hash(0))
            .refused()
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("extension_id", existing.extension_id.to_string())
            .with_detail("same_content", true);
        assert_eq!(refused.detail["existing"]["content_hash"], hash(0));
        publish(&mut client, "1.0.*");
    }
    assert_eq!(row_counts(&mut db.client()), (1, 3, 3));
}

#[test]
fn the_owner_may_have_no_login_and_no_other_right() {
    let (db, owner) = owned();
    let role = publisher(&db);
    db.client()
        .batch_execute(&format!(
            "ALTER ROLE {owner} NOLOGIN; REVOKE CREATE ON SCHEMA public FROM {owner}"
        ))
        .unwrap();
    publish(&mut db.client_as(&role), "1.0.0");
    finalize(&mut db.client_as(&role), &manifest("1.0.0"), &hash(1))
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS");
}

#[test]
fn a_publisher_that_sets_its_role_is_what_it_was() {
    let (db, _) = owned();
    let role = publisher(&db);
    let mut client = db.client();
    client.batch_execute(&format!("SET ROLE {role}")).unwrap();
    publish(&mut client, "1.0.0");
    let row = client
        .query_one("SELECT current_user::text, session_user::text", &[])
        .unwrap();
    assert_eq!(
        (row.get::<_, String>(0), row.get::<_, String>(1)),
        (role, "postgres".to_owned())
    );
    client
        .execute("SELECT FROM extension_version", &[])
        .refused()
        .with_sqlstate("42501");
}
