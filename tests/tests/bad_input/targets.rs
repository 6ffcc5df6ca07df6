//! Databases and roles whose names need escaping in a URL, in libpq's strings, and in SQL.

use std::process::Command;

use ext_registry_tests::{Outcome, Server, ext_migrate};

const NAMES: &[&str] = &[
    "with space",
    "Üpper & löwer",
    "a/b",
    "a?b#c",
    "100%",
    "a%20b",
    "a@b:c",
    "it's",
    "\"quoted\"",
    "back\\slash",
    "a=b",
    "select",
    "日本",
    "$HOME",
    "--help",
    "x' y='z",
];

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn ran(settings: impl FnOnce(&mut Command)) -> Outcome {
    let mut process = ext_migrate();
    settings(&mut process);
    process.output().unwrap().into()
}

#[test]
fn databases_and_users_of_every_name() {
    let template = Server::shared().migrated_database();
    let server = template.server();
    let sockets = server.sockets().display().to_string();
    for name in NAMES {
        let (database, user) = (format!("db {name}"), format!("user {name}"));
        let create = format!(
            "CREATE DATABASE {} TEMPLATE {}",
            ident(&database),
            template.name()
        );
        server.administer(&create);
        server.administer(&format!("CREATE ROLE {} LOGIN SUPERUSER", ident(&user)));
        let url = format!(
            "postgres://{}@{}/{}",
            percent(&user),
            percent(&sockets),
            percent(&database)
        );
        ran(|process| {
            process.args(["up", "--database-url", &url]);
        })
        .succeeded();
        // The same by libpq's variables.
        ran(|process| {
            process.args(["status", "--exit-code"]).envs([
                ("PGHOST", sockets.as_str()),
                ("PGUSER", &user),
                ("PGDATABASE", &database),
            ]);
        })
        .succeeded();
        // And as libpq's keyword string.
        let escape = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
        let string = format!(
            "host={sockets} user='{}' dbname='{}'",
            escape(&user),
            escape(&database)
        );
        ran(|process| {
            process.args(["status", "--exit-code", "--database-url", &string]);
        })
        .succeeded();
        server.administer(&format!("DROP DATABASE {} WITH (FORCE)", ident(&database)));
    }
}

/// The role that installs the extension owns it, and its name stands in the extension's script.
#[test]
fn owners_that_an_extension_script_cannot_carry() {
    let db = Server::shared().empty_database();
    for name in ["it's", "a\"b", "a\\b", "$a", "a--b", "a/*", "@extschema@"] {
        let user = format!("{} {name}", db.name());
        db.client()
            .batch_execute(&format!("CREATE ROLE {} LOGIN SUPERUSER", ident(&user)))
            .unwrap();
        let url = db.url_as(&percent(&user));
        let outcome = ran(|process| {
            process.args(["up", "--database-url", &url]);
        });
        assert_eq!(outcome.code, 2, "{user}: {outcome:?}");
        assert!(outcome.stderr.contains("owner"), "{outcome:?}");
    }
    let user = format!("{} Üser, of @schema@", db.name());
    db.client()
        .batch_execute(&format!("CREATE ROLE {} LOGIN SUPERUSER", ident(&user)))
        .unwrap();
    let url = db.url_as(&percent(&user));
    ran(|process| {
        process.args(["up", "--database-url", &url]);
    })
    .succeeded();
}

#[test]
fn urls_that_are_no_urls() {
    for url in [
        "",
        "postgres://",
        "postgres://%",
        "postgres://%zz@h/d",
        "postgres://h:99999/d",
        "postgres://h:x/d",
        "mysql://h/d",
        "host",
        "host=",
        "host='",
        "port=x",
        "\u{1}",
        "postgres://u:secret word@h/d?sslmode=odd",
        "postgres://[::1/d",
        "sslmode=odd password=secret",
        "postgres://u:secret@h/d?nonsense=1",
        "password='secret",
    ] {
        let output: Outcome = ext_migrate()
            .args(["status", "--database-url", url])
            .env("PGHOST", "/nonexistent")
            .env("PGCONNECT_TIMEOUT", "2")
            .output()
            .unwrap()
            .into();
        assert!([2, 7].contains(&output.code), "{url:?}: {output:?}");
        assert!(
            !output.stderr.contains("panicked") && !output.stderr.contains("secret"),
            "{url:?}: {output:?}"
        );
        assert!(output.stderr.lines().count() <= 2, "{url:?}: {output:?}");
    }
}

#[test]
fn grant_to_roles_of_every_name() {
    let db = Server::shared().migrated_database();
    for name in NAMES {
        let role = format!("{} {name}", db.name());
        db.client()
            .batch_execute(&format!("CREATE ROLE {}", ident(&role)))
            .unwrap();
        db.ext_migrate(&["grant", "--publisher", &role, "--reader", &role])
            .succeeded();
        let row = db
            .client()
            .query_one(
                "SELECT has_function_privilege($1::text, 'ext_finalize_version(jsonb, text, text, text, bigint)', 'EXECUTE')
                    AND has_table_privilege($1::text, 'extension_version', 'SELECT')
                    AND NOT has_table_privilege($1::text, 'extension_version', 'INSERT')",
                &[&role],
            )
            .unwrap();
        assert!(row.get::<_, bool>(0), "{role}");
    }
}

#[test]
fn grant_to_nobody_and_to_everybody() {
    let db = Server::shared().migrated_database();
    for (role, code) in [
        ("PUBLIC", 2),
        ("public", 2),
        ("", 2),
        ("nobody here", 1),
        ("current_user ", 1),
        ("none", 1),
        ("pg_read_all_data; DROP", 1),
        // PostgreSQL would cut it to 63 bytes, and might grant to another role.
        (&"x".repeat(64), 2),
    ] {
        let outcome = db
            .ext_migrate(&["grant", "--publisher", role, "--reader", role])
            .exited(code);
        assert_eq!(outcome.stderr.trim().lines().count(), 1, "{outcome:?}");
    }
    let longest = "y".repeat(63);
    db.client()
        .batch_execute(&format!("CREATE ROLE {longest}"))
        .unwrap();
    db.ext_migrate(&["grant", "--publisher", &format!("{longest}y")])
        .exited(2);
    let granted: i64 = db
        .client()
        .query_one(
            "SELECT count(*) FROM pg_proc p, aclexplode(p.proacl) a WHERE p.proname LIKE 'ext\\_%' AND a.grantee <> p.proowner
                AND a.grantee <> 'postgres'::regrole",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(granted, 0);
}
