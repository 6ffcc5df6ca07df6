//! The programs in tests/apps publish and list with the drivers and frameworks that apps use, as a role that may do
//! just that. What they print is compared with what is in the database, and with the README's table of errors.

mod program;
mod table;

use std::sync::OnceLock;

use ext_registry_tests::{Listed, Options, Server, finalize, hash, list, manifest_of};

use program::Program;

/// JDBC knows no sockets of the file system.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        Server::start(&Options {
            tcp: true,
            ..Options::default()
        })
    })
}

/// Runs the program in a database where an older version is installed for a tenant, and looks at all it did.
fn check(program: &Program, url_parameters: &str) {
    let db = server().migrated_database();
    let role = db.create_role("app");
    db.ext_migrate(&["grant", "--publisher", &role, "--reader", &role])
        .succeeded();
    let mut client = db.client();
    let old = finalize(&mut client, &manifest_of(program.name, "0.9.0"), &hash(0)).unwrap();
    client
        .execute(
            "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
             VALUES (gen_random_uuid(), 'berlin', $1, $2)",
            &[&old.extension_id, &old.version_id],
        )
        .unwrap();

    let url = format!(
        "postgresql://{role}@127.0.0.1:{}/{}{url_parameters}",
        server().port(),
        db.name()
    );
    let Some(said) = program.run(&url) else {
        return;
    };

    let all = list(&mut client, old.extension_id, Some("berlin")).unwrap();
    let [second, first, oldest] = all.as_slice() else {
        panic!("{}: not three versions: {all:#?}", program.file);
    };
    assert_eq!(
        [&second.version, &first.version, &oldest.version],
        ["1.0.1", "1.0.0", "0.9.0"]
    );
    assert!(oldest.installed && !first.installed && !second.installed);
    let hash_of = |digit: &str| Some(format!("sha256:{}", digit.repeat(64)));
    assert_eq!(
        (&first.content_hash, &second.content_hash),
        (&hash_of("a"), &hash_of("b"))
    );

    let id = first.version_id.to_string();
    assert_eq!(
        said.values("published"),
        [id.clone(), second.version_id.to_string()]
    );
    // The wildcard's answer counts as lost: its content has been published, and nothing is added.
    assert_eq!(
        said.values("published again"),
        [id.clone(), second.version_id.to_string()]
    );

    let message = format!(
        "version 1.0.0 of acme/{} already exists; published versions are final: publish a new version instead",
        program.name
    );
    let raised = table::row_of(program).raised;
    // Other content, then another manifest.
    for (name, values) in [
        ("raised", [raised.as_str(); 2]),
        ("sqlstate", ["23505"; 2]),
        (
            "constraint",
            ["extension_version_registry_id_version_unique"; 2],
        ),
        ("message", [message.as_str(); 2]),
        ("code", ["EXTENSION_VERSION_ALREADY_EXISTS"; 2]),
        ("existing", [id.as_str(); 2]),
        ("same content", ["false", "true"]),
        ("same manifest", ["true", "false"]),
    ] {
        let said: Vec<String> = said.values(name).iter().map(printed_bool).collect();
        assert_eq!(said, values, "{name}");
    }

    let listed: Vec<String> = said
        .values("listed")
        .iter()
        .map(|row| row.to_lowercase())
        .collect();
    assert_eq!(listed, all.iter().map(printed).collect::<Vec<_>>());
}

/// Python writes True.
fn printed_bool(value: &&str) -> String {
    match *value {
        "True" => "true".to_owned(),
        "False" => "false".to_owned(),
        other => other.to_owned(),
    }
}

/// A row of the list as the programs print it.
fn printed(row: &Listed) -> String {
    let content_hash = row.content_hash.as_deref().unwrap_or_default();
    format!(
        "{} {content_hash} {} {}",
        row.version, row.installed, row.bundle_count
    )
}

#[test]
fn psycopg() {
    check(&program::PSYCOPG, "");
}

#[test]
fn sqlalchemy() {
    check(&program::SQLALCHEMY, "");
}

#[test]
fn django() {
    check(&program::DJANGO, "");
}

#[test]
fn node_postgres() {
    check(&program::NODE_POSTGRES, "");
}

#[test]
fn knex() {
    check(&program::KNEX, "");
}

#[test]
fn tokio_postgres() {
    check(&program::TOKIO_POSTGRES, "");
}

#[test]
fn sqlx() {
    check(&program::SQLX, "");
}

#[test]
fn jdbc() {
    check(&program::JDBC, "");
}

#[test]
fn jdbc_with_statements_prepared_in_the_server_and_binary_values() {
    check(&program::JDBC, "?prepareThreshold=-1");
}

#[test]
fn jdbc_with_the_simple_protocol() {
    check(&program::JDBC, "?preferQueryMode=simple");
}
