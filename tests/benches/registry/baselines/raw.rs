//! The floor: one prepared statement with parameters that the client has taken from the manifest. It validates
//! nothing, and refuses a version that exists by inserting nothing.

use postgres::{Client, Statement};
use uuid::Uuid;

use super::Publish;
use crate::publication::{
    ASSETS, CAPABILITIES, ENDPOINTS, Json, MAIN_ENTRY, PRECOMPILED, Publication, RUNTIME, UI, api,
};

const INSERT: &str = "
WITH entry AS (
    SELECT id FROM extension_registry WHERE publisher = $1 AND name = $2
), created AS (
    INSERT INTO extension_registry (id, publisher, name)
    SELECT $3, $1, $2 WHERE NOT EXISTS (SELECT FROM entry)
    ON CONFLICT (publisher, name) DO NOTHING
    RETURNING id
), extension AS (
    SELECT id FROM entry UNION ALL SELECT id FROM created
), version AS (
    INSERT INTO extension_version
        (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities@assets_column@)
    SELECT $4, id, $5, $6, $7, $8, $9, $10, $11@assets_value@ FROM extension
    ON CONFLICT (registry_id, version) DO NOTHING
    RETURNING id, created_at
), bundle AS (
    INSERT INTO extension_bundle (id, version_id, content_hash, precompiled)
    SELECT $12, id, $13, $14 FROM version
)
SELECT e.id, v.id, v.created_at FROM extension e, version v";

struct Raw {
    client: Client,
    statement: Statement,
    api: String,
    key: fn() -> Uuid,
    assets: bool,
}

/// Keys that grow with time, as the extension makes them.
pub fn guarded(client: Client) -> Box<dyn Publish> {
    let sql = INSERT
        .replace("@assets_column@", ", assets")
        .replace("@assets_value@", ", $15::jsonb");
    Raw::of(client, &sql, Uuid::now_v7, true)
}

pub fn old(client: Client) -> Box<dyn Publish> {
    let sql = INSERT
        .replace("@assets_column@", "")
        .replace("@assets_value@", "");
    Raw::of(client, &sql, Uuid::new_v4, false)
}

impl Raw {
    fn of(mut client: Client, sql: &str, key: fn() -> Uuid, assets: bool) -> Box<dyn Publish> {
        let statement = client.prepare(sql).expect("the tables are there");
        Box::new(Self {
            client,
            statement,
            api: api(),
            key,
            assets,
        })
    }
}

impl Publish for Raw {
    fn publish(&mut self, publication: &Publication) {
        let [entry, version, bundle] = [(self.key)(), (self.key)(), (self.key)()];
        let mut parameters: Vec<&(dyn postgres::types::ToSql + Sync)> = vec![
            &publication.publisher,
            &publication.name,
            &entry,
            &version,
            &publication.version,
            &RUNTIME,
            &MAIN_ENTRY,
        ];
        let api = Json(&self.api);
        parameters.extend::<[&(dyn postgres::types::ToSql + Sync); 7]>([
            &api,
            &Json(ENDPOINTS),
            &Json(UI),
            &Json(CAPABILITIES),
            &bundle,
            &publication.content_hash,
            &Json(PRECOMPILED),
        ]);
        if self.assets {
            parameters.push(&Json(ASSETS));
        }
        loop {
            let stored = self.client.query_opt(&self.statement, &parameters);
            // No row when another client has just created the entry: the next statement sees it.
            if stored.expect("the tables take it").is_some() {
                return;
            }
        }
    }
}
