//! `target_session_attrs` means what it means to libpq, and what needs to write says so on a standby.

use ext_registry_tests::{Database, Options, Outcome, Server, ext_migrate};

const ALL: &[&str] = &[
    "any",
    "read-write",
    "read-only",
    "primary",
    "standby",
    "prefer-standby",
];

/// `ext-migrate` with these arguments on the sockets of these servers, in this order.
fn run(
    servers: &[&Server],
    db: &Database,
    attributes: &str,
    options: &str,
    more: &[&str],
) -> Outcome {
    let list = |part: fn(&Server) -> String| -> String {
        let parts: Vec<_> = servers.iter().map(|server| part(server)).collect();
        parts.join(",")
    };
    let output = ext_migrate()
        .args(more)
        .env(
            "PGHOST",
            list(|server| server.sockets().display().to_string()),
        )
        .env("PGPORT", list(|server| server.port().to_string()))
        .env("PGUSER", "postgres")
        .env("PGDATABASE", db.name())
        .env("PGTARGETSESSIONATTRS", attributes)
        .env("PGOPTIONS", options)
        .output();
    output.expect("ext-migrate starts").into()
}

#[test]
fn each_value_takes_the_servers_that_libpq_would() {
    let primary = Server::start(&Options::default());
    let db = primary.migrated_database();
    let standby = Server::standby_of(&primary);
    let read_only = "-c default_transaction_read_only=on";
    let cases: [(&Server, &str, &[&str]); 3] = [
        (
            &primary,
            "",
            &["any", "read-write", "primary", "prefer-standby"],
        ),
        (
            &primary,
            read_only,
            &["any", "read-only", "primary", "prefer-standby"],
        ),
        (
            &standby,
            "",
            &["any", "read-only", "standby", "prefer-standby"],
        ),
    ];
    for (server, options, fit) in cases {
        for attributes in ALL {
            let status = run(&[server], &db, attributes, options, &["status"]);
            let code = if fit.contains(attributes) { 0 } else { 7 };
            assert_eq!(status.code, code, "{attributes} {options}: {status:?}");
        }
    }
    let refused = run(&[&standby], &db, "primary", "", &["status"]).exited(7);
    assert!(refused.stderr.contains("is a standby"), "{refused:?}");
    run(&[&primary], &db, "master", "", &["status"]).exited(2);

    // Of several, the first that fits.
    let both = [&standby, &primary];
    run(&both, &db, "primary", "", &["up"]).succeeded();
    let error = |outcome: Outcome| outcome.json()["error"]["code"].clone();
    for attributes in ["any", "standby", "prefer-standby"] {
        for command in [&["up"][..], &["seal"], &["grant", "--reader", "postgres"]] {
            let arguments = [command, &["--format", "json"]].concat();
            let refused = run(&both, &db, attributes, "", &arguments).exited(1);
            assert!(refused.stderr.contains("a standby"), "{refused:?}");
            assert_eq!(error(refused), "STANDBY");
        }
    }
    let refused = run(&[&primary], &db, "standby", "", &["up", "--format", "json"]).exited(7);
    assert_eq!(error(refused), "NO_CONNECTION");
    run(&[&primary], &db, "prefer-standby", "", &["up"]).succeeded();
}
