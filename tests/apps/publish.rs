//! Publishes with the crate `postgres`: a new version, the same again after a "lost" answer, other content under its
//! number.

// README: begin
use postgres::{Client, Error};
use serde_json::{Value, json};
use uuid::Uuid;

/// The id of the published version, also where an earlier try has published it and its answer got lost.
fn publish(client: &mut Client, manifest: &Value, content_hash: &str) -> Result<Uuid, Error> {
    let sql = "SELECT version_id FROM ext_finalize_version($1, $2)";
    match client.query_one(sql, &[manifest, &content_hash]) {
        Ok(row) => row.try_get(0),
        Err(error) => published_before(&error).ok_or(error),
    }
}

fn published_before(error: &Error) -> Option<Uuid> {
    let error = error.as_db_error()?;
    if error.constraint() != Some("extension_version_registry_id_version_unique") {
        return None;
    }
    let duplicate: Value = serde_json::from_str(error.detail()?).ok()?;
    let existing = duplicate["existing"]["version_id"].as_str()?;
    (duplicate["same_content"] == true).then(|| existing.parse().ok())?
}
// README: end

/// Gives the message of the refusal.
pub fn run(client: &mut Client) -> String {
    let manifest =
        json!({"publisher": "acme", "name": "rust", "version": "1.0.0", "runtime": "rust-1"});
    let published = publish(client, &manifest, &"a".repeat(64)).expect("the version is new");
    let again = publish(client, &manifest, &"a".repeat(64)).expect("the content is the same");
    assert_eq!(again, published);
    let refusal = publish(client, &manifest, &"b".repeat(64)).expect_err("the content differs");
    let message = refusal
        .as_db_error()
        .map(|error| error.message().to_owned());
    message.expect("the server refused it")
}
