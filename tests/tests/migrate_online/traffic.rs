//! An app that goes on publishing and listing in its own statements, and how long each of them took.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use ext_registry_tests::{Database, finalize, hash};
use postgres::{Client, Error};
use serde_json::json;

const OLD_WRITERS: usize = 2;
const NEW_WRITERS: usize = 1;
const READERS: usize = 2;
/// How much everybody does once the adoption is over.
const AFTERWARDS: usize = 20;

/// How the app publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One statement for the version, one for its bundle.
    TwoStatements,
    /// The same in one transaction.
    Transaction,
    Finalize,
}

/// A version that the server has acknowledged.
#[derive(Debug)]
pub struct Published {
    pub version: String,
    pub hash: String,
    pub way: Way,
    /// Begun after `up` had ended.
    pub afterwards: bool,
}

/// What one client did.
#[derive(Debug, Default)]
pub struct Tally {
    pub published: Vec<Published>,
    pub statements: usize,
    pub worst: Duration,
}

/// What all of them did.
#[derive(Debug)]
pub struct Traffic {
    pub writers: Vec<Tally>,
    pub readers: Vec<Tally>,
}

impl Traffic {
    /// Runs `work` while clients write and read; they go on for a while when it is done.
    ///
    /// # Panics
    /// When any of their statements fails.
    pub fn during<T>(db: &Database, work: impl FnOnce() -> T) -> (T, Self) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..OLD_WRITERS + NEW_WRITERS)
                .map(|number| {
                    let over = &over;
                    scope.spawn(move || write(db, number, over))
                })
                .collect();
            let readers: Vec<_> = (0..READERS)
                .map(|_| scope.spawn(|| read(db, &over)))
                .collect();
            let done = work();
            over.store(true, Ordering::SeqCst);
            let traffic = Self {
                writers: all(writers),
                readers: all(readers),
            };
            (done, traffic)
        })
    }

    pub fn worst(&self) -> Duration {
        let clients = self.writers.iter().chain(&self.readers);
        clients.map(|client| client.worst).max().unwrap()
    }

    pub fn published(&self) -> impl Iterator<Item = &Published> {
        self.writers.iter().flat_map(|writer| &writer.published)
    }

    /// For people: nobody else can judge how busy the machine was.
    pub fn report(&self, what: &str, took: Duration) {
        let line = |clients: &[Tally]| {
            let statements: usize = clients.iter().map(|client| client.statements).sum();
            let worst = clients.iter().map(|client| client.worst).max().unwrap();
            format!(
                "{statements} statements, the slowest {} ms",
                worst.as_millis()
            )
        };
        eprintln!(
            "{what}: up took {:.1} s; writers: {}; readers: {}",
            took.as_secs_f32(),
            line(&self.writers),
            line(&self.readers)
        );
    }
}

fn all(threads: Vec<ScopedJoinHandle<Tally>>) -> Vec<Tally> {
    threads
        .into_iter()
        .map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
        .collect()
}

impl Tally {
    fn timed<T>(&mut self, statement: impl FnOnce() -> Result<T, Error>) -> T {
        let begin = Instant::now();
        let done = statement();
        self.worst = self.worst.max(begin.elapsed());
        self.statements += 1;
        done.unwrap_or_else(|error| panic!("no statement of the app may fail: {error:?}"))
    }
}

/// Publishes versions 2.<writer>.<n>, in the two ways of the old app in turn, or with finalize once that is there.
fn write(db: &Database, writer: usize, over: &AtomicBool) -> Tally {
    let mut client = db.client();
    let mut me = Tally::default();
    let mut left = AFTERWARDS;
    let mut may_finalize = false;
    for number in 0.. {
        let afterwards = over.load(Ordering::SeqCst);
        if afterwards {
            left -= 1;
        }
        if writer >= OLD_WRITERS && !may_finalize {
            may_finalize = has_finalize(&mut client);
        }
        let way = match (may_finalize, number % 2) {
            (true, _) => Way::Finalize,
            (false, 0) => Way::TwoStatements,
            (false, _) => Way::Transaction,
        };
        let published = Published {
            version: format!("2.{writer}.{number}"),
            hash: hash(writer * 1_000_000 + number),
            way,
            afterwards,
        };
        publish(&mut me, &mut client, &published);
        me.published.push(published);
        if left == 0 {
            break;
        }
    }
    me
}

fn has_finalize(client: &mut Client) -> bool {
    let row = client.query_one(
        "SELECT to_regprocedure('ext_finalize_version(jsonb, text, text, text, bigint)') IS NOT NULL",
        &[],
    );
    row.unwrap().get(0)
}

fn publish(me: &mut Tally, client: &mut Client, new: &Published) {
    let version = "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
                   SELECT md5('live ' || $1)::uuid, id, $1, 'node@20', 'main' FROM extension_registry
                   WHERE (publisher, name) = ('acme', 'extension 0')";
    let bundle = "INSERT INTO extension_bundle (id, version_id, content_hash, signature)
                  VALUES (gen_random_uuid(), md5('live ' || $1)::uuid, $2, 'live')";
    match new.way {
        Way::TwoStatements => {
            me.timed(|| client.execute(version, &[&new.version]));
            me.timed(|| client.execute(bundle, &[&new.version, &new.hash]));
        }
        Way::Transaction => {
            let mut both = client.transaction().unwrap();
            me.timed(|| both.execute(version, &[&new.version]));
            me.timed(|| both.execute(bundle, &[&new.version, &new.hash]));
            me.timed(|| both.commit());
        }
        Way::Finalize => {
            let manifest = json!({
                "publisher": "acme", "name": "extension 0", "version": new.version, "runtime": "node@20",
            });
            me.timed(|| finalize(client, &manifest, &new.hash));
        }
    }
}

fn read(db: &Database, over: &AtomicBool) -> Tally {
    let mut client = db.client();
    let mut me = Tally::default();
    let mut left = AFTERWARDS;
    for number in 0.. {
        if over.load(Ordering::SeqCst) {
            left -= 1;
        }
        let name = format!("extension {}", number % 10);
        let rows = me.timed(|| {
            client.query(
                "SELECT v.version, b.content_hash
                 FROM extension_registry r
                 JOIN extension_version v ON v.registry_id = r.id
                 LEFT JOIN extension_bundle b ON b.version_id = v.id
                 WHERE (r.publisher, r.name) = ('acme', $1) AND v.version LIKE '1.0.%'
                 ORDER BY v.created_at DESC, v.id LIMIT 20",
                &[&name],
            )
        });
        assert_eq!(rows.len(), 20, "what was there is always there");
        if left == 0 {
            break;
        }
    }
    me
}
