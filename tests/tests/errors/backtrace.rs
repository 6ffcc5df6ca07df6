//! A server that was started with Rust's own debugging switched on.

use ext_registry_tests::{Options, Refusal, Server, finalize, hash, manifest, publish};
use serde_json::json;

#[test]
fn no_backtrace_in_an_error() {
    let environment = ["RUST_BACKTRACE=full", "RUST_LIB_BACKTRACE=1"]
        .map(str::to_owned)
        .to_vec();
    let server = Server::start(&Options {
        environment,
        ..Options::default()
    });
    let db = server.migrated_database();
    let mut client = db.client();
    publish(&mut client, "1.0.0");
    for (wrong, content_hash, code) in [
        (
            manifest("1.0.0"),
            hash(0),
            "EXTENSION_VERSION_ALREADY_EXISTS",
        ),
        (json!({}), hash(0), "INVALID_MANIFEST"),
        (manifest("1.0.1"), "x".to_owned(), "INVALID_CONTENT_HASH"),
    ] {
        let refused = finalize(&mut client, &wrong, &content_hash)
            .refused()
            .with_code(code);
        let texts = format!("{} {:?}", refused.message, refused.hint);
        assert!(
            !texts.contains('\n') && !texts.contains("backtrace"),
            "{texts}"
        );
    }
    client
        .execute("SELECT FROM ext_finalize_version(NULL, NULL)", &[])
        .refused()
        .with_code("NULL_ARGUMENT");
    assert!(!server.log().contains("ext_registry::"), "{}", server.log());
}
