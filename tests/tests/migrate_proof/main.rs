//! What a migration may not do, however it comes about: the proof before it commits.

mod cases;
mod snapshot;
mod up;

use ext_registry_tests::{Database, Server};

fn live() -> Database<'static> {
    let db = Server::shared().empty_database();
    db.client().batch_execute(cases::LIVE).expect("LIVE");
    db
}
