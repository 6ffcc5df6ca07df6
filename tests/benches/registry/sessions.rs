//! Connections that do one kind of work, and what a slice of it costs.

use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use ext_registry_tests::{Database, backend_pid};
use postgres::{Client, Config, NoTls};

use crate::baselines::{Lane, Publish};
use crate::databases::APP;
use crate::publication::Picks;
use crate::report::median;

/// As often as a connection publishes before it is measured: caches are filled and plans are kept by then.
const WARM_UP: usize = 20;

/// When a slice ends: whichever comes first.
#[derive(Clone, Copy)]
pub struct Limit {
    pub time: Duration,
    pub operations: usize,
}

/// What a slice came to.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    pub operations: usize,
    pub elapsed: Duration,
    /// CPU time of the backends, which other processes of the machine disturb less.
    pub cpu: Duration,
}

impl Slice {
    /// Operations per second.
    pub fn throughput(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }

    /// Median of the microseconds that one operation took, one after the other.
    pub fn median_micros(slices: &[Self]) -> f64 {
        median(
            slices
                .iter()
                .map(|slice| 1e6 / slice.throughput())
                .collect(),
        )
    }

    /// Microseconds of CPU time of a backend for one operation.
    pub fn cpu_per_operation(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.operations as f64
    }
}

/// A connection over the loopback interface, as the app's role.
pub fn connect(database: &Database<'_>) -> Client {
    Config::new()
        .host("127.0.0.1")
        .port(database.server().port())
        .user(APP)
        .dbname(database.name())
        .connect(NoTls)
        .expect("the server listens on 127.0.0.1")
}

/// Clients that publish in the same way at the same time.
pub struct Publishers(Vec<Publisher>);

struct Publisher {
    lane: Lane,
    work: Box<dyn Publish>,
    picks: Picks,
    backend: i32,
}

impl Publishers {
    pub fn open(
        lane: Lane,
        database: &Database<'_>,
        clients: usize,
        synchronous_commit: bool,
        extensions: u64,
    ) -> Self {
        let commit = if synchronous_commit { "on" } else { "off" };
        let open = |number| {
            let mut client = connect(database);
            client
                .batch_execute(&format!("SET synchronous_commit = {commit}"))
                .expect("the setting is known");
            let backend = backend_pid(&mut client);
            let mut publisher = Publisher {
                lane,
                work: (lane.open)(client),
                picks: Picks::new(extensions, number as u64),
                backend,
            };
            for _ in 0..WARM_UP {
                publisher.publish();
            }
            publisher
        };
        Self((0..clients).map(open).collect())
    }

    /// Lets all of them publish until the limit.
    pub fn slice(&mut self, limit: Limit) -> Slice {
        let start = Barrier::new(self.0.len());
        let share = (limit.operations / self.0.len()).max(1);
        let cpu_before = self.cpu();
        let publishers = &mut self.0;
        let finished: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = publishers
                .iter_mut()
                .map(|publisher| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        let begin = Instant::now();
                        let mut operations = 0;
                        while operations < share && begin.elapsed() < limit.time {
                            publisher.publish();
                            operations += 1;
                        }
                        (operations, begin.elapsed())
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("every publish succeeds"))
                .collect()
        });
        Slice {
            operations: finished.iter().map(|(operations, _)| operations).sum(),
            elapsed: finished
                .iter()
                .map(|(_, elapsed)| *elapsed)
                .max()
                .unwrap_or_default(),
            cpu: self.cpu().saturating_sub(cpu_before),
        }
    }

    fn cpu(&self) -> Duration {
        self.0
            .iter()
            .map(|publisher| backend_cpu(publisher.backend))
            .sum()
    }
}

impl Publisher {
    fn publish(&mut self) {
        let publication = (self.lane.next)(&mut self.picks);
        self.work.publish(&publication);
    }
}

/// CPU time that a backend has used so far. `/proc/<pid>/stat` counts in hundredths of a second only.
pub fn backend_cpu(pid: i32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let nanoseconds = text.split_whitespace().next();
    Duration::from_nanos(nanoseconds.and_then(|n| n.parse().ok()).unwrap_or_default())
}

/// `count` turns over the lanes; each begins with another lane, so that none is always first.
pub fn rotated(count: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |number| (number + round) % count)
}
