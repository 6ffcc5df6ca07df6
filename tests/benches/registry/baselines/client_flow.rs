//! What apps do today: look for the entry, look for the version, insert the version, insert the bundle.

use postgres::{Client, Statement};
use uuid::Uuid;

use super::Publish;
use crate::publication::{
    ASSETS, CAPABILITIES, ENDPOINTS, Json, MAIN_ENTRY, PRECOMPILED, Publication, RUNTIME, UI, api,
};

struct ClientFlow {
    client: Client,
    find_entry: Statement,
    insert_entry: Statement,
    find_version: Statement,
    insert_version: Statement,
    insert_bundle: Statement,
    api: String,
}

pub fn open(mut client: Client) -> Box<dyn Publish> {
    let mut prepare = |sql| client.prepare(sql).expect("the tables are there");
    let find_entry =
        prepare("SELECT id FROM extension_registry WHERE publisher = $1 AND name = $2");
    let insert_entry =
        prepare("INSERT INTO extension_registry (id, publisher, name) VALUES ($1, $2, $3)");
    let find_version =
        prepare("SELECT id FROM extension_version WHERE registry_id = $1 AND version = $2");
    let insert_version = prepare(
        "INSERT INTO extension_version
             (id, registry_id, version, runtime, main_entry, api, api_endpoints, ui, capabilities, assets)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         RETURNING created_at",
    );
    let insert_bundle = prepare(
        "INSERT INTO extension_bundle (id, version_id, content_hash, precompiled)
         VALUES ($1, $2, $3, $4)",
    );
    Box::new(ClientFlow {
        client,
        find_entry,
        insert_entry,
        find_version,
        insert_version,
        insert_bundle,
        api: api(),
    })
}

impl Publish for ClientFlow {
    fn publish(&mut self, publication: &Publication) {
        self.try_publish(publication).expect("the version is new");
    }
}

impl ClientFlow {
    fn try_publish(&mut self, publication: &Publication) -> Result<(), postgres::Error> {
        let mut transaction = self.client.transaction()?;
        let names = (&publication.publisher, &publication.name);
        let entry = match transaction.query_opt(&self.find_entry, &[names.0, names.1])? {
            Some(row) => row.get(0),
            None => {
                let id = Uuid::now_v7();
                transaction.execute(&self.insert_entry, &[&id, names.0, names.1])?;
                id
            }
        };
        let existing =
            transaction.query_opt(&self.find_version, &[&entry, &publication.version])?;
        assert!(existing.is_none(), "the version is new");
        let version = Uuid::now_v7();
        transaction.query_one(
            &self.insert_version,
            &[
                &version,
                &entry,
                &publication.version,
                &RUNTIME,
                &MAIN_ENTRY,
                &Json(&self.api),
                &Json(ENDPOINTS),
                &Json(UI),
                &Json(CAPABILITIES),
                &Json(ASSETS),
            ],
        )?;
        transaction.execute(
            &self.insert_bundle,
            &[
                &Uuid::now_v7(),
                &version,
                &publication.content_hash,
                &Json(PRECOMPILED),
            ],
        )?;
        transaction.commit()
    }
}
