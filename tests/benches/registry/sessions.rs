//! Connections that do one kind of work, and what a slice of it costs.

use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use ext_registry_tests::{Database, backend_pid};
use postgres::{Client, Config, NoTls};

use crate::baselines::{Lane, Publish};
use crate::databases::{APP, extensions};
use crate::publication::Picks;
use crate::report::median;

/// Who publishes.
#[derive(Clone, Copy)]
pub struct Load {
    pub clients: usize,
    pub synchronous_commit: bool,
    /// As often as each publishes before it is measured.
    pub warm_up: usize,
}

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
    /// They publish for extensions of a database with so many versions.
    pub fn open(lane: Lane, database: &Database<'_>, versions: u64, load: Load) -> Self {
        let commit = if load.synchronous_commit { "on" } else { "off" };
        let open = |number| {
            let mut client = connect(database);
            client
                .batch_execute(&format!("SET synchronous_commit = {commit}"))
                .expect("the setting is known");
            let backend = backend_pid(&mut client);
            let mut publisher = Publisher {
                lane,
                work: (lane.open)(client),
                picks: Picks::new(extensions(versions), number as u64),
                backend,
            };
            for _ in 0..load.warm_up {
                publisher.publish();
            }
            publisher
        };
        Self((0..load.clients).map(open).collect())
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

/// Does it again and again for that long, at least once.
pub fn repeat(backend: i32, time: Duration, mut work: impl FnMut()) -> Slice {
    let cpu = backend_cpu(backend);
    let begin = Instant::now();
    let mut operations = 0;
    while operations == 0 || begin.elapsed() < time {
        work();
        operations += 1;
    }
    Slice {
        operations,
        elapsed: begin.elapsed(),
        cpu: backend_cpu(backend).saturating_sub(cpu),
    }
}
