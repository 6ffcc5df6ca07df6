//! The log of published versions: sealing and auditing against a plain COPY of the same rows, what proofs cost as the
//! tree grows, and whether publishing notices a sealer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use ext_registry_tests::{Database, Server, backend_pid};
use serde_json::Value;

use crate::baselines::{FINALIZE, Tables};
use crate::databases::filled;
use crate::plot::{Drawing, Series};
use crate::report::{Comparison, Part, Row, Target};
use crate::scale::{Scale, count};
use crate::sessions::{Limit, Load, Publishers, Slice, repeat, rotated};

/// A sealed database.
struct Log<'server> {
    versions: u64,
    database: Database<'server>,
    /// Leaves per second of the first seal.
    sealed: f64,
    inclusion: Vec<Slice>,
    consistency: Vec<Slice>,
}

pub fn run(server: &Server, scale: &Scale) -> Part {
    let mut logs: Vec<_> = scale
        .logged
        .iter()
        .map(|&versions| Log::seal(server, versions))
        .collect();
    prove(&mut logs, scale);
    let mut rows = Vec::new();
    let largest = logs.last().expect("there is a size");
    rows.extend(largest.read(scale));
    rows.push(largest.seal_nothing(scale));
    rows.extend(growth(&logs));
    for log in [&logs[0], largest] {
        rows.push(log.publish(scale));
    }
    let series = |name, slices: for<'a> fn(&'a Log<'_>) -> &'a Vec<Slice>| Series {
        name,
        points: logs
            .iter()
            .map(|log| (log.versions, Slice::median_micros(slices(log))))
            .collect(),
    };
    Part {
        rows,
        drawing: Some(Drawing {
            title: "Time of a proof, versions with their bundles in the log",
            series: vec![
                series("ext_inclusion_proof", |log| &log.inclusion),
                series("ext_consistency_proof", |log| &log.consistency),
            ],
        }),
    }
}

impl<'server> Log<'server> {
    /// Versions, and a bundle of each. A small second seal gives consistency proofs something to prove.
    fn seal(server: &'server Server, versions: u64) -> Self {
        let database = filled(server, Tables::Guarded, versions);
        let begin = Instant::now();
        let leaves = seal(&database);
        assert_eq!(leaves, 2 * versions);
        let sealed = leaves as f64 / begin.elapsed().as_secs_f64();
        let load = Load {
            clients: 1,
            synchronous_commit: false,
            warm_up: 1,
        };
        drop(Publishers::open(FINALIZE, &database, versions, load));
        assert_eq!(seal(&database), leaves + 2);
        let analyzed = database.client().batch_execute("VACUUM (ANALYZE)");
        analyzed.expect("the owner may");
        Self {
            versions,
            database,
            sealed,
            inclusion: Vec::new(),
            consistency: Vec::new(),
        }
    }

    /// Reading everything, as an auditor does, over COPY of the same rows.
    fn read(&self, scale: &Scale) -> [Row; 2] {
        let at = format!("{} versions with their bundles", count(self.versions));
        let rate = |report: &Value, name: &str| report[name].as_f64().expect("a number");
        let mut rates = Vec::new();
        for _ in 0..scale.rounds.min(3) {
            let audit = ["audit", "--compare", "--format", "json"];
            let output = self.database.ext_migrate(&audit).succeeded();
            let report = serde_json::from_str(&output.stdout).expect("it is JSON");
            rates.push((
                rate(&report, "rows_per_second"),
                rate(&report, "copy_rows_per_second"),
            ));
        }
        rates.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
        let (audited, copied) = rates[rates.len() / 2];
        [("audit", audited), ("seal", self.sealed)].map(|(work, rate)| Row {
            work: format!("{work} over COPY of the rows"),
            at: at.clone(),
            measured: format!("{:.1} / {:.1} k rows/s", rate / 1e3, copied / 1e3),
            ratio: rate / copied,
            cpu: None,
            target: Target::None,
        })
    }

    /// A seal that finds nothing to append, over counting versions and bundles.
    fn seal_nothing(&self, scale: &Scale) -> Row {
        let mut client = self.database.client();
        let backend = backend_pid(&mut client);
        let [mut ours, mut theirs] = [Vec::new(), Vec::new()];
        for _ in 0..scale.rounds {
            for (sql, slices) in [
                ("SELECT appended FROM ext_seal_log()", &mut ours),
                (
                    "SELECT (SELECT count(*) FROM extension_version) + (SELECT count(*) FROM extension_bundle)",
                    &mut theirs,
                ),
            ] {
                slices.push(repeat(backend, scale.slice, || {
                    client.query_one(sql, &[]).expect("the owner may");
                }));
            }
        }
        let comparison = Comparison {
            ours: &ours,
            theirs: &theirs,
        };
        let at = format!("{} versions with their bundles", count(self.versions));
        comparison.latency(
            "seal that finds nothing over counting the rows",
            &at,
            Target::None,
        )
    }

    /// Publishing while another session seals without a pause, over publishing alone.
    fn publish(&self, scale: &Scale) -> Row {
        let load = Load {
            clients: 1,
            synchronous_commit: false,
            warm_up: scale.warm_up,
        };
        let limit = Limit {
            time: scale.slice,
            operations: usize::MAX,
        };
        let mut publishers = Publishers::open(FINALIZE, &self.database, self.versions, load);
        let [mut alone, mut sealing] = [Vec::new(), Vec::new()];
        for round in 0..scale.rounds * 2 {
            for lane in rotated(2, round) {
                if lane == 0 {
                    alone.push(publishers.slice(limit));
                } else {
                    let slice = while_sealing(&self.database, || publishers.slice(limit));
                    sealing.push(slice);
                }
            }
        }
        let comparison = Comparison {
            ours: &sealing,
            theirs: &alone,
        };
        comparison.row(
            "finalize while sealing without a pause over alone",
            &format!("{} versions, 1 client, commit off", count(self.versions)),
            Target::AtLeast(0.9),
        )
    }
}

/// Gives the size of the tree.
fn seal(database: &Database<'_>) -> u64 {
    let row = database
        .client()
        .query_one("SELECT tree_size FROM ext_seal_log()", &[]);
    let size: i64 = row.expect("the owner may seal").get(0);
    u64::try_from(size).expect("a size")
}

fn while_sealing<T>(database: &Database<'_>, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                seal(database);
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}

/// Times proofs in all trees, in turns.
fn prove(logs: &mut [Log<'_>], scale: &Scale) {
    let mut clients: Vec<_> = logs.iter().map(|log| log.database.client()).collect();
    for round in 0..scale.rounds * 2 {
        for number in rotated(logs.len(), round) {
            let (log, client) = (&mut logs[number], &mut clients[number]);
            let backend = backend_pid(client);
            let size = i64::try_from(2 * log.versions).expect("fits");
            let mut prove = |sql: &str, arguments: &mut dyn FnMut() -> i64| {
                let statement = client.prepare(sql).expect("the functions are there");
                let time = scale.slice / 4;
                repeat(backend, time, || {
                    let proof = client.query_one(&statement, &[&arguments()]);
                    proof.expect("it can be proven");
                })
            };
            // All over the tree.
            let mut leaf = 0;
            let inclusion = prove("SELECT ext_inclusion_proof($1)", &mut || {
                leaf = (leaf + 7919) % size;
                leaf
            });
            let consistency = prove("SELECT ext_consistency_proof($1)", &mut || size);
            log.inclusion.push(inclusion);
            log.consistency.push(consistency);
        }
    }
}

fn growth(logs: &[Log<'_>]) -> [Row; 2] {
    let (few, many) = (&logs[0], &logs[logs.len() - 1]);
    let at = format!(
        "{} over {} versions",
        count(many.versions),
        count(few.versions)
    );
    let row = |work, ours, theirs| Comparison { ours, theirs }.latency(work, &at, Target::None);
    [
        row(
            "inclusion proof, more versions over few",
            &many.inclusion,
            &few.inclusion,
        ),
        row(
            "consistency proof, more versions over few",
            &many.consistency,
            &few.consistency,
        ),
    ]
}
