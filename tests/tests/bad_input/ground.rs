//! Databases to send things to, and the judge of what comes back.

use ext_registry_tests::{Database, Refused, Server, row_counts};
use postgres::{Client, Row};
use uuid::Uuid;

use crate::call::Call;

/// A migrated database and one connection, which has to survive everything.
pub struct Ground {
    pub client: Client,
    // Dropped after the connection.
    pub db: Database<'static>,
}

/// What became of a call.
#[derive(Debug)]
pub enum Answer {
    /// Stored as the contract says.
    Published(Vec<u8>),
    /// With an error of the contract; nothing is stored.
    Refused(Box<Refused>),
    /// By PostgreSQL, with this SQLSTATE, before the call began.
    RefusedBefore(String),
}

impl Ground {
    /// In a database that `ext-migrate up` made from nothing.
    pub fn in_encoding(encoding: &str) -> Self {
        if encoding == "UTF8" {
            return Self::on(Server::shared().migrated_database());
        }
        let db = Server::shared().database_with(&format!(
            "TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        ));
        db.ext_migrate(&["up"]).succeeded();
        Self::on(db)
    }

    pub fn on(db: Database<'static>) -> Self {
        Self {
            client: db.client(),
            db,
        }
    }

    /// Makes the call and judges the answer.
    ///
    /// # Panics
    /// When it is none that the contract allows.
    #[track_caller]
    pub fn call(&mut self, call: &Call) -> Answer {
        let before = row_counts(&mut self.client);
        let answer = match call.make(&mut self.client) {
            Ok(row) => Answer::Published(self.stored(call, &row)),
            Err(error) => {
                let Some(fields) = error.as_db_error() else {
                    panic!("the connection is gone: {error:?}")
                };
                let refused = Refused::from(fields);
                if is_of_the_contract(&refused) {
                    Answer::Refused(Box::new(refused))
                } else {
                    let itself = call.refused_before(&mut self.client);
                    assert_eq!(
                        Some(&refused.sqlstate),
                        itself.as_ref(),
                        "from inside the call: {refused:#?}"
                    );
                    Answer::RefusedBefore(refused.sqlstate)
                }
            }
        };
        let after = row_counts(&mut self.client);
        match &answer {
            Answer::Published(_) => assert_eq!((after.1, after.2), (before.1 + 1, before.2 + 1)),
            _ => assert_eq!(after, before, "a refusal left rows"),
        }
        answer
    }

    /// Compares each column with the manifest, by PostgreSQL's own operators, and looks for the row in the list.
    #[track_caller]
    fn stored(&mut self, call: &Call, row: &Row) -> Vec<u8> {
        let (extension, version_id): (Uuid, Uuid) = (row.get(0), row.get(1));
        let (version, hash, time): (Vec<u8>, String, String) = (row.get(2), row.get(3), row.get(4));
        let bundle = call.bundle.clone().flatten();
        let wrong = self
            .client
            .query_one(
                include_str!("stored.sql"),
                &[
                    &call.manifest,
                    &call.hash,
                    &call.signature,
                    &call.storage_url,
                    &call.size,
                    &bundle,
                    &extension,
                    &version_id,
                    &version,
                    &hash,
                    &time,
                ],
            )
            .unwrap_or_else(|error| panic!("the stored row cannot be read: {error:?}"));
        assert_eq!(
            wrong.get::<_, Vec<String>>(0),
            Vec::<String>::new(),
            "stored otherwise than given"
        );
        version
    }
}

/// Whether any reader of lines may begin another one there.
fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Checks an error that must be of the contract, down to its texts.
#[track_caller]
fn is_of_the_contract(refused: &Refused) -> bool {
    let codes: &[&str] = match refused.sqlstate.as_str() {
        "23505" => &["EXTENSION_VERSION_ALREADY_EXISTS"],
        "22023" => &[
            "INVALID_MANIFEST",
            "INVALID_CONTENT_HASH",
            "HASH_MISMATCH",
            "INVALID_ARGUMENT",
        ],
        "22004" => &["NULL_ARGUMENT"],
        _ => return false,
    };
    let Some(text) = &refused.detail_text else {
        return false;
    };
    assert!(refused.detail.is_object(), "DETAIL is no JSON: {text}");
    let code = refused.detail["code"].as_str().unwrap_or_default();
    assert!(codes.contains(&code), "{refused:#?}");
    for line in [text, &refused.message] {
        assert!(
            !line.is_empty() && !line.contains(breaks_lines),
            "not one line: {line:?}"
        );
    }
    assert!(
        refused.message.chars().count() < 2000,
        "too long to be shown: {}",
        refused.message
    );
    if code == "INVALID_MANIFEST" {
        let issues = refused.detail["issues"]
            .as_array()
            .expect("a list of issues");
        let count = refused.detail["issue_count"].as_u64();
        assert!((1..=100).contains(&issues.len()), "{}", issues.len());
        assert!(count >= Some(issues.len() as u64), "{count:?}");
        for issue in issues {
            for text in [&issue["path"], &issue["message"]] {
                let characters = text.as_str().map(|text| text.chars().count());
                assert!(characters.is_some_and(|count| count <= 255), "{issue}");
            }
        }
    }
    if code == "EXTENSION_VERSION_ALREADY_EXISTS" {
        assert_eq!(
            refused.constraint.as_deref(),
            Some("extension_version_registry_id_version_unique")
        );
        assert!(
            refused.message.contains("already exists"),
            "{}",
            refused.message
        );
    }
    true
}

impl Answer {
    /// The version that was published.
    #[track_caller]
    pub fn published(self) -> String {
        match self {
            Self::Published(version) => String::from_utf8(version).expect("a version is ASCII"),
            other => panic!("not published: {other:#?}"),
        }
    }

    #[track_caller]
    pub fn refused(self) -> Refused {
        match self {
            Self::Refused(refused) => *refused,
            other => panic!("not refused by us: {other:#?}"),
        }
    }

    /// Asserts an INVALID_MANIFEST with issues at exactly these paths.
    #[track_caller]
    pub fn with_issues(self, paths: &[&str]) {
        let refused = self
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_MANIFEST");
        let issues = refused.detail["issues"].as_array().expect("a list");
        let found: Vec<_> = issues
            .iter()
            .map(|issue| issue["path"].as_str().unwrap_or("?"))
            .collect();
        assert_eq!(found, paths, "{refused:#?}");
    }

    #[track_caller]
    pub fn refused_before(self, sqlstate: &str) {
        match self {
            Self::RefusedBefore(found) => assert_eq!(found, sqlstate),
            other => panic!("not refused before the call: {other:#?}"),
        }
    }
}
