//! `ext-migrate` connects as libpq does: URL, variables, password file, every sslmode; and never shows a password.

mod attributes;
mod tls;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use ext_registry_tests::{Options, Outcome, Server, built_with_tls, ext_migrate};

const PASSWORD: &str = "p:w/d@%1\\'";

/// Roles `scram` (password only) and `tls` (password, TLS only) on a server that speaks TLS where it was built with it.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let server = Server::start(&Options {
        tcp: true,
        tls: built_with_tls(),
        hba: [
            "host all scram 127.0.0.1/32 scram-sha-256",
            "hostssl all tls 127.0.0.1/32 scram-sha-256",
            "hostnossl all tls 127.0.0.1/32 reject",
            "hostnossl all plain 127.0.0.1/32 trust",
            "hostssl all plain 127.0.0.1/32 reject",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..Options::default()
    });
    for role in ["scram", "tls", "plain"] {
        server.administer(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{}'",
            PASSWORD.replace('\'', "''")
        ));
    }
    server
});

/// An empty home, so that no file of the user counts.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("home.{}.{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_string_lossy().into_owned()
    }

    fn status(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = ext_migrate();
        command
            .arg("status")
            .env("HOME", &self.0)
            .envs(settings.iter().copied());
        command
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(command: &mut Command) -> Outcome {
    let outcome = Outcome::from(command.output().unwrap());
    let output = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(
        !output.contains(PASSWORD) && !output.contains("p%3A"),
        "{output}"
    );
    outcome
}

fn port() -> String {
    SERVER.port().to_string()
}

fn encoded() -> &'static str {
    "p%3Aw%2Fd%40%251%5C%27"
}

#[test]
fn a_url_with_a_password() {
    let home = Home::new("url");
    let url = format!(
        "postgres://scram:{}@127.0.0.1:{}/postgres",
        encoded(),
        port()
    );
    run(home.status(&[]).args(["--database-url", &url])).exited(0);
    run(&mut home.status(&[("DATABASE_URL", &url)])).exited(0);
    // The option counts before the variable.
    let wrong = "postgres://scram@127.0.0.1:1/postgres";
    run(home
        .status(&[("DATABASE_URL", wrong)])
        .args(["--database-url", &url]))
    .exited(0);
    let string = format!(
        "host=127.0.0.1 port={} user=scram dbname=postgres password='p:w/d@%1\\\\\\''",
        port()
    );
    run(home.status(&[]).args(["--database-url", &string])).exited(0);
}

#[test]
fn variables_of_libpq() {
    let home = Home::new("variables");
    let port = port();
    let base = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", &port),
        ("PGUSER", "scram"),
        ("PGDATABASE", "postgres"),
    ];
    let with = |more: &[(&str, &str)]| run(&mut home.status(&[&base, more].concat()));
    with(&[("PGPASSWORD", PASSWORD)]).exited(0);
    with(&[
        ("PGPASSWORD", PASSWORD),
        ("PGHOST", "nowhere.invalid"),
        ("PGHOSTADDR", "127.0.0.1"),
    ])
    .exited(0);
    with(&[
        ("PGPASSWORD", PASSWORD),
        ("PGOPTIONS", "-c statement_timeout=5s"),
        ("PGAPPNAME", "x"),
        ("PGCONNECT_TIMEOUT", "5"),
    ])
    .exited(0);
    let refused = with(&[("PGPASSWORD", "wrong")]).exited(7);
    assert!(refused.stderr.contains("28P01"), "{refused:?}");
    // A URL gives what it gives; the rest comes from the variables.
    run(home
        .status(&[&base[..], &[("PGPASSWORD", PASSWORD)]].concat())
        .args(["--database-url", "postgres:///template1"]))
    .exited(0);
    let refused = with(&[("PGSSLMODE", "nonsense")]).exited(2);
    assert!(refused.stderr.contains("sslmode"), "{refused:?}");
    with(&[("PGREQUIREPEER", "postgres")]).exited(2);
}

#[test]
fn a_password_file() {
    let home = Home::new("passfile");
    let port = port();
    let base = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", port.as_str()),
        ("PGUSER", "scram"),
        ("PGDATABASE", "postgres"),
    ];
    let line = format!(
        "127.0.0.1:{port}:*:scram:{}\n",
        PASSWORD.replace('\\', "\\\\").replace(':', "\\:")
    );
    run(&mut home.status(&base)).exited(7);
    home.write(
        ".pgpass",
        &format!("# comment\nelsewhere:*:*:*:no\n{line}"),
        0o600,
    );
    run(&mut home.status(&base)).exited(0);
    home.write(".pgpass", &line, 0o644);
    let refused = run(&mut home.status(&base)).exited(7);
    assert!(refused.stderr.contains("chmod 600"), "{refused:?}");
    let other = home.write("other", &line, 0o600);
    run(&mut home.status(&[&base[..], &[("PGPASSFILE", &other)]].concat())).exited(0);
}

#[test]
fn a_service_file() {
    let home = Home::new("service");
    let text = format!(
        "[other]\nhost=nowhere\n[mine]\nhost=127.0.0.1\nport={}\nuser=scram\ndbname=postgres\n",
        port()
    );
    let file = home.write("services", &text, 0o644);
    let settings = [
        ("PGSERVICE", "mine"),
        ("PGSERVICEFILE", &file),
        ("PGPASSWORD", PASSWORD),
    ];
    run(&mut home.status(&settings)).exited(0);
    let refused =
        run(&mut home.status(&[("PGSERVICE", "none"), ("PGSERVICEFILE", &file)])).exited(2);
    assert!(refused.stderr.contains("\"none\""), "{refused:?}");
}

#[test]
fn an_error_names_host_database_and_cause_in_one_line() {
    let home = Home::new("errors");
    for (url, words) in [
        (
            "postgres://me:secret@127.0.0.1:1/app",
            ["\"127.0.0.1\" port 1", "\"app\"", "refused"],
        ),
        (
            "postgres://me:secret@nowhere.invalid/app",
            ["\"nowhere.invalid\"", "\"app\"", "lookup"],
        ),
        (
            "postgres://me:secret@%2Fnowhere/app",
            ["/nowhere/.s.PGSQL.5432", "\"app\"", "No such file"],
        ),
    ] {
        let refused = run(home.status(&[]).args(["--database-url", url])).exited(7);
        for word in words {
            assert!(refused.stderr.contains(word), "{word}: {refused:?}");
        }
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        assert!(!refused.stderr.contains("secret"), "{refused:?}");
    }
    let url = format!(
        "postgres://scram:wrong-secret@127.0.0.1:{}/postgres",
        port()
    );
    let refused = run(home
        .status(&[])
        .args(["--database-url", &url, "--format", "json"]))
    .exited(7);
    assert_eq!(refused.json()["error"]["code"], "NO_CONNECTION");
    assert!(
        !refused.stdout.contains("secret") && !refused.stderr.contains("secret"),
        "{refused:?}"
    );
}

#[test]
fn a_malformed_url_shows_no_part_of_a_password() {
    let home = Home::new("malformed");
    for url in [
        "postgres://me:sec/ret@127.0.0.1/app",
        "postgres://me:sec?ret@127.0.0.1/app",
        "postgres://me:sec@ret@127.0.0.1/app",
        "postgres://me:sec%ret@127.0.0.1/app",
        "postgres//me:secret@127.0.0.1/app",
        "me:secret@127.0.0.1/app",
        "host=127.0.0.1 password=sec ret",
    ] {
        let refused = run(home.status(&[]).args(["--database-url", url])).exited(2);
        let output = format!("{}{}", refused.stdout, refused.stderr);
        assert!(
            !output.contains("sec") && !output.contains("ret"),
            "{url}: {output}"
        );
    }
}

#[test]
fn several_hosts_are_tried_in_order() {
    let home = Home::new("hosts");
    let url = format!(
        "postgres://scram:{}@127.0.0.1:1,127.0.0.1:{}/postgres",
        encoded(),
        port()
    );
    run(home.status(&[]).args(["--database-url", &url])).exited(0);
}
