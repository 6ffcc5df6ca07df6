//! `ext-migrate grant`: exactly the rights of the contract, and nothing to everybody.

use ext_registry_tests::{Options, Outcome, Refusal, Server, ext_migrate};

const PUBLISH: &str = r#"SELECT version FROM ext_finalize_version(
    '{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "node@20"}'::jsonb, repeat('a', 64))"#;
const LIST: &str =
    "SELECT version FROM ext_list_versions(ext_extension_id('acme', 'widget'), 'tenant')";

#[test]
fn a_publisher_publishes_and_touches_no_table() {
    let db = Server::shared().migrated_database();
    let role = db.create_role("publisher");
    db.client_as(&role)
        .query_one(PUBLISH, &[])
        .refused()
        .with_sqlstate("42501");
    db.ext_migrate(&["grant", "--publisher", &role]).succeeded();
    let mut client = db.client_as(&role);
    let row = client.query_one(PUBLISH, &[]).unwrap();
    assert_eq!(row.get::<_, &str>(0), "1.0.0");
    client.query(LIST, &[]).refused().with_sqlstate("42501");
    for table in [
        "extension_registry",
        "extension_version",
        "extension_bundle",
        "tenant_extension_install",
    ] {
        client
            .query(&format!("SELECT 1 FROM {table}"), &[])
            .refused()
            .with_sqlstate("42501");
    }
}

#[test]
fn a_reader_lists_and_sees_three_columns_of_the_installs() {
    let db = Server::shared().migrated_database();
    let role = db.create_role("reader");
    db.client().query_one(PUBLISH, &[]).unwrap();
    db.client_as(&role)
        .query(LIST, &[])
        .refused()
        .with_sqlstate("42501");
    db.ext_migrate(&["grant", "--reader", &role]).succeeded();
    let mut client = db.client_as(&role);
    assert_eq!(client.query(LIST, &[]).unwrap().len(), 1);
    client
        .query(
            "SELECT tenant_id, registry_id, version_id FROM tenant_extension_install",
            &[],
        )
        .unwrap();
    client
        .query("SELECT config FROM tenant_extension_install", &[])
        .refused()
        .with_sqlstate("42501");
    client
        .query_one(PUBLISH, &[])
        .refused()
        .with_sqlstate("42501");
}

#[test]
fn several_roles_at_once_with_names_that_need_quotes() {
    let db = Server::shared().migrated_database();
    let name = |suffix: &str| format!("{}\"; DROP {suffix}", db.name());
    let (one, two) = (name("one"), name("two"));
    for role in [&one, &two] {
        db.client()
            .batch_execute(&format!("CREATE ROLE \"{}\"", role.replace('"', "\"\"")))
            .unwrap();
    }
    let report = db
        .ext_migrate(&[
            "grant",
            "--publisher",
            &one,
            "--publisher",
            &two,
            "--reader",
            &two,
            "--format",
            "json",
        ])
        .succeeded()
        .json();
    assert_eq!(report["publishers"], serde_json::json!([one, two]));
    let row = db
        .client()
        .query_one(
            "SELECT bool_and(has_function_privilege(r, 'ext_finalize_bundle(jsonb, bytea, text, text, text)', 'EXECUTE')),
                    bool_or(has_table_privilege(r, 'extension_version', 'INSERT'))
             FROM unnest($1::text[]) AS r",
            &[&vec![one, two]],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, false));
}

#[test]
fn nothing_goes_to_everybody() {
    let db = Server::shared().migrated_database();
    for role in ["public", "PUBLIC", ""] {
        db.ext_migrate(&["grant", "--reader", role]).exited(2);
    }
    let row = db
        .client()
        .query_one(
            "SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
             WHERE p.pronamespace = 'public'::regnamespace AND a.grantee = 0",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[test]
fn all_or_nothing() {
    let db = Server::shared().migrated_database();
    let role = db.create_role("reader");
    let refused = db
        .ext_migrate(&[
            "grant",
            "--reader",
            &role,
            "--reader",
            "nobody_of_that_name",
        ])
        .exited(1);
    assert!(
        refused.stderr.contains("nobody_of_that_name"),
        "{refused:?}"
    );
    db.client_as(&role)
        .query(LIST, &[])
        .refused()
        .with_sqlstate("42501");
}

#[test]
fn a_role_that_may_not_grant_is_told_so() {
    let db = Server::shared().migrated_database();
    let (one, other) = (db.create_role("one"), db.create_role("other"));
    db.ext_migrate(&["grant", "--publisher", &one]).succeeded();
    let output = ext_migrate()
        .args([
            "grant",
            "--publisher",
            &other,
            "--database-url",
            &db.url_as(&one),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("may not grant"),
        "{output:?}"
    );
}

#[test]
fn without_the_extension_there_is_nothing_to_grant() {
    let db = Server::shared().empty_database();
    let role = db.create_role("reader");
    let refused = db.ext_migrate(&["grant", "--reader", &role]).exited(1);
    assert!(
        refused.stderr.contains("run ext-migrate up first"),
        "{refused:?}"
    );
}

/// A terminal would obey ESC, and CSI in one character.
#[test]
fn control_characters_of_names_reach_no_terminal() {
    let db = Server::shared().migrated_database();
    let role = format!("{}\u{1b}[31m\u{9b}2J\u{7}", db.name());
    db.server().administer(&format!("CREATE ROLE \"{role}\""));
    for format in ["text", "json"] {
        let granted = db
            .ext_migrate(&["grant", "--reader", &role, "--format", format])
            .succeeded();
        let refused = db
            .ext_migrate(&["grant", "--reader", &format!("{role}?"), "--format", format])
            .exited(1);
        for output in [&granted.stdout, &refused.stdout, &refused.stderr] {
            let harmful = |c: char| c.is_control() && c != '\n';
            assert!(!output.contains(harmful), "{output:?}");
        }
        assert!(
            granted.stdout.contains("\\u001b[31m\\u009b2J\\u0007"),
            "{granted:?}"
        );
        assert!(refused.stderr.contains("\\u009b2J"), "{refused:?}");
    }
    let json = db.ext_migrate(&["grant", "--reader", &role, "--format", "json"]);
    assert_eq!(json.json()["readers"][0], role.as_str());
}

#[test]
fn an_auditor_may_monitor_and_has_no_further_right() {
    let primary = Server::start(&Options::default());
    let db = primary.migrated_database();
    let role = db.create_role("monitor");
    db.ext_migrate(&["grant", "--auditor", &role]).succeeded();
    let watch = |url: &str| {
        for command in ["status", "plan", "check"] {
            let output = ext_migrate()
                .args([command, "--format", "json"])
                .args(["--database-url", url])
                .output()
                .unwrap();
            let report = Outcome::from(output).exited(0).json();
            assert_eq!(report["state"], "current", "{command}: {report}");
        }
    };
    watch(&db.url_as(&role));
    primary.administer(&format!(
        "ALTER ROLE {role} SET default_transaction_read_only = on"
    ));
    watch(&db.url_as(&role));
    let standby = Server::standby_of(&primary);
    watch(&standby.kept_database(db.name()).url_as(&role));
    db.client_as(&role)
        .query("SELECT FROM tenant_extension_install", &[])
        .refused()
        .with_sqlstate("42501");
    // Whoever may not even read the history is told what it takes.
    let nobody = db.create_role("nobody");
    let output = ext_migrate()
        .args(["status", "--database-url", &db.url_as(&nobody)])
        .output()
        .unwrap();
    let refused = Outcome::from(output).exited(1);
    assert!(refused.stderr.contains("grant --auditor"), "{refused:?}");
}
