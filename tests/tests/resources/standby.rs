//! A hot standby answers readers and says no to publishers.

use ext_registry_tests::{Refusal, Server, finalize, hash, list, manifest, wait_until};

#[test]
fn a_hot_standby_lists_and_does_not_publish() {
    let primary = Server::shared();
    let db = primary.migrated_database();
    let mut client = db.client();
    let first = finalize(&mut client, &manifest("1.0.0"), &hash(1)).unwrap();
    let standby = Server::standby_of(primary);
    let mut reader = standby.client(db.name());
    let recovering = reader.query_one("SELECT pg_is_in_recovery()", &[]).unwrap();
    assert!(recovering.get::<_, bool>(0));

    assert_eq!(
        list(&mut reader, first.extension_id, None).unwrap(),
        list(&mut client, first.extension_id, None).unwrap()
    );
    let row = reader
        .query_one("SELECT ext_extension_id('acme', 'widget')", &[])
        .unwrap();
    assert_eq!(row.get::<_, uuid::Uuid>(0), first.extension_id);

    // What is published later arrives.
    finalize(&mut client, &manifest("1.1.0"), &hash(2)).unwrap();
    wait_until("the standby has replayed it", || {
        list(&mut reader, first.extension_id, None).unwrap().len() == 2
    });

    for version in ["1.0.0", "1.0.*", "2.0.0"] {
        finalize(&mut reader, &manifest(version), &hash(1))
            .refused()
            .with_sqlstate("25006");
    }
    // What is wrong in itself is said first, as on the primary.
    finalize(&mut reader, &manifest("one"), &hash(1))
        .refused()
        .with_code("INVALID_MANIFEST");
    let state = reader
        .query_one(
            "SELECT current_user::text, current_setting('search_path')",
            &[],
        )
        .unwrap();
    assert_eq!(
        (state.get::<_, &str>(0), state.get::<_, &str>(1)),
        ("postgres", "\"$user\", public")
    );
}
