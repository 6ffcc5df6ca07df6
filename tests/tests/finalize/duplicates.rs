//! A version that exists is refused: EXTENSION_VERSION_ALREADY_EXISTS with all its fields.

use ext_registry_tests::{
    Database, Published, Refusal, Refused, Server, finalize, hash, list, manifest, manifest_of,
    publish, row_counts,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a duplicate says that it has in common with the version in the way.
#[derive(Clone, Copy)]
struct Same {
    content: bool,
    manifest: bool,
    signature: bool,
}

const ALL: Same = Same {
    content: true,
    manifest: true,
    signature: true,
};
const OTHER_CONTENT: Same = Same {
    content: false,
    ..ALL
};
const OTHER_MANIFEST: Same = Same {
    manifest: false,
    ..ALL
};

/// Everything the contract says about this error.
#[track_caller]
fn assert_duplicate(refused: Refused, existing: &Published, same: Same) {
    let refused = refused
        .with_sqlstate("23505")
        .with_message_containing("already exists")
        .with_message_containing(&existing.version)
        .with_table("public", "extension_version")
        .with_constraint("extension_version_registry_id_version_unique");
    // As JSON prints a time.
    let published_at = format!("{}:00", existing.published_at.replace(' ', "T"));
    assert_eq!(
        refused.detail,
        json!({
            "code": "EXTENSION_VERSION_ALREADY_EXISTS",
            "extension_id": existing.extension_id.to_string(),
            "publisher": "acme",
            "name": "widget",
            "version": existing.version,
            "existing": {
                "version_id": existing.version_id.to_string(),
                "version": existing.version,
                "content_hash": existing.content_hash,
                "published_at": published_at,
            },
            "same_content": same.content,
            "same_manifest": same.manifest,
            "same_signature": same.signature,
        }),
        "{refused:#?}"
    );
    // What to do next.
    assert!(
        refused.message.contains("publish a new version"),
        "{refused:#?}"
    );
    let published = same.content && same.manifest && same.signature;
    let hint = refused.hint.as_deref().unwrap();
    assert_eq!(hint.contains("is published"), published, "{refused:#?}");
    assert_eq!(hint.contains("next patch"), !published, "{refused:#?}");
    assert!(!refused.detail_text.unwrap().contains('\n'));
}

#[test]
fn extension_version_already_exists_with_identical_content() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let existing = publish(&mut client, "1.2.3");
    let refused = finalize(&mut client, &manifest("1.2.3"), &existing.content_hash).refused();
    assert_duplicate(refused, &existing, ALL);
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn extension_version_already_exists_with_different_content() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let existing = publish(&mut client, "1.2.3");
    let refused = finalize(&mut client, &manifest("1.2.3"), &hash(1)).refused();
    assert_duplicate(refused, &existing, OTHER_CONTENT);
    assert_eq!(row_counts(&mut client), (1, 1, 1));
}

#[test]
fn an_existing_version_is_refused_whatever_else_the_manifest_says() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let existing = publish(&mut client, "1.2.3");
    let mut other = manifest(" 1.2.3 ");
    other["runtime"] = json!("wasm-2");
    other["ui"] = json!({"type": "iframe", "entry": "other.html"});
    let digits = hash(0)[7..].to_uppercase();
    assert_duplicate(
        finalize(&mut client, &other, &digits).refused(),
        &existing,
        OTHER_MANIFEST,
    );
    let row = client
        .query_one("SELECT runtime, main_entry FROM extension_version", &[])
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), ("node@20", "main"));
}

#[test]
fn the_answer_stays_the_same_however_often_it_is_asked() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let existing = publish(&mut client, "1.2.3");
    for _ in 0..20 {
        let refused = finalize(&mut client, &manifest("1.2.3"), &hash(1)).refused();
        assert_duplicate(refused, &existing, OTHER_CONTENT);
    }
}

#[test]
fn a_version_published_earlier_in_the_same_transaction_is_refused() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let mut transaction = client.transaction().unwrap();
    let existing = publish(&mut transaction, "1.2.3");
    let refused = finalize(&mut transaction, &manifest("1.2.3"), &hash(0)).refused();
    assert_duplicate(refused, &existing, ALL);
    transaction.rollback().unwrap();
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn a_version_published_earlier_in_the_same_statement_is_refused() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .execute(
            "SELECT ext_finalize_version($1::text::jsonb, $2) FROM generate_series(1, 2)",
            &[&manifest("1.2.3").to_string(), &hash(0)],
        )
        .refused()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", true);
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}

#[test]
fn another_extension_may_have_the_same_version() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.2.3");
    finalize(&mut client, &manifest_of("gadget", "1.2.3"), &hash(0)).unwrap();
    let mut other = manifest("1.2.3");
    other["publisher"] = json!("umbrella");
    finalize(&mut client, &other, &hash(0)).unwrap();
    assert_eq!(row_counts(&mut client), (3, 3, 3));
}

#[test]
fn the_publish_time_has_the_time_zone_of_the_session() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let existing = publish(&mut client, "1.2.3");
    client
        .batch_execute("SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German, DMY'")
        .unwrap();
    let refused = finalize(&mut client, &manifest("1.2.3"), &hash(1)).refused();
    let text = refused.detail["existing"]["published_at"].as_str().unwrap();
    assert!(text.ends_with("+05:45"), "{text}");
    client.batch_execute("RESET DateStyle").unwrap();
    let row = client
        .query_one(
            "SELECT $1::text::timestamptz = $2::text::timestamptz",
            &[&text, &existing.published_at],
        )
        .unwrap();
    assert!(row.get::<_, bool>(0), "{text} {existing:?}");
}

/// A version of `acme/widget` without a bundle, as an app that publishes in two statements leaves it.
fn version_without_bundle(db: &Database<'_>) -> (Uuid, Uuid) {
    let (extension_id, version_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut client = db.client();
    client
        .execute(
            "INSERT INTO extension_registry (id, publisher, name) VALUES ($1, 'acme', 'widget')",
            &[&extension_id],
        )
        .unwrap();
    client
        .execute(
            "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             VALUES ($1, $2, '1.2.3', 'a-b', 'main')",
            &[&version_id, &extension_id],
        )
        .unwrap();
    (extension_id, version_id)
}

#[test]
fn a_version_without_bundle_is_refused_too() {
    let db = Server::shared().migrated_database();
    let (extension_id, version_id) = version_without_bundle(&db);
    let mut client = db.client();
    let refused = finalize(&mut client, &manifest("1.2.3"), &hash(0))
        .refused()
        .with_sqlstate("23505")
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("extension_id", extension_id.to_string())
        .with_detail("same_content", false);
    let existing = &refused.detail["existing"];
    assert_eq!(existing["version_id"], version_id.to_string());
    assert_eq!(existing["content_hash"], Value::Null);
    assert!(existing["published_at"].is_string());
    assert_eq!(row_counts(&mut client), (1, 1, 0));
}

/// Rows that only an old database has, marked as adopted, as replication and restore bring them.
fn old_rows(db: &Database<'_>, created_at: &str, bundles: &[(&str, &str)]) {
    let mut values = String::new();
    for (number, (hash, created_at)) in bundles.iter().enumerate() {
        values.push_str(&format!(
            "INSERT INTO extension_bundle (id, version_id, content_hash, created_at, adopted)
             VALUES ('{}', '{}', '{hash}', {created_at}, true);",
            Uuid::from_u128(number as u128 + 10),
            Uuid::from_u128(2),
        ));
    }
    db.client()
        .batch_execute(&format!(
            "SET session_replication_role = replica;
             INSERT INTO extension_registry (id, publisher, name) VALUES ('{registry}', 'acme', 'widget');
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at, adopted)
             VALUES ('{version}', '{registry}', '1.2.3', 'old', 'main', {created_at}, true);
             {values}",
            registry = Uuid::from_u128(1),
            version = Uuid::from_u128(2),
        ))
        .unwrap();
}

#[test]
fn an_old_version_with_several_bundles_shows_the_one_that_the_list_shows() {
    let db = Server::shared().migrated_database();
    let (day1, day2) = ("'2020-01-01'", "'2020-01-02'");
    let bundles = [hash(1), hash(3), hash(2), hash(9)];
    old_rows(
        &db,
        day1,
        &[
            (&bundles[0], day2),
            (&bundles[1], day2),
            (&bundles[2], day2),
            (&bundles[3], day1),
        ],
    );
    let mut client = db.client();
    let shown = list(&mut client, Uuid::from_u128(1), None).unwrap();
    assert_eq!(shown[0].content_hash.as_deref(), Some(hash(3).as_str()));
    for (content, same_content) in [(1, true), (2, true), (3, true), (9, true), (4, false)] {
        let refused = finalize(&mut client, &manifest("1.2.3"), &hash(content))
            .refused()
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_detail("same_content", same_content);
        assert_eq!(refused.detail["existing"]["content_hash"], hash(3));
    }
    assert_eq!(row_counts(&mut client), (1, 1, 4));
}

#[test]
fn an_old_version_without_publish_time_says_so() {
    let db = Server::shared().migrated_database();
    old_rows(&db, "NULL", &[]);
    let refused = finalize(&mut db.client(), &manifest("1.2.3"), &hash(0))
        .refused()
        .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
        .with_detail("same_content", false);
    assert_eq!(refused.detail["existing"]["published_at"], Value::Null);
    assert_eq!(refused.detail["existing"]["content_hash"], Value::Null);
}

#[test]
fn an_old_hash_is_the_same_content_however_it_was_written() {
    for written in [
        hash(0xABCDEF)[7..].to_owned(),
        hash(0xABCDEF)[7..].to_uppercase(),
        format!("sha256:{}", hash(0xABCDEF)[7..].to_uppercase()),
    ] {
        let db = Server::shared().migrated_database();
        old_rows(&db, "now()", &[(&written, "now()")]);
        let refused = finalize(&mut db.client(), &manifest("1.2.3"), &hash(0xABCDEF))
            .refused()
            .with_detail("same_content", true);
        // As the list shows it.
        assert_eq!(refused.detail["existing"]["content_hash"], written);
    }
}
