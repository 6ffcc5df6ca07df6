//! The server and the databases that are measured.

use std::time::Instant;

use ext_registry_tests::{Database, Options, Server, old_schema};

use crate::baselines::{PLPGSQL_FUNCTIONS, Tables};
use crate::publication::{
    ASSETS, CAPABILITIES, ENDPOINTS, MAIN_ENTRY, PRECOMPILED, RUNTIME, UI, api,
};
use crate::scale::{Scale, count};

/// The role that publishes and reads: no superuser, and not the owner of the tables.
pub const APP: &str = "app";

/// Versions of one extension on average.
const VERSIONS_PER_EXTENSION: u64 = 20;

/// How many extensions a database of so many versions has.
pub fn extensions(versions: u64) -> u64 {
    (versions / VERSIONS_PER_EXTENSION).max(1)
}

/// A server as one would run it: with fsync, and autovacuum as it is by default.
pub fn server(scale: &Scale) -> Server {
    let server = Server::start(&Options {
        fsync: true,
        tcp: true,
        conf: scale.conf.iter().map(ToString::to_string).collect(),
        ..Options::default()
    });
    server.administer(&format!("CREATE ROLE {APP} LOGIN"));
    server
}

/// A database with so many versions in it.
pub fn filled<'server>(
    server: &'server Server,
    tables: Tables,
    versions: u64,
) -> Database<'server> {
    let started = Instant::now();
    let database = empty(server, tables);
    fill(&database, tables, versions);
    eprintln!(
        "filled {} versions ({tables:?}) in {:.1} s",
        count(versions),
        started.elapsed().as_secs_f64()
    );
    database
}

/// The tables, with nothing in them, and the rights of the app.
pub fn empty(server: &Server, tables: Tables) -> Database<'_> {
    let database = match tables {
        Tables::Old => server.empty_database(),
        _ => server.migrated_database(),
    };
    let mut client = database.client();
    let mut run = |sql: &str| client.batch_execute(sql).expect("the database is new");
    if tables == Tables::Old {
        run(&old_schema::old_schema(&[]));
    } else {
        database
            .ext_migrate(&["grant", "--publisher", APP, "--reader", APP])
            .succeeded();
        run(PLPGSQL_FUNCTIONS);
    }
    run(&format!(
        "GRANT SELECT, INSERT ON extension_registry, extension_version, extension_bundle, tenant_extension_install TO {APP}"
    ));
    database
}

/// A copy of a database, to which nobody may be connected.
pub fn copy<'server>(original: &Database<'server>) -> Database<'server> {
    let server = original.server();
    server.database_with(&format!("TEMPLATE {}", original.name()))
}

/// A copy that differs in nothing but the triggers of the guards.
pub fn copy_without_guards<'server>(original: &Database<'server>) -> Database<'server> {
    let database = copy(original);
    let dropped = database.client().batch_execute(
        "DO $$
         DECLARE
             statement text;
         BEGIN
             FOR statement IN
                 SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
                 FROM pg_trigger
                 WHERE NOT tgisinternal AND tgrelid IN (
                     'extension_registry'::regclass, 'extension_version'::regclass, 'extension_bundle'::regclass)
             LOOP
                 EXECUTE statement;
             END LOOP;
         END $$",
    );
    dropped.expect("the guards are triggers");
    database
}

/// Writes versions of many extensions.
fn fill(database: &Database<'_>, tables: Tables, versions: u64) {
    let key = match tables {
        // As the old apps made them.
        Tables::Old => "gen_random_uuid()",
        _ => "pg_temp.key_at(made.at, made.n)",
    };
    let rows = include_str!("fill.sql")
        .replace("@versions@", &versions.to_string())
        .replace("@extensions@", &extensions(versions).to_string())
        .replace("@key@", key);
    write(database, tables, &rows);
}

/// Writes extensions with so many versions each.
pub fn fill_listed(database: &Database<'_>, listed: &[u64]) {
    let listed: Vec<_> = listed.iter().map(ToString::to_string).collect();
    let rows = include_str!("fill_listed.sql").replace("@listed@", &listed.join(","));
    write(database, Tables::Guarded, &rows);
}

/// Writes rows as a restore does, past the guards and foreign keys, and lets the indexes be built at the end.
fn write(database: &Database<'_>, tables: Tables, rows: &str) {
    let jsonb = |text: &str| format!("'{text}'::jsonb");
    // The old schema has no column for assets.
    let (column, value) = match tables {
        Tables::Old => ("", String::new()),
        _ => (", assets", format!(", {}", jsonb(ASSETS))),
    };
    let rows = rows
        .replace("@runtime@", RUNTIME)
        .replace("@main_entry@", MAIN_ENTRY)
        .replace("@capabilities@", &jsonb(CAPABILITIES))
        .replace("@ui@", &jsonb(UI))
        .replace("@api@", &jsonb(&api()))
        .replace("@endpoints@", &jsonb(ENDPOINTS))
        .replace("@precompiled@", &jsonb(PRECOMPILED))
        .replace("@assets_column@", column)
        .replace("@assets_value@", &value);
    let mut client = database.client();
    let mut run = |sql: &str| client.batch_execute(sql).expect("the rows fit the tables");
    run(include_str!("fill_begin.sql"));
    run(&rows);
    run(include_str!("fill_end.sql"));
    run(
        "VACUUM (ANALYZE) extension_registry, extension_version, extension_bundle, tenant_extension_install",
    );
    run("CHECKPOINT");
}
