//! Sealing: what it appends, in which order, and what it refuses.

use ext_registry_tests::{Refusal, Server, publish};

use crate::world::{leaves, publish_many, seal, try_seal, verify};

#[test]
fn an_empty_registry_has_a_checkpoint_too() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .query("SELECT * FROM ext_log_checkpoint()", &[])
        .refused()
        .with_sqlstate("55000")
        .with_code("NOT_SEALED");
    let first = seal(&mut client);
    assert_eq!((first.size, first.appended), (0, 0));
    // SHA-256 of nothing.
    let note = format!(
        "{}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
        first.origin
    );
    assert_eq!(first.note, note);
    assert!(first.origin.starts_with("ext_registry/"));
    assert_eq!(seal(&mut client), first);
    assert_eq!(verify(&mut client), Vec::<String>::new());
}

#[test]
fn what_is_committed_is_appended_once() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 300);
    let first = seal(&mut client);
    assert_eq!((first.size, first.appended), (600, 600));
    let again = seal(&mut client);
    assert_eq!((again.size, again.appended), (600, 0));
    assert_eq!(again.root, first.root);
    publish_many(&mut client, 300, 1);
    let second = seal(&mut client);
    assert_eq!((second.size, second.appended), (602, 2));
    assert_eq!(second.origin, first.origin);
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM extension_log_checkpoint), (SELECT count(*) FROM extension_log_tile),
                    (SELECT count(*) FROM extension_log_leaf), (SELECT max(leaf_index) FROM extension_log_leaf)",
            &[],
        )
        .unwrap();
    let counts: [i64; 4] = std::array::from_fn(|column| row.get(column));
    assert_eq!(counts, [2, 2, 602, 601]);
    assert_eq!(verify(&mut client), Vec::<String>::new());
    let label: String = client
        .query_one(
            "SELECT label FROM extension_log_leaf WHERE leaf_index = 600",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(label, "acme/widget 300.0.0");
}

/// No high-water mark: a transaction that began before a seal and commits after it is in the next one.
#[test]
fn a_late_commit_is_in_the_next_seal() {
    let db = Server::shared().migrated_database();
    let (mut client, mut other) = (db.client(), db.client());
    // The entry is there: who creates it is waited for.
    publish_many(&mut other, 0, 1);
    let mut late = client.transaction().unwrap();
    let published = publish(&mut late, "1.0.0");
    publish_many(&mut other, 2, 1);
    assert_eq!(seal(&mut other).appended, 4);
    late.commit().unwrap();
    let next = seal(&mut other);
    assert_eq!((next.size, next.appended), (6, 2));
    assert_eq!(leaves(&mut other)[4].0, published.version_id);
    assert_eq!(verify(&mut other), Vec::<String>::new());
}

/// An older app publishes in two statements, and adds the bundle when it likes.
#[test]
fn a_bundle_that_comes_later_has_a_leaf_of_its_own() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 1);
    client
        .batch_execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT gen_random_uuid(), id, '1.5.0', 'node@20', 'main' FROM extension_registry",
        )
        .unwrap();
    assert_eq!(seal(&mut client).appended, 3);
    let before = leaves(&mut client);
    client
        .batch_execute(
            "INSERT INTO extension_bundle (id, version_id, content_hash)
             SELECT gen_random_uuid(), id, 'sha256:' || repeat('a', 64) FROM extension_version WHERE version = '1.5.0'",
        )
        .unwrap();
    assert_eq!(seal(&mut client).appended, 1);
    assert_eq!(leaves(&mut client)[..3], before);
    assert_eq!(verify(&mut client), Vec::<String>::new());
}

#[test]
fn a_log_keeps_its_origin() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for origin in ["", "two words", "a+b", "größe", &"x".repeat(256), "tab\t"] {
        client
            .query("SELECT * FROM ext_seal_log($1)", &[&origin])
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_ARGUMENT")
            .with_detail("argument", "origin");
    }
    for (origin, expected) in [
        (Some("example.com/registry"), "example.com/registry"),
        (None, "example.com/registry"),
        (Some("example.com/registry"), "example.com/registry"),
    ] {
        let row = client
            .query_one("SELECT origin FROM ext_seal_log($1)", &[&origin])
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), expected);
    }
    client
        .query("SELECT * FROM ext_seal_log('example.com/other')", &[])
        .refused()
        .with_sqlstate("22023")
        .with_detail("argument", "origin");
}

/// What is appended must not cover up what has been changed before.
#[test]
fn a_damaged_log_is_not_continued() {
    for damage in [
        "UPDATE extension_log_checkpoint SET root = sha256('')",
        "UPDATE extension_log_leaf SET leaf_hash = sha256('') WHERE leaf_index = 599",
        "UPDATE extension_log_tile SET root = sha256('') WHERE index = 1",
        "DELETE FROM extension_log_leaf WHERE leaf_index = 599",
        "DELETE FROM extension_log_tile WHERE index = 1",
    ] {
        let db = Server::shared().migrated_database();
        let mut client = db.client();
        publish_many(&mut client, 0, 300);
        seal(&mut client);
        publish_many(&mut client, 300, 1);
        client
            .batch_execute(&format!(
                "ALTER TABLE extension_log_leaf DISABLE TRIGGER USER;
                 ALTER TABLE extension_log_tile DISABLE TRIGGER USER;
                 ALTER TABLE extension_log_checkpoint DISABLE TRIGGER USER; {damage}"
            ))
            .unwrap();
        let before = leaves(&mut client);
        try_seal(&mut client)
            .refused()
            .with_sqlstate("XX001")
            .with_code("LOG_DAMAGED");
        assert_eq!(leaves(&mut client), before, "{damage}");
        assert!(!verify(&mut client).is_empty(), "{damage}");
    }
}

#[test]
fn a_read_only_transaction_cannot_seal_or_sign() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    seal(&mut client);
    for call in [
        "SELECT ext_seal_log()",
        "SELECT ext_sign_checkpoint(0, 'key AAAAAAAA')",
    ] {
        client
            .batch_execute(&format!("BEGIN READ ONLY; {call}"))
            .refused()
            .with_sqlstate("25006");
        client.batch_execute("ROLLBACK").unwrap();
    }
    let mut reading = client.build_transaction().read_only(true).start().unwrap();
    let rows = reading
        .query("SELECT * FROM ext_verify_log()", &[])
        .unwrap();
    assert!(rows.is_empty());
    reading
        .query_one("SELECT * FROM ext_log_checkpoint()", &[])
        .unwrap();
}

/// Signatures are kept once, as the lines of a signed note.
#[test]
fn a_note_carries_its_signatures() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let sealed = seal(&mut client);
    for line in [
        "\u{2014} one.example/key AAAAAAAA",
        "two AAAA+/8=",
        "two AAAA+/8=",
    ] {
        client
            .execute("SELECT ext_sign_checkpoint(0, $1)", &[&line])
            .unwrap();
    }
    let note: String = client
        .query_one("SELECT note FROM ext_log_checkpoint()", &[])
        .unwrap()
        .get(0);
    let expected = format!(
        "{}\u{2014} one.example/key AAAAAAAA\n\u{2014} two AAAA+/8=\n",
        sealed.note
    );
    assert_eq!(note, expected);
    for line in [
        "",
        "key",
        "key ",
        "key AAA",
        "k+ AAAAAAAA",
        "key AAAA\nAAAA",
        "a b AAAAAAAA",
    ] {
        client
            .execute("SELECT ext_sign_checkpoint(0, $1)", &[&line])
            .refused()
            .with_sqlstate("22023")
            .with_detail("argument", "line");
    }
    client
        .execute("SELECT ext_sign_checkpoint(1, 'key AAAAAAAA')", &[])
        .refused()
        .with_sqlstate("22023")
        .with_detail("argument", "tree_size");
    for call in [
        "ext_sign_checkpoint(NULL, 'a')",
        "ext_sign_checkpoint(0, NULL)",
    ] {
        client
            .execute(&format!("SELECT {call}"), &[])
            .refused()
            .with_sqlstate("22004");
    }
}

/// In a transaction that has written, no seal comes between the queries of the audit.
#[test]
fn a_transaction_verifies_what_it_has_published_and_sealed() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 0, 3);
    seal(&mut client);
    let mut transaction = client.transaction().unwrap();
    publish(&mut transaction, "100.0.0");
    let rows = transaction
        .query("SELECT * FROM ext_verify_log()", &[])
        .unwrap();
    assert!(rows.is_empty());
    seal(&mut transaction);
    let rows = transaction
        .query("SELECT * FROM ext_verify_log()", &[])
        .unwrap();
    assert!(rows.is_empty());
    transaction.rollback().unwrap();
    assert_eq!(seal(&mut client).size, 6);
    assert_eq!(verify(&mut client), Vec::<String>::new());
}

/// A signature, too, is kept or refused.
#[test]
fn a_signature_that_a_trigger_swallows_is_not_stored() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    seal(&mut client);
    let sign = "SELECT ext_sign_checkpoint(0, 'key AAAAAAAA')";
    client
        .batch_execute(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER swallow BEFORE INSERT ON extension_log_signature
             FOR EACH ROW EXECUTE FUNCTION swallow()",
        )
        .unwrap();
    client
        .execute(sign, &[])
        .refused()
        .with_sqlstate("55000")
        .with_code("NOT_STORED")
        .with_detail("what", "the signature");
    client
        .batch_execute("DROP FUNCTION swallow CASCADE")
        .unwrap();
    for _ in 0..2 {
        client.execute(sign, &[]).unwrap();
    }
}
