//! A physical standby, before and after it is promoted.

use ext_registry_tests::{
    Contents, Options, Refusal, Server, finalize, hash, manifest, wait_until,
};

#[test]
fn a_standby_shows_all_and_takes_over() {
    let primary = Server::start(&Options::default());
    let db = primary.registry_of_many_years();
    let contents = Contents::of(&mut db.client());
    let standby = Server::standby_of(&primary);
    let mut client = standby.client(db.name());
    contents.assert_are_in(&mut client);
    finalize(&mut client, &manifest("3.0.0"), &hash(1))
        .refused()
        .with_sqlstate("25006");
    for command in ["check", "status", "plan"] {
        let outcome = ext_registry_tests::ext_migrate()
            .args([command, "--database-url", &standby.url(db.name())])
            .output();
        assert_eq!(outcome.unwrap().status.code(), Some(0), "{command}");
    }

    client
        .batch_execute("SELECT pg_promote()")
        .expect("it is a standby");
    wait_until("the standby is promoted", || {
        let recovering = client.query_one("SELECT pg_is_in_recovery()", &[]).unwrap();
        !recovering.get::<_, bool>(0)
    });
    contents.assert_live_in(&standby.kept_database(db.name()));
}
