//! Shows how far an index build is, as the server itself reports it to a second session.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pg_connect::Connection;
use postgres::Client;

use crate::output::{NOW_AND_THEN, Output};
use crate::session::{Session, SimpleQuery};

/// Short builds pass without a word.
const PATIENCE: Duration = Duration::from_secs(2);
const ON_TERMINAL: Duration = Duration::from_millis(500);

/// Watches until it is stopped. What goes wrong in it is not worth failing a build for.
pub struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub fn start(session: &mut Session, step: &str) -> Self {
        let (stop, stopped) = mpsc::channel();
        let pid = session
            .client
            .first_value("SELECT pg_catalog.pg_backend_pid()")
            .ok()
            .flatten();
        let connection = session.connection.clone();
        let (output, step) = (session.output, step.to_owned());
        let thread = thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout)
                && let Some(pid) = pid
            {
                watch(&connection, &pid, output, &step, || {
                    let interval = match output.on_terminal() {
                        true => ON_TERMINAL,
                        false => NOW_AND_THEN,
                    };
                    stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout)
                });
            }
        });
        Self { stop, thread }
    }

    pub fn stop(self) {
        // Fails only when the thread has ended by itself.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

fn watch(connection: &Connection, pid: &str, output: Output, step: &str, go_on: impl Fn() -> bool) {
    let Ok((mut client, _)) = connection.open() else {
        return;
    };
    let start = Instant::now();
    let template = "{prefix} {bar:30} {percent:>3} % {msg} {elapsed}";
    let bar = output.bar(100, template).with_prefix(step.to_owned());
    loop {
        if let Some((phase, percent, waits)) = look(&mut client, pid) {
            bar.set_position(percent);
            bar.set_message(format!("{phase}{waits}"));
            if !output.on_terminal() {
                output.log(&format!(
                    "{step}: {phase}, {percent} % of this phase, {} s so far{waits}",
                    start.elapsed().as_secs()
                ));
            }
        }
        if !go_on() {
            break;
        }
    }
    bar.finish_and_clear();
}

/// The phase, how much of it is done in percent, and whom it waits for.
fn look(client: &mut Client, pid: &str) -> Option<(String, u64, String)> {
    let line = client
        .first_value(&format!(
            "SELECT concat_ws('|', p.phase, coalesce(\
                 100 * p.blocks_done / nullif(p.blocks_total, 0), \
                 100 * p.tuples_done / nullif(p.tuples_total, 0), \
                 100 * p.lockers_done / nullif(p.lockers_total, 0), 0), \
                 ', waiting for the transaction of pid ' || a.pid || format(' (%s%s) to end', a.application_name, \
                     ', open for ' || extract(epoch FROM clock_timestamp() - a.xact_start)::int8 || ' s')) \
             FROM pg_catalog.pg_stat_progress_create_index p \
             LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.current_locker_pid \
             WHERE p.pid = {pid}"
        ))
        .ok()??;
    let mut parts = line.splitn(3, '|');
    let (phase, percent) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    Some((phase, percent, parts.next().unwrap_or_default().to_owned()))
}
