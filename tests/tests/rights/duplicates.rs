//! What the duplicate error tells whom: the contract's fields, to those who may publish.

use ext_registry_tests::{Refusal, Server, finalize, hash, manifest, publish};

/// Those of 1.0, and those since 1.2.
const FIELDS: [&str; 7] = [
    "code",
    "extension_id",
    "publisher",
    "name",
    "version",
    "existing",
    "same_content",
];
const SINCE_1_2: [&str; 2] = ["same_manifest", "same_signature"];

#[test]
fn a_publisher_who_may_not_read_is_told_the_fields_of_the_contract() {
    let db = Server::shared().migrated_database();
    let mut given = manifest("1.0.0");
    given["precompiled"] = serde_json::json!({"secret": "of the bundle"});
    given["capabilities"] = serde_json::json!(["secret of the version"]);
    db.client()
        .execute(
            "SELECT FROM ext_finalize_version($1::text::jsonb, $2, 'secret signature', 's3://secret/url')",
            &[&given.to_string(), &hash(0)],
        )
        .unwrap();
    let role = db.create_role("publisher");
    db.ext_migrate(&["grant", "--publisher", &role]).succeeded();
    let mut client = db.client_as(&role);
    for table in [
        "extension_registry",
        "extension_version",
        "extension_bundle",
    ] {
        client
            .execute(&format!("SELECT FROM {table}"), &[])
            .refused()
            .with_sqlstate("42501");
    }
    for content in [hash(0), hash(1)] {
        let error = finalize(&mut client, &manifest("1.0.0"), &content).unwrap_err();
        assert_eq!(error.as_db_error().unwrap().where_(), None);
        let refused = Err::<(), _>(error)
            .refused()
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_table("public", "extension_version");
        let detail = refused.detail.as_object().unwrap();
        let fields: Vec<_> = detail.keys().map(String::as_str).collect();
        assert!(
            FIELDS.iter().all(|field| fields.contains(field)),
            "{fields:?}"
        );
        let known = |field: &&str| FIELDS.contains(field) || SINCE_1_2.contains(field);
        assert!(fields.iter().all(known), "{fields:?}");
        let mut existing: Vec<_> = detail["existing"].as_object().unwrap().keys().collect();
        existing.sort();
        assert_eq!(
            existing,
            ["content_hash", "published_at", "version", "version_id"]
        );
        assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
    }
}

#[test]
fn whoever_may_not_publish_is_told_nothing_of_what_is_there() {
    let db = Server::shared().migrated_database();
    publish(&mut db.client(), "1.0.0");
    let role = db.create_role("nobody");
    let mut client = db.client_as(&role);
    for version in ["1.0.0", "2.0.0", "1.0.*", "no version"] {
        let refused = finalize(&mut client, &manifest(version), &hash(0))
            .refused()
            .with_sqlstate("42501");
        assert_eq!(
            refused.message,
            "permission denied for function ext_finalize_version"
        );
        assert_eq!((refused.detail_text, refused.table), (None, None));
    }
}
