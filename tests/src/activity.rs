//! Several clients at once, and who waits for whom.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `work` in `count` threads that begin at the same moment; gives the results in the order of their numbers.
///
/// `prepare` runs first in each thread, before anybody begins: connecting belongs there.
pub fn together<State, Output: Send>(
    count: usize,
    prepare: impl Fn(usize) -> State + Sync,
    work: impl Fn(usize, State) -> Output + Sync,
) -> Vec<Output> {
    let start = Barrier::new(count);
    let one = |number| {
        let state = prepare(number);
        start.wait();
        work(number, state)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn({
                    let one = &one;
                    move || one(number)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// Process id of this client's backend.
///
/// # Panics
/// When the connection is gone.
pub fn backend_pid(client: &mut Client) -> i32 {
    let row = client.query_one("SELECT pg_backend_pid()", &[]);
    row.expect("the connection is open").get(0)
}

/// Waits until that backend waits for a lock that another one holds; `observer` is a further connection.
///
/// # Panics
/// When it does not within a minute.
pub fn wait_until_blocked(observer: &mut Client, pid: i32) {
    wait_until("the backend waits for a lock", || {
        let row = observer.query_one("SELECT cardinality(pg_blocking_pids($1)) > 0", &[&pid]);
        row.expect("the observer is connected").get(0)
    });
}

/// Asks again and again until the answer is yes.
///
/// # Panics
/// When it is not within a minute; `what` says what was waited for.
pub fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
