//! LIMIT and keyset paging visit every row once.

use std::collections::HashSet;

use ext_registry_tests::{Database, Server, list, publish};
use postgres::types::ToSql;
use postgres::{Client, Row};
use uuid::Uuid;

use crate::old_data::{EXTENSION, OldVersion, bring};

/// The last row of a page.
type Key = (Option<String>, Uuid);

fn page(
    client: &mut Client,
    condition: &str,
    values: &[&(dyn ToSql + Sync)],
    limit: usize,
) -> Vec<Row> {
    let query = format!(
        "SELECT version_id, published_at::text, version FROM ext_list_versions('{EXTENSION}', 't') {condition} LIMIT {limit}"
    );
    client.query(&query, values).unwrap()
}

/// The page after this row, as the contract says to ask for it.
fn page_after(client: &mut Client, after: Option<&Key>, limit: usize) -> Vec<Row> {
    match after {
        None => page(client, "", &[], limit),
        Some((Some(published_at), version_id)) => {
            let rows = page(
                client,
                "WHERE (published_at, version_id) < ($1::text::timestamptz, $2)",
                &[published_at, version_id],
                limit,
            );
            if rows.is_empty() {
                page(client, "WHERE published_at IS NULL", &[], limit)
            } else {
                rows
            }
        }
        Some((None, version_id)) => page(
            client,
            "WHERE published_at IS NULL AND version_id < $1",
            &[version_id],
            limit,
        ),
    }
}

/// All versions, page by page; `between` runs after each page.
fn walk(client: &mut Client, limit: usize, mut between: impl FnMut(usize)) -> Vec<String> {
    let mut seen = Vec::new();
    let mut last: Option<Key> = None;
    loop {
        let rows = page_after(client, last.as_ref(), limit);
        let Some(row) = rows.last() else { return seen };
        assert!(rows.len() <= limit);
        last = Some((row.get(1), row.get(0)));
        seen.extend(rows.iter().map(|row| row.get::<_, String>(2)));
        between(seen.len());
    }
}

/// Times that differ by microseconds, ties, and rows without time, written in no order.
fn versions(db: &Database<'_>) {
    let mut names = Vec::new();
    for n in 0..60_u128 {
        let created_at = match n % 6 {
            0 => "NULL".to_owned(),
            1 | 2 => "'2020-01-01 00:00:00.123456'".to_owned(),
            3 => format!("'2020-01-01 00:00:00.123{n:03}'"),
            4 => format!("'2019-01-01'::timestamptz + interval '{n} us'"),
            _ => format!("'2021-06-01 12:00+05:45'::timestamptz - interval '{n} ms'"),
        };
        names.push(((n * 37) % 61 + 1, format!("1.0.{n}"), created_at));
    }
    let old: Vec<OldVersion<'_>> = names
        .iter()
        .map(|(id, version, created_at)| OldVersion {
            id: *id,
            version,
            created_at,
            bundles: &[],
        })
        .collect();
    bring(db, &old);
}

#[test]
fn paging_visits_every_row_once_in_order() {
    let db = Server::shared().migrated_database();
    versions(&db);
    let mut client = db.client();
    let whole: Vec<String> = list(&mut client, EXTENSION, None)
        .unwrap()
        .into_iter()
        .map(|listed| listed.version)
        .collect();
    assert_eq!(whole.len(), 60);
    assert_eq!(whole.iter().collect::<HashSet<_>>().len(), 60);
    for limit in [1, 2, 3, 7, 10, 49, 50, 51, 59, 60, 61, 1000] {
        assert_eq!(walk(&mut client, limit, |_| ()), whole, "LIMIT {limit}");
    }
    client
        .batch_execute("SET TimeZone = 'America/St_Johns'")
        .unwrap();
    assert_eq!(walk(&mut client, 7, |_| ()), whole);
}

#[test]
fn what_is_published_meanwhile_moves_no_page() {
    let db = Server::shared().migrated_database();
    versions(&db);
    let mut client = db.client();
    let whole = walk(&mut client, 1000, |_| ());
    let mut publisher = db.client();
    let paged = walk(&mut client, 7, |seen| {
        publish(&mut publisher, &format!("2.0.{seen}"));
    });
    assert_eq!(paged, whole);
}

#[test]
fn a_page_without_rows_is_empty() {
    let db = Server::shared().migrated_database();
    versions(&db);
    assert!(page(&mut db.client(), "", &[], 0).is_empty());
}
