//! What `make demo` shows, played on a server of the tests.

use ext_registry_tests::{Database, Outcome, Server};

fn play(db: &Database, script: &str) -> Outcome {
    let mut psql = db.program("psql");
    // From stdin, as the demo does: messages then carry no file name.
    let file = std::fs::File::open(ext_registry_tests::workspace_root().join(script)).unwrap();
    psql.args(["-X", "-q"]).stdin(file).output().unwrap().into()
}

#[test]
fn the_story_goes_as_told() {
    let db = Server::shared().migrated_database();
    db.client()
        .batch_execute(
            "DO $$ BEGIN CREATE ROLE demo_publisher; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
             GRANT USAGE ON SCHEMA public TO demo_publisher;
             GRANT EXECUTE ON FUNCTION ext_finalize_bundle TO demo_publisher",
        )
        .unwrap();

    let publishing = play(&db, "tests/demo/publish.sql").succeeded();
    let errors: Vec<&str> = publishing
        .stderr
        .lines()
        .filter(|line| line.starts_with("ERROR"))
        .collect();
    assert_eq!(errors.len(), 2, "{publishing:?}");
    assert!(
        errors
            .iter()
            .all(|error| error.contains("1.0.0") && error.contains("already exists")),
        "{errors:?}"
    );
    let (first, second) = publishing
        .stderr
        .split_once("\"same_content\":true")
        .expect("the identical duplicate first");
    assert!(
        !first.contains("\"same_content\":false") && second.contains("\"same_content\":false"),
        "{publishing:?}"
    );
    for version in [" 1.0.0 ", " 1.1.0 ", " 1.1.1 "] {
        assert!(
            publishing.stdout.contains(version),
            "no {version} in {publishing:?}"
        );
    }

    let rewriting = play(&db, "tests/demo/rewrite.sql");
    assert!(
        rewriting.stderr.contains("VERSION_IMMUTABLE"),
        "{rewriting:?}"
    );

    let row = db
        .client()
        .query_one(
            "SELECT count(*), count(DISTINCT content_hash) FROM extension_bundle",
            &[],
        )
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (3, 2));
}
