//! What one client does in a round, and what it was told.

use std::fmt;

use ext_registry_tests::{Database, Published, Refused, finalize, hash, list, manifest_of};
use postgres::{Client, Error};
use uuid::Uuid;

/// Everybody publishes the same version of it in every round.
pub const CONTESTED: &str = "contested";
/// Only wildcards publish here.
pub const WILD: &str = "wild";
/// Wildcards, and the numbers that they would take next.
pub const MIXED: &str = "mixed";
/// Older apps publish here with two INSERTs, finalize joins in.
pub const DIRECT: &str = "direct";

/// A publish that succeeded.
#[derive(Clone, Debug)]
pub struct Success {
    pub name: String,
    pub version: String,
    pub version_id: Uuid,
    pub content_hash: String,
}

/// A publish that was refused as a duplicate, with what the error said.
#[derive(Clone, Debug)]
pub struct Duplicate {
    pub name: String,
    pub version: String,
    pub offered_hash: String,
    pub refused: Refused,
}

/// What one client, or all of them, were told.
#[derive(Default)]
pub struct Ledger {
    pub successes: Vec<Success>,
    pub duplicates: Vec<Duplicate>,
    /// Refusals of direct inserts, which are Postgres' own or the guard's.
    pub direct_refusals: usize,
    pub lists: usize,
    pub installs: usize,
    pub uninstalls: usize,
    /// Any answer that the contract does not know.
    pub unexpected: Vec<String>,
}

impl Ledger {
    pub fn total(ledgers: &[Self]) -> Self {
        let mut total = Self::default();
        for ledger in ledgers {
            total.successes.extend_from_slice(&ledger.successes);
            total.duplicates.extend_from_slice(&ledger.duplicates);
            total.direct_refusals += ledger.direct_refusals;
            total.lists += ledger.lists;
            total.installs += ledger.installs;
            total.uninstalls += ledger.uninstalls;
            total.unexpected.extend_from_slice(&ledger.unexpected);
        }
        total
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} publishes, {} duplicates, {} direct inserts refused, {} lists, {} installs, {} uninstalls",
            self.successes.len(),
            self.duplicates.len(),
            self.direct_refusals,
            self.lists,
            self.installs,
            self.uninstalls
        )
    }
}

/// One client with its connection.
pub struct Player {
    client: Client,
    number: usize,
    ledger: Ledger,
}

impl Player {
    pub fn new(db: &Database<'_>, number: usize) -> Self {
        Self {
            client: db.client(),
            number,
            ledger: Ledger::default(),
        }
    }

    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// Never panics: the others would wait for this client for ever.
    pub fn play(&mut self, round: usize) {
        // Half of the clients offer the same content.
        let content = hash(if self.number.is_multiple_of(2) {
            0
        } else {
            self.number
        });
        self.publish(CONTESTED, &format!("1.{round}.0"), &content);
        // Everybody publishes another version of an extension that nobody has registered.
        self.publish(
            &format!("new-{round}"),
            &format!("{}.0.0", self.number),
            &content,
        );
        match (self.number + round) % 4 {
            0 => self.publish(WILD, "1.0.*", &content),
            1 => {
                self.publish(MIXED, "1.0.*", &content);
                self.install(CONTESTED, round);
            }
            2 => {
                self.publish(MIXED, &format!("1.0.{}", round + 1), &content);
                self.list_own(WILD);
                self.uninstall(CONTESTED);
            }
            _ => {
                self.publish_directly(&format!("1.{round}.0"), &content);
                self.list_own(CONTESTED);
            }
        }
        if self.number.is_multiple_of(3) {
            self.publish(DIRECT, &format!("1.{round}.0"), &content);
        }
        self.insert_second_bundle(round);
    }

    fn publish(&mut self, name: &str, version: &str, content: &str) {
        match finalize(&mut self.client, &manifest_of(name, version), content) {
            Ok(published) => self.succeeded(name, published),
            Err(error) => match refusal(&error) {
                Some(refused) if refused.sqlstate == "23505" => {
                    self.ledger.duplicates.push(Duplicate {
                        name: name.to_owned(),
                        version: version.to_owned(),
                        offered_hash: content.to_owned(),
                        refused,
                    });
                }
                _ => self.unexpected(&format!("publish of {name} {version}"), &error),
            },
        }
    }

    fn succeeded(&mut self, name: &str, published: Published) {
        self.ledger.successes.push(Success {
            name: name.to_owned(),
            version: published.version,
            version_id: published.version_id,
            content_hash: published.content_hash,
        });
    }

    /// As an older app does it: version and bundle with two statements, in one transaction.
    fn publish_directly(&mut self, version: &str, content: &str) {
        let name = DIRECT;
        let published = self.client.transaction().and_then(|mut transaction| {
            let row = transaction.query_one(
                "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
                 SELECT gen_random_uuid(), r.id, $2, 'node@20', 'main' FROM extension_registry r WHERE r.name = $1
                 RETURNING id",
                &[&name, &version],
            )?;
            let version_id: Uuid = row.get(0);
            transaction.execute(
                "INSERT INTO extension_bundle (id, version_id, content_hash) VALUES (gen_random_uuid(), $1, $2)",
                &[&version_id, &content],
            )?;
            transaction.commit()?;
            Ok(version_id)
        });
        match published {
            Ok(version_id) => self.ledger.successes.push(Success {
                name: name.to_owned(),
                version: version.to_owned(),
                version_id,
                content_hash: content.to_owned(),
            }),
            Err(error) => self.refused_directly(
                &error,
                &[("23505", "extension_version_registry_id_version_unique")],
            ),
        }
    }

    /// Nobody gets a second bundle in, whatever version it is for.
    fn insert_second_bundle(&mut self, round: usize) {
        let inserted = self.client.execute(
            "INSERT INTO extension_bundle (id, version_id, content_hash)
             SELECT gen_random_uuid(), v.id, $1
             FROM extension_version v JOIN extension_registry r ON r.id = v.registry_id
             WHERE (r.name, v.version) = ($2, $3)",
            &[
                &hash(1_000_000 + self.number),
                &CONTESTED,
                &format!("1.{round}.0"),
            ],
        );
        match inserted {
            Ok(count) => self
                .ledger
                .unexpected
                .push(format!("{count} second bundles inserted")),
            Err(error) => self.refused_directly(&error, &[("23001", "extension_bundle_immutable")]),
        }
    }

    fn refused_directly(&mut self, error: &Error, expected: &[(&str, &str)]) {
        let as_expected = refusal(error).is_some_and(|refused| {
            let constraint = refused.constraint.as_deref().unwrap_or_default();
            expected.contains(&(refused.sqlstate.as_str(), constraint))
        });
        if as_expected {
            self.ledger.direct_refusals += 1;
        } else {
            self.unexpected("direct insert", error);
        }
    }

    /// Own and shared tenants: some wait for each other.
    fn tenant(&self, round: usize) -> String {
        if round.is_multiple_of(2) {
            "shared".to_owned()
        } else {
            format!("tenant-{}", self.number)
        }
    }

    fn install(&mut self, name: &str, round: usize) {
        let installed = self.client.execute(
            "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
             SELECT gen_random_uuid(), $1, r.id, v.id
             FROM extension_registry r JOIN extension_version v ON v.registry_id = r.id
             WHERE (r.name, v.version) = ($2, $3)
             ON CONFLICT (tenant_id, registry_id) DO UPDATE SET version_id = excluded.version_id, updated_at = now()",
            &[&self.tenant(round), &name, &format!("1.{round}.0")],
        );
        match installed {
            Ok(1) => self.ledger.installs += 1,
            Ok(count) => self
                .ledger
                .unexpected
                .push(format!("{count} rows installed")),
            Err(error) => self.unexpected("install", &error),
        }
    }

    fn uninstall(&mut self, name: &str) {
        let removed = self.client.execute(
            "DELETE FROM tenant_extension_install i USING extension_registry r
             WHERE r.id = i.registry_id AND r.name = $1 AND i.tenant_id IN ($2, 'shared')",
            &[&name, &format!("tenant-{}", self.number)],
        );
        match removed {
            Ok(_) => self.ledger.uninstalls += 1,
            Err(error) => self.unexpected("uninstall", &error),
        }
    }

    /// Whatever this client was told is published stays in the list, each version once with its one bundle.
    fn list_own(&mut self, name: &str) {
        let listed = self
            .client
            .query_one("SELECT ext_extension_id('acme', $1)", &[&name])
            .and_then(|row| match row.get::<_, Option<Uuid>>(0) {
                Some(id) => list(&mut self.client, id, Some("shared")),
                None => Ok(Vec::new()),
            });
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => return self.unexpected("list", &error),
        };
        self.ledger.lists += 1;
        for own in self.ledger.successes.iter().filter(|own| own.name == name) {
            let rows = listed.iter().filter(|row| row.version_id == own.version_id);
            let told: Vec<_> = rows
                .map(|row| (row.content_hash.as_deref(), row.bundle_count))
                .collect();
            if told != [(Some(own.content_hash.as_str()), 1)] {
                self.ledger
                    .unexpected
                    .push(format!("{own:?} is listed as {told:?}"));
            }
        }
        if !listed.is_sorted_by(|newer, older| newer.published_at >= older.published_at) {
            self.ledger
                .unexpected
                .push(format!("{name} is not listed newest first"));
        }
        if listed.iter().filter(|row| row.installed).count() > 1 {
            self.ledger
                .unexpected
                .push(format!("{name} is listed with two installed versions"));
        }
    }

    fn unexpected(&mut self, what: &str, error: &Error) {
        self.ledger.unexpected.push(format!("{what}: {error:?}"));
    }
}

fn refusal(error: &Error) -> Option<Refused> {
    error.as_db_error().map(Refused::from)
}
