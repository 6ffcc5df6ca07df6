//! What a role has to be allowed: said before anything happens, with the GRANT, by `plan` and by `up`.

use ext_registry_tests::old_schema::old_schema;
use ext_registry_tests::{Database, Outcome, Server, assert_nothing_is_there, ext_migrate};

fn run_as(db: &Database, role: &str, arguments: &[&str]) -> Outcome {
    let output = ext_migrate()
        .args(arguments)
        .args(["--database-url", &db.url_as(role)])
        .output();
    output.expect("it starts").into()
}

/// Asserts that `plan` and `up` say the same, and gives what mends it.
fn refused(db: &Database, role: &str, options: &[&str]) -> String {
    let plan = run_as(db, role, &[&["plan", "--format", "json"], options].concat())
        .exited(1)
        .json();
    let refusals = plan["refusals"].as_array().expect("a list");
    assert_eq!(refusals.len(), 1, "{plan}");
    assert_eq!(refusals[0]["code"], "NO_RIGHT");
    let mend = refusals[0]["mend"].as_str().expect("a GRANT").to_owned();
    let up = run_as(db, role, &[&["up", "--format", "json"], options].concat()).exited(1);
    let error = &up.json()["error"];
    assert_eq!(error["code"], "NO_RIGHT");
    assert!(error["message"].as_str().expect("text").ends_with(&mend));
    mend
}

#[test]
fn a_fresh_database_asks_for_two_grants_at_once() {
    let db = Server::shared().empty_database();
    let role = db.create_role("deploy");
    let mend = refused(&db, &role, &[]);
    assert_eq!(
        mend,
        format!(
            "GRANT USAGE, CREATE ON SCHEMA \"public\" TO \"{role}\"; GRANT CREATE ON DATABASE \"{}\" TO \"{role}\"",
            db.name()
        )
    );
    assert_nothing_is_there(&mut db.client());
    // Without the extension the schema alone is asked for, and one that is not there of the database.
    let other = refused(&db, &role, &["--without-extension", "--schema", "other"]);
    assert!(other.starts_with("GRANT CREATE ON DATABASE"), "{other}");
    db.client().batch_execute(&mend).expect("superuser");
    run_as(&db, &role, &["up"]).succeeded();
    run_as(&db, &role, &["up"]).succeeded();
}

#[test]
fn an_owner_that_may_not_create_is_named_before_an_adoption_begins() {
    let db = Server::shared().empty_database();
    let (owner, deploy) = (db.create_role("owner"), db.create_role("deploy"));
    let mut client = db.client();
    client
        .batch_execute(&format!(
            "GRANT USAGE, CREATE ON SCHEMA public TO {owner}; SET ROLE {owner}; {}; RESET ROLE;
             REVOKE ALL ON SCHEMA public FROM {owner}; GRANT CREATE ON DATABASE {} TO {deploy}",
            old_schema(&[]),
            db.name()
        ))
        .expect("superuser");
    // Nobody's member: it may look, and is told what up would need.
    let plan = run_as(&db, &deploy, &["plan", "--exit-code", "--format", "json"])
        .exited(3)
        .json();
    let notes = plan["notes"].to_string();
    assert!(
        notes.contains("NO_RIGHT")
            && notes.contains(&format!("GRANT \\\"{owner}\\\" TO \\\"{deploy}\\\"")),
        "{plan}"
    );
    run_as(&db, &deploy, &["up"]).exited(1);
    client
        .batch_execute(&format!(
            "ALTER ROLE {deploy} NOINHERIT; GRANT {owner} TO {deploy}"
        ))
        .expect("superuser");
    let mend = refused(&db, &deploy, &[]);
    assert_eq!(
        mend,
        format!("GRANT USAGE, CREATE ON SCHEMA \"public\" TO \"{owner}\"")
    );
    let row = client
        .query_one(
            "SELECT to_regclass('ext_registry_schema_history') IS NULL",
            &[],
        )
        .expect("a row");
    assert!(row.get::<_, bool>(0), "nothing has begun");

    // A member that does not inherit can do all of it, the first time and every other time.
    client.batch_execute(&mend).expect("superuser");
    run_as(&db, &deploy, &["up"]).succeeded();
    for command in ["up", "plan", "status", "check"] {
        run_as(&db, &deploy, &[command]).succeeded();
    }
    client
        .batch_execute("DROP INDEX extension_version_release_idx")
        .expect("superuser");
    run_as(&db, &deploy, &["check"]).exited(8);
    run_as(&db, &deploy, &["up"]).succeeded();
    run_as(&db, &deploy, &["check"]).succeeded();
}

#[test]
fn counting_is_switched_on_where_the_role_may_and_asked_for_where_not() {
    let db = Server::shared().empty_database();
    let role = db.create_role("deploy");
    db.client()
        .batch_execute(&format!(
            "GRANT CREATE ON SCHEMA public TO {role}; GRANT CREATE ON DATABASE {name} TO {role};
             ALTER DATABASE {name} SET track_counts = off",
            name = db.name()
        ))
        .expect("superuser");
    let mend = refused(&db, &role, &[]);
    assert_eq!(
        mend,
        format!("ALTER DATABASE \"{}\" SET track_counts = on", db.name())
    );
    assert_nothing_is_there(&mut db.client());
    db.ext_migrate(&["up"]).succeeded();
    // Nothing to do, nothing to count.
    db.ext_migrate(&["plan"]).succeeded();
}
