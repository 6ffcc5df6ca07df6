//! `sql/versions.psql`: what it prints, for whom, and that no name can break out of it.

use ext_registry_tests::{Database, Outcome, Server};

const HASH: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Publishes one version per entry, in that order.
fn publish(db: &Database, publisher: &str, name: &str, versions: &[&str]) {
    for version in versions {
        db.client()
            .execute(
                "SELECT FROM ext_finalize_version(
                     jsonb_build_object('publisher', $1::text, 'name', $2::text, 'version', $3::text, 'runtime', 'node@20'), $4)",
                &[&publisher, &name, version, &HASH],
            )
            .unwrap();
    }
}

fn view(db: &Database, options: &[&str]) -> Outcome {
    let mut psql = db.program("psql");
    psql.args(["-X", "-f", "sql/versions.psql"]).args(options);
    psql.output().unwrap().into()
}

/// Cells of the table, without heading and rule.
fn rows(outcome: &Outcome) -> Vec<Vec<String>> {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
    outcome
        .stdout
        .lines()
        .filter(|line| line.contains('|'))
        .map(cells)
        .collect()
}

#[test]
fn it_shows_every_version_newest_first() {
    let db = Server::shared().migrated_database();
    publish(&db, "acme", "widget", &["1.0.0", "1.1.0", "0.9.0"]);
    let outcome = view(&db, &["-v", "publisher=acme", "-v", "name=widget"]).succeeded();
    assert_eq!(
        outcome.stdout.lines().next().map(str::trim),
        Some("Versions")
    );
    let rows = rows(&outcome);
    assert_eq!(
        rows[0],
        ["Version", "Published", "Content hash", "Installed"]
    );
    let versions: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(versions, ["0.9.0", "1.1.0", "1.0.0"]);
    for row in &rows[1..] {
        assert_eq!(
            (row[1].len(), row[2].as_str(), row[3].as_str()),
            (26, HASH, ""),
            "{row:?}"
        );
    }
    assert_eq!(outcome.stderr, "");
}

#[test]
fn it_marks_what_this_tenant_has_installed() {
    let db = Server::shared().migrated_database();
    publish(&db, "acme", "widget", &["1.0.0", "1.1.0"]);
    let tenant = "o'brien \"x\"";
    db.client()
        .execute(
            "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
             SELECT gen_random_uuid(), $1, registry_id, id FROM extension_version WHERE version = '1.0.0'",
            &[&tenant],
        )
        .unwrap();
    let marks = |tenant: &str| {
        let option = format!("tenant={tenant}");
        let outcome = view(
            &db,
            &["-v", "publisher=acme", "-v", "name=widget", "-v", &option],
        )
        .succeeded();
        rows(&outcome)[1..]
            .iter()
            .map(|row| (row[0].clone(), row[3].clone()))
            .collect::<Vec<_>>()
    };
    let expected = |mark: &str| {
        vec![
            ("1.1.0".to_owned(), String::new()),
            ("1.0.0".to_owned(), mark.to_owned()),
        ]
    };
    assert_eq!(marks(tenant), expected("yes"));
    assert_eq!(marks("somebody else"), expected(""));
}

#[test]
fn without_versions_it_says_so() {
    let db = Server::shared().migrated_database();
    db.client()
        .batch_execute("INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'empty')")
        .unwrap();
    for name in ["name=empty", "name=unknown"] {
        let outcome = view(&db, &["-v", "publisher=acme", "-v", name]).succeeded();
        let lines: Vec<&str> = outcome
            .stdout
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(
            (lines[0], *lines.last().unwrap()),
            ("Versions", "No versions published yet."),
            "{lines:?}"
        );
    }
}

#[test]
fn it_can_be_a_page() {
    let db = Server::shared().migrated_database();
    publish(&db, "acme", "<b>", &["1.0.0"]);
    let page = view(&db, &["-H", "-v", "publisher=acme", "-v", "name=<b>"])
        .succeeded()
        .stdout;
    for part in [
        "<caption>Versions</caption>",
        "Content hash</th>",
        "1.0.0</td>",
        HASH,
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    let page = view(&db, &["-H", "-v", "publisher=acme", "-v", "name=none"])
        .succeeded()
        .stdout;
    assert!(
        page.contains("Versions</th>") && page.contains("No versions published yet.</td>"),
        "{page}"
    );
}

#[test]
fn names_and_schema_need_no_care() {
    let db = Server::shared().empty_database();
    let schema = "My registry; :x";
    db.ext_migrate(&["up", "--schema", schema]).succeeded();
    let mut client = db.client();
    client
        .batch_execute("SET search_path = \"My registry; :x\"")
        .unwrap();
    client
        .execute(
            r#"SELECT FROM ext_finalize_version(
                '{"publisher": "o''brien\\\" :x", "name": "%s $1", "version": "1.0.0", "runtime": "node@20"}', $1)"#,
            &[&HASH],
        )
        .unwrap();
    let schema = format!("schema={schema}");
    let options = [
        "-v",
        "publisher=o'brien\\\" :x",
        "-v",
        "name=%s $1",
        "-v",
        &schema,
    ];
    let outcome = view(&db, &options).succeeded();
    assert_eq!(rows(&outcome)[1][0], "1.0.0");
}

#[test]
fn without_a_name_it_asks_and_fails() {
    let db = Server::shared().migrated_database();
    for options in [&[][..], &["-v", "publisher=acme"], &["-v", "name=widget"]] {
        let outcome = view(&db, options).exited(3);
        assert!(outcome.stderr.contains("Which extension?"), "{outcome:?}");
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn included_in_a_session_it_puts_settings_back() {
    let db = Server::shared().migrated_database();
    let show = "\\echo :QUIET :ON_ERROR_STOP :VERBOSITY\nSELECT 1 AS one;\n";
    let run = |script: &str| {
        let mut psql = db.program("psql");
        psql.args(["-X", "-v", "publisher=acme", "-v", "name=widget"]);
        with_input(psql, script).succeeded().stdout
    };
    let shown = run(show);
    let around = run(&format!("{show}\\i sql/versions.psql\n{show}"));
    assert!(
        around.starts_with(&shown) && around.ends_with(&shown),
        "{around}"
    );
    assert!(around.contains("No versions published yet."), "{around}");
}

fn with_input(mut command: std::process::Command, input: &str) -> Outcome {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}
