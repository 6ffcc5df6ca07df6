//! A client that publishes, loses its server, comes back and asks what became of its last call.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ext_registry_tests::{Published, Refused, finalize, hash, manifest_of, wait_until};
use postgres::{Client, Config, Error, NoTls};
use uuid::Uuid;

/// All clients publish wildcards of it.
pub const WILD: &str = "wild";

/// A publish that this client was told of.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub name: String,
    pub version: String,
    pub version_id: Uuid,
    pub content_hash: String,
}

/// What a client did and was told.
#[derive(Default)]
pub struct Account {
    pub acknowledged: Vec<Acknowledged>,
    /// Every version that it has asked for by number.
    pub attempted: BTreeSet<(String, String)>,
    /// Calls whose answer never came.
    pub lost: usize,
    /// Of those: the retry was told that the version exists, with the same content.
    pub lost_but_committed: usize,
    /// Of those: the retry published.
    pub lost_and_undone: usize,
}

/// The client itself; `answers` counts those of all clients.
pub struct Publisher<'run> {
    config: Config,
    client: Client,
    number: usize,
    answers: &'run AtomicUsize,
    stop: &'run AtomicBool,
    account: Account,
    /// How often the server was gone.
    losses: usize,
}

impl<'run> Publisher<'run> {
    pub fn new(
        config: Config,
        number: usize,
        answers: &'run AtomicUsize,
        stop: &'run AtomicBool,
    ) -> Self {
        let client = config.connect(NoTls).expect("the server has just started");
        Self {
            config,
            client,
            number,
            answers,
            stop,
            account: Account::default(),
            losses: 0,
        }
    }

    /// Publishes until it is stopped: own versions, one transaction with two of them, wildcards.
    pub fn run(mut self) -> Account {
        for round in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let own = format!("own-{}", self.number);
            self.publish(&own, &format!("1.{round}.0"), round);
            self.publish("shared", &format!("1.{round}.{}", self.number), round);
            self.publish_pair(&own, round);
            self.publish_wildcard(round);
        }
        self.account
    }

    fn publish(&mut self, name: &str, version: &str, content: usize) {
        self.account
            .attempted
            .insert((name.to_owned(), version.to_owned()));
        let manifest = manifest_of(name, version);
        match finalize(&mut self.client, &manifest, &hash(content)) {
            Ok(published) => self.acknowledge(name, published),
            Err(error) => {
                self.lose(&error);
                self.ask_again(name, version, content);
            }
        }
    }

    /// Whoever retries learns what became of the first call: true when it had been committed.
    fn ask_again(&mut self, name: &str, version: &str, content: usize) -> bool {
        loop {
            match finalize(
                &mut self.client,
                &manifest_of(name, version),
                &hash(content),
            ) {
                Ok(published) => {
                    self.account.lost_and_undone += 1;
                    self.acknowledge(name, published);
                    return false;
                }
                Err(error) => match error.as_db_error() {
                    Some(fields) if fields.code().code() == "23505" => {
                        let refused = Refused::from(fields)
                            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
                            .with_detail("same_content", true)
                            .with_detail("same_manifest", true)
                            .with_detail("same_signature", true);
                        let existing = &refused.detail["existing"];
                        self.account.lost_but_committed += 1;
                        self.account.acknowledged.push(Acknowledged {
                            name: name.to_owned(),
                            version: version.to_owned(),
                            version_id: existing["version_id"].as_str().unwrap().parse().unwrap(),
                            content_hash: existing["content_hash"].as_str().unwrap().to_owned(),
                        });
                        return true;
                    }
                    // Killed once more.
                    _ => self.reconnect_after(&error),
                },
            }
        }
    }

    /// Two versions in one transaction: both or none.
    fn publish_pair(&mut self, name: &str, round: usize) {
        let versions = [format!("2.{round}.0"), format!("2.{round}.1")];
        for version in &versions {
            self.account
                .attempted
                .insert((name.to_owned(), version.clone()));
        }
        let pair = self.client.transaction().and_then(|mut transaction| {
            let first = finalize(
                &mut transaction,
                &manifest_of(name, &versions[0]),
                &hash(round),
            )?;
            let second = finalize(
                &mut transaction,
                &manifest_of(name, &versions[1]),
                &hash(round),
            )?;
            transaction.commit()?;
            Ok([first, second])
        });
        match pair {
            Ok(pair) => {
                for published in pair {
                    self.acknowledge(name, published);
                }
            }
            Err(error) => {
                self.lose(&error);
                let losses = self.losses;
                let committed = versions.map(|version| self.ask_again(name, &version, round));
                let undisturbed = self.losses == losses;
                assert!(
                    committed[0] == committed[1] || !undisturbed,
                    "half a transaction is there"
                );
            }
        }
    }

    fn publish_wildcard(&mut self, round: usize) {
        match finalize(&mut self.client, &manifest_of(WILD, "1.0.*"), &hash(round)) {
            Ok(published) => self.acknowledge(WILD, published),
            // A wildcard that is asked for again publishes again: nothing to be learnt.
            Err(error) => self.reconnect_after(&error),
        }
    }

    fn acknowledge(&mut self, name: &str, published: Published) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.account.acknowledged.push(Acknowledged {
            name: name.to_owned(),
            version: published.version,
            version_id: published.version_id,
            content_hash: published.content_hash,
        });
    }

    fn lose(&mut self, error: &Error) {
        self.account.lost += 1;
        self.reconnect_after(error);
    }

    /// Only the loss of the server is an excuse.
    fn reconnect_after(&mut self, error: &Error) {
        let gone = error.is_closed()
            || error.as_db_error().is_none()
            // 57P01 and the like: the server says that it goes.
            || error.code().is_some_and(|code| code.code().starts_with("57P"));
        assert!(gone, "{error:?}");
        self.losses += 1;
        let mut connected = None;
        wait_until("the server is back", || {
            connected = self.config.connect(NoTls).ok();
            connected.is_some()
        });
        self.client = connected.unwrap();
    }
}
