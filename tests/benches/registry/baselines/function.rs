//! One call of a function: the extension's own, and the same in PL/pgSQL.

use postgres::error::SqlState;
use postgres::{Client, Statement};

use super::Publish;
use crate::publication::{Json, Publication};

struct Call {
    client: Client,
    statement: Statement,
    refused: bool,
}

pub fn finalize(client: Client) -> Box<dyn Publish> {
    Call::of(client, "ext_finalize_version", false)
}

pub fn duplicate(client: Client) -> Box<dyn Publish> {
    Call::of(client, "ext_finalize_version", true)
}

pub fn plpgsql(client: Client) -> Box<dyn Publish> {
    Call::of(client, "baseline_finalize", false)
}

impl Call {
    fn of(mut client: Client, function: &str, refused: bool) -> Box<dyn Publish> {
        let statement = client
            .prepare(&format!("SELECT * FROM {function}($1, $2)"))
            .expect("the function is there");
        Box::new(Self {
            client,
            statement,
            refused,
        })
    }
}

impl Publish for Call {
    fn publish(&mut self, publication: &Publication) {
        let manifest = Json(publication.manifest());
        let parameters: &[&(dyn postgres::types::ToSql + Sync)] =
            &[&manifest, &publication.content_hash];
        let answer = self.client.query_one(&self.statement, parameters);
        match answer {
            Ok(_) if !self.refused => {}
            Err(error) if self.refused && error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {}
            other => panic!("unexpected answer: {other:?}"),
        }
    }
}
