//! Publishes and lists with tokio-postgres.

// README: begin
use serde_json::Value;
use tokio_postgres::{Client, Error};
use uuid::Uuid;

/// The id of the published version, also where an earlier try has published it and its answer got lost.
async fn publish(client: &Client, manifest: &Value, content_hash: &str) -> Result<Uuid, Error> {
    let sql = "SELECT version_id FROM ext_finalize_version($1, $2)";
    match client.query_one(sql, &[manifest, &content_hash]).await {
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
    let same = ["same_content", "same_manifest", "same_signature"];
    same.iter()
        .all(|same| duplicate[same] == true)
        .then(|| existing.parse().ok())?
}

const EARLIER: &str = "
    SELECT version_id FROM ext_list_versions($1)
    WHERE content_hash = $2 AND rtrim(version, '0123456789') = rtrim($3, '0123456789') AND version_id <> $4";

/// The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now.
async fn publish_next(
    client: &mut Client,
    manifest: &Value,
    content_hash: &str,
) -> Result<Uuid, Error> {
    let transaction = client.transaction().await?;
    let sql =
        "SELECT extension_id, content_hash, version, version_id FROM ext_finalize_version($1, $2)";
    let row = transaction
        .query_one(sql, &[manifest, &content_hash])
        .await?;
    let (extension_id, content_hash): (Uuid, String) = (row.try_get(0)?, row.try_get(1)?);
    let (version, version_id): (String, Uuid) = (row.try_get(2)?, row.try_get(3)?);
    // Not before: publishing waits for an earlier try that has not ended yet.
    let published = [
        &extension_id as _,
        &content_hash as _,
        &version as _,
        &version_id as _,
    ];
    match transaction.query_opt(EARLIER, &published).await? {
        Some(earlier) => transaction.rollback().await.and(earlier.try_get(0)),
        None => transaction.commit().await.map(|()| version_id),
    }
}
// README: end

use serde_json::json;
use tokio_postgres::error::SqlState;
use tokio_postgres::{NoTls, Row};

/// Every version, newest first, in pages of two.
async fn versions(client: &Client, name: &str, tenant: &str) -> Result<Vec<Row>, Error> {
    let list =
        "SELECT version, content_hash, installed, bundle_count, published_at::text, version_id
                FROM ext_list_versions(ext_extension_id('acme', $1), $2)";
    let first = format!("{list} LIMIT 2");
    let next =
        format!("{list} WHERE (published_at, version_id) < ($3::text::timestamptz, $4) LIMIT 2");
    let mut listed = Vec::new();
    let mut page = client.query(&first, &[&name, &tenant]).await?;
    while let Some(last) = page.last() {
        let (published_at, version_id): (String, Uuid) = (last.try_get(4)?, last.try_get(5)?);
        let next = client
            .query(&next, &[&name, &tenant, &published_at, &version_id])
            .await?;
        listed.extend(std::mem::replace(&mut page, next));
    }
    Ok(listed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args()
        .nth(1)
        .ok_or("usage: with_tokio_postgres URL")?;
    let (mut client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);

    let name = "tokio-postgres";
    let manifest = |version: &str| json!({"publisher": "acme", "name": name, "version": version, "runtime": "rust-1"});
    let (hash, other_hash) = ("a".repeat(64), "b".repeat(64));

    let published = publish(&client, &manifest("1.0.0"), &hash).await?;
    println!("published: {published}");
    let again = publish(&client, &manifest("1.0.0"), &hash).await?;
    println!("published again: {again}");

    let mut other = manifest("1.0.0");
    other["capabilities"] = json!(["net"]);
    for (manifest, hash) in [(manifest("1.0.0"), &other_hash), (other, &hash)] {
        let error = match publish(&client, &manifest, hash).await {
            Ok(_) => return Err("something else was published under the same number".into()),
            Err(error) => error,
        };
        let refusal = error.as_db_error().ok_or("not an answer of the server")?;
        let duplicate: Value = serde_json::from_str(refusal.detail().ok_or("no DETAIL")?)?;
        assert_eq!(error.code(), Some(&SqlState::UNIQUE_VIOLATION));
        println!("raised: SqlState::UNIQUE_VIOLATION");
        println!("sqlstate: {}", refusal.code().code());
        println!("constraint: {}", refusal.constraint().unwrap_or("none"));
        println!("message: {}", refusal.message());
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        println!("code: {}", text(&duplicate["code"]));
        println!("existing: {}", text(&duplicate["existing"]["version_id"]));
        println!("same content: {}", duplicate["same_content"]);
        println!("same manifest: {}", duplicate["same_manifest"]);
    }

    let next = publish_next(&mut client, &manifest("1.0.*"), &other_hash).await?;
    println!("published: {next}");
    let again = publish_next(&mut client, &manifest("1.0.*"), &other_hash).await?;
    println!("published again: {again}");
    for row in versions(&client, name, "berlin").await? {
        let (version, content_hash): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let (installed, bundles): (bool, i32) = (row.try_get(2)?, row.try_get(3)?);
        println!("listed: {version} {content_hash} {installed} {bundles}");
    }
    Ok(())
}
