//! Publishes and lists with sqlx.

use serde_json::{Value, json};
use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{Connection, Error};
use uuid::Uuid;

/// The id of the published version, also where an earlier try has published it and its answer got lost.
async fn publish(
    connection: &mut PgConnection,
    manifest: &Value,
    content_hash: &str,
) -> Result<Uuid, Error> {
    // In a transaction of the app this is a savepoint.
    let mut transaction = connection.begin().await?;
    let published = sqlx::query_scalar("SELECT version_id FROM ext_finalize_version($1, $2)")
        .bind(manifest)
        .bind(content_hash)
        .fetch_one(&mut *transaction)
        .await;
    match published {
        Ok(version_id) => transaction.commit().await.map(|()| version_id),
        Err(error) => published_before(&error).ok_or(error),
    }
}

fn published_before(error: &Error) -> Option<Uuid> {
    let error = error.as_database_error()?;
    if error.constraint() != Some("extension_version_registry_id_version_unique") {
        return None;
    }
    let detail = error.try_downcast_ref::<PgDatabaseError>()?.detail()?;
    let duplicate: Value = serde_json::from_str(detail).ok()?;
    let existing = duplicate["existing"]["version_id"].as_str()?;
    let same = ["same_content", "same_manifest", "same_signature"];
    same.iter()
        .all(|same| duplicate[same] == true)
        .then(|| existing.parse().ok())?
}

const NEXT: &str = "
    SELECT extension_id, content_hash, version, version_id FROM ext_finalize_version($1, $2)";

const EARLIER: &str = "
    SELECT version_id FROM ext_list_versions($1)
    WHERE content_hash = $2 AND rtrim(version, '0123456789') = rtrim($3, '0123456789') AND version_id <> $4";

/// The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now.
async fn publish_next(
    connection: &mut PgConnection,
    manifest: &Value,
    content_hash: &str,
) -> Result<Uuid, Error> {
    let mut transaction = connection.begin().await?;
    let (extension_id, content_hash, version, version_id): (Uuid, String, String, Uuid) =
        sqlx::query_as(NEXT)
            .bind(manifest)
            .bind(content_hash)
            .fetch_one(&mut *transaction)
            .await?;
    // Not before: publishing waits for an earlier try that has not ended yet.
    let earlier = sqlx::query_scalar(EARLIER)
        .bind(extension_id)
        .bind(content_hash)
        .bind(version)
        .bind(version_id)
        .fetch_optional(&mut *transaction)
        .await?;
    match earlier {
        Some(earlier) => transaction.rollback().await.map(|()| earlier),
        None => transaction.commit().await.map(|()| version_id),
    }
}

/// version, content_hash, installed, bundle_count, published_at, version_id
type Listed = (String, Option<String>, bool, i32, Option<String>, Uuid);

const FIRST_PAGE: &str = "
    SELECT version, content_hash, installed, bundle_count, published_at::text, version_id
    FROM ext_list_versions(ext_extension_id('acme', $1), $2)
    LIMIT 2";

const NEXT_PAGE: &str = "
    SELECT version, content_hash, installed, bundle_count, published_at::text, version_id
    FROM ext_list_versions(ext_extension_id('acme', $1), $2)
    WHERE (published_at, version_id) < ($3::timestamptz, $4)
    LIMIT 2";

/// Every version, newest first, in pages of two.
async fn versions(
    connection: &mut PgConnection,
    name: &str,
    tenant: &str,
) -> Result<Vec<Listed>, Error> {
    let mut listed: Vec<Listed> = sqlx::query_as(FIRST_PAGE)
        .bind(name)
        .bind(tenant)
        .fetch_all(&mut *connection)
        .await?;
    while let Some((.., published_at, version_id)) = listed.last() {
        let page: Vec<Listed> = sqlx::query_as(NEXT_PAGE)
            .bind(name)
            .bind(tenant)
            .bind(published_at)
            .bind(version_id)
            .fetch_all(&mut *connection)
            .await?;
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    Ok(listed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: with_sqlx URL")?;
    let mut connection = PgConnection::connect(&url).await?;

    let name = "sqlx";
    let manifest = |version: &str| json!({"publisher": "acme", "name": name, "version": version, "runtime": "rust-1"});
    let (hash, other_hash) = ("a".repeat(64), "b".repeat(64));

    let published = publish(&mut connection, &manifest("1.0.0"), &hash).await?;
    println!("published: {published}");
    let again = publish(&mut connection, &manifest("1.0.0"), &hash).await?;
    println!("published again: {again}");

    let mut other = manifest("1.0.0");
    other["capabilities"] = json!(["net"]);
    for (manifest, hash) in [(manifest("1.0.0"), &other_hash), (other, &hash)] {
        let error = match publish(&mut connection, &manifest, hash).await {
            Ok(_) => return Err("something else was published under the same number".into()),
            Err(error) => error,
        };
        let refusal = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
            .ok_or("not an answer of the server")?;
        let duplicate: Value = serde_json::from_str(refusal.detail().ok_or("no DETAIL")?)?;
        println!(
            "raised: ErrorKind::{:?}",
            sqlx::error::DatabaseError::kind(refusal)
        );
        println!("sqlstate: {}", refusal.code());
        println!("constraint: {}", refusal.constraint().unwrap_or("none"));
        println!("message: {}", refusal.message());
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        println!("code: {}", text(&duplicate["code"]));
        println!("existing: {}", text(&duplicate["existing"]["version_id"]));
        println!("same content: {}", duplicate["same_content"]);
        println!("same manifest: {}", duplicate["same_manifest"]);
    }

    let next = publish_next(&mut connection, &manifest("1.0.*"), &other_hash).await?;
    println!("published: {next}");
    let again = publish_next(&mut connection, &manifest("1.0.*"), &other_hash).await?;
    println!("published again: {again}");
    for (version, content_hash, installed, bundles, ..) in
        versions(&mut connection, name, "berlin").await?
    {
        let content_hash = content_hash.unwrap_or_default();
        println!("listed: {version} {content_hash} {installed} {bundles}");
    }
    Ok(())
}
