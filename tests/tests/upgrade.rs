//! `pg_upgrade` from the PostgreSQL under test to the later ones that the set-up has prepared, one after the other.

use std::path::Path;
use std::process::Command;

use ext_registry_tests::{
    Contents, Options, Server, ext_migrate, finalize, hash, manifest, other_server,
};

#[test]
fn a_registry_of_many_years_goes_through_every_major_version() {
    let mut server = Server::start(&Options::default());
    let years = server.registry_of_many_years();
    let _ = years.ext_migrate(&["up", "--ddl-guard"]).succeeded();
    let years = years.keep();
    let owned = Owned::create(&server);
    let first = major_of(&server);
    if first >= 18 {
        eprintln!("skipped: no later PostgreSQL is prepared");
    }
    for major in [16, 18].into_iter().filter(|major| *major > first) {
        let Some(pg_config) = other_server(major) else {
            return;
        };
        let contents = Contents::of(&mut server.client(&years));
        let options = options(&server, &pg_config);
        remove_unknown_stamps(&server, &pg_config, &[&years, &owned.database]);
        let upgraded = Server::upgrade_of(&server, &options);
        assert_eq!(major_of(&upgraded), major);

        contents.assert_live_in(&upgraded.kept_database(&years));
        owned.assert_rights(&upgraded);
        let up = upgraded
            .kept_database(&years)
            .ext_migrate(&["up"])
            .succeeded();
        assert!(up.stdout.contains("no migration to apply"), "{up:?}");
        assert!(up.stdout.contains("DDL guard: on"), "{up:?}");
        server = upgraded;
    }
}

/// A registry of an app's role, with a publisher.
struct Owned {
    database: String,
    owner: String,
    publisher: String,
}

impl Owned {
    fn create(server: &Server) -> Self {
        let db = server.empty_database();
        let (owner, publisher) = (db.create_role("owner"), db.create_role("publisher"));
        let database = db.name();
        server.administer(&format!("ALTER DATABASE {database} OWNER TO {owner}"));
        let grant = format!("GRANT CREATE ON SCHEMA public TO {owner}");
        db.client().batch_execute(&grant).unwrap();
        let url = db.url_as(&owner);
        for arguments in [&["up"][..], &["grant", "--publisher", &publisher]] {
            let mut command = ext_migrate();
            command.args(arguments).args(["--database-url", &url]);
            assert!(command.output().unwrap().status.success(), "{command:?}");
        }
        Self {
            database: db.keep(),
            owner,
            publisher,
        }
    }

    fn assert_rights(&self, server: &Server) {
        for role in [&self.owner, &self.publisher] {
            let mut client = server
                .config(&self.database)
                .user(role)
                .connect(postgres::NoTls)
                .unwrap();
            finalize(&mut client, &manifest("1.0.*"), &hash(1)).unwrap();
        }
    }
}

/// Checksums must be as they were; from 18 on they are the default.
fn options(old: &Server, pg_config: &Path) -> Options {
    let checksums = old
        .client("postgres")
        .query_one("SELECT current_setting('data_checksums')", &[]);
    let checksums: String = checksums.unwrap().get(0);
    let mut options = Options {
        pg_config: Some(pg_config.to_owned()),
        ..Options::default()
    };
    let initdb = pg_config.with_file_name("initdb");
    let help = Command::new(initdb).arg("--help").output().unwrap();
    match checksums.as_str() {
        "on" => options.initdb.push("--data-checksums".to_owned()),
        _ if String::from_utf8_lossy(&help.stdout).contains("--no-data-checksums") => {
            options.initdb.push("--no-data-checksums".to_owned());
        }
        _ => {}
    }
    options
}

/// 15.20 keeps a stamp with each column, which 16.14 and 18.4 refuse to read. Whoever upgrades in earnest takes a new
/// server that is as recent as the old one; here the old one may be ahead.
fn remove_unknown_stamps(old: &Server, pg_config: &Path, databases: &[&str]) {
    let postgres = pg_config.with_file_name("postgres");
    let mut grep = Command::new("grep");
    let known = grep.args(["-q", "pg_attver"]).arg(postgres).status();
    if known.unwrap().success() {
        return;
    }
    for database in ["postgres", "template1"].iter().chain(databases) {
        old.client(database)
            .batch_execute(
                "SET session_replication_role = replica;
                 UPDATE pg_attribute
                 SET attoptions = nullif(ARRAY(SELECT o FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%'), '{}')
                 WHERE attoptions::text LIKE '%pg_attver%'",
            )
            .unwrap();
    }
}

fn major_of(server: &Server) -> u32 {
    let row = server.client("postgres").query_one(
        "SELECT current_setting('server_version_num')::int / 10000",
        &[],
    );
    row.unwrap().get::<_, i32>(0).unsigned_abs()
}
