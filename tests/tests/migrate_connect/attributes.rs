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

/// Of the sockets of these servers, in this order.
fn environment(
    servers: &[&Server],
    db: &Database,
    attributes: &str,
) -> [(&'static str, String); 5] {
    let list = |part: fn(&Server) -> String| -> String {
        let parts: Vec<_> = servers.iter().map(|server| part(server)).collect();
        parts.join(",")
    };
    [
        ("PGHOST", list(|s| s.sockets().display().to_string())),
        ("PGPORT", list(|s| s.port().to_string())),
        ("PGUSER", "postgres".to_owned()),
        ("PGDATABASE", db.name().to_owned()),
        ("PGTARGETSESSIONATTRS", attributes.to_owned()),
    ]
}

fn run(servers: &[&Server], db: &Database, attributes: &str, arguments: &[&str]) -> Outcome {
    let output = ext_migrate()
        .args(arguments)
        .envs(environment(servers, db, attributes))
        .output();
    output.expect("ext-migrate starts").into()
}

#[test]
fn each_value_takes_the_servers_that_libpq_would() {
    let primary = Server::start(&Options::default());
    let db = primary.migrated_database();
    let standby = Server::standby_of(&primary);
    let mut fit = 0;
    for (server, options) in [
        (&primary, ""),
        (&primary, "-c default_transaction_read_only=on"),
        (&standby, ""),
    ] {
        for attributes in ALL {
            let environment = environment(&[server], &db, attributes);
            let mut psql = db.program("psql");
            psql.args(["-XAtc", "SELECT"]).envs(environment.clone());
            let mut status = ext_migrate();
            status.arg("status").envs(environment);
            let [psql, status] = [psql, status]
                .map(|mut program| program.env("PGOPTIONS", options).output().unwrap())
                .map(Outcome::from);
            let expected = if psql.code == 0 { 0 } else { 7 };
            assert_eq!(
                status.code, expected,
                "{attributes} {options}: {status:?} {psql:?}"
            );
            fit += usize::from(psql.code == 0);
        }
    }
    // Four values each.
    assert_eq!(fit, 12);
    let refused = run(&[&standby], &db, "primary", &["status"]).exited(7);
    assert!(refused.stderr.contains("is a standby"), "{refused:?}");
    run(&[&primary], &db, "master", &["status"]).exited(2);

    // Of several, the first that fits.
    let both = [&standby, &primary];
    run(&both, &db, "primary", &["up"]).succeeded();
    let error = |outcome: Outcome| outcome.json()["error"]["code"].clone();
    for attributes in ["any", "standby", "prefer-standby"] {
        for command in [&["up"][..], &["seal"], &["grant", "--reader", "postgres"]] {
            let arguments = [command, &["--format", "json"]].concat();
            let refused = run(&both, &db, attributes, &arguments).exited(1);
            assert!(refused.stderr.contains("a standby"), "{refused:?}");
            assert_eq!(error(refused), "STANDBY");
        }
    }
    let refused = run(&[&primary], &db, "standby", &["up", "--format", "json"]).exited(7);
    assert_eq!(error(refused), "NO_CONNECTION");
    run(&[&primary], &db, "prefer-standby", &["up"]).succeeded();
}
