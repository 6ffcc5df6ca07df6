//! One run at a time: a session advisory lock, polled, and the proof that this connection can hold it.
//!
//! Polled, because a session that waits inside `pg_advisory_lock` holds a snapshot, and CREATE INDEX CONCURRENTLY in
//! the session that has the lock would wait for it: a deadlock.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::SqlState;

use super::ddl_guard;
use crate::error::{Doing, Error};
use crate::output::Output;
use crate::session::{Session, SimpleQuery};

/// `pg_advisory_lock(7311721948242339698)`: the bytes of "ext_migr". Advisory locks are per database.
pub const KEY: i64 = i64::from_be_bytes(*b"ext_migr");

const CHANGED: &str = "the server process changed between two statements";

/// The session that made it holds the lock, until it ends.
#[derive(Debug)]
pub struct Lock {
    backend: String,
}

impl Lock {
    /// Sets the session up and takes the lock within `wait`. Errors with [`Error::AnotherRun`] (exit 5) or [`Error::Pooled`] (exit 7).
    pub fn acquire(session: &mut Session, wait: Duration) -> Result<Self, Error> {
        // On a standby it would keep nobody away.
        session.refuse_standby()?;
        let lock = Self {
            backend: backend(&mut session.client)?,
        };
        // Before the lock is taken: nobody could give it back in a pooler's backend.
        match session.connection.open() {
            Ok((mut other, _)) => {
                for _ in 0..3 {
                    lock.refuse_pooling(&mut session.client, &mut other)?;
                }
            }
            // Each step finds out for itself, as the lock is then not held.
            Err(pg_connect::Error::Refused {
                code: Some(SqlState::TOO_MANY_CONNECTIONS),
                ..
            }) => {}
            Err(error) => return Err(error.into()),
        }
        session.prepare()?;
        // The proof needs it. Who may not is told so before anything happens.
        let _ = session.client.batch_execute("SET track_counts = on");
        session
            .client
            .batch_execute(ddl_guard::SWITCH_OFF)
            .doing("setting up the session")?;
        poll(&mut session.client, wait, session.output)?;
        lock.assert_held(&mut session.client)?;
        Ok(lock)
    }

    /// Behind a pooler in transaction mode each statement may run in another backend, and the lock means nothing.
    ///
    /// Such a pooler hands out the backend it got back last: a second connection finds itself in the backend of this
    /// one, or this one finds itself in another while the second keeps that one busy. Simple queries only, as such
    /// a pooler may not know prepared statements.
    fn refuse_pooling(&self, client: &mut Client, other: &mut Client) -> Result<(), Error> {
        other
            .batch_execute("BEGIN")
            .doing("opening a second connection")?;
        if backend(other)? == self.backend {
            return Err(Error::Pooled(
                "a second connection got the same server process".to_owned(),
            ));
        }
        if backend(client)? != self.backend {
            return Err(Error::Pooled(CHANGED.to_owned()));
        }
        other
            .batch_execute("ROLLBACK")
            .doing("closing a second connection")
    }

    /// Inside a transaction this holds until its end: one transaction, one backend.
    ///
    /// Errors with [`Error::Pooled`] where the current backend is not the one that holds the lock.
    pub fn assert_held(&self, client: &mut impl SimpleQuery) -> Result<(), Error> {
        let held = format!(
            "SELECT pg_catalog.pg_backend_pid()::text FROM pg_catalog.pg_locks \
             WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() AND granted AND objsubid = 1 \
             AND classid = {} AND objid = {}",
            (KEY >> 32) as u32,
            KEY as u32,
        );
        match client.first_value(&held)? {
            Some(backend) if backend == self.backend => Ok(()),
            _ => Err(Error::Pooled(CHANGED.to_owned())),
        }
    }

    /// Lets the next run go on at once instead of when the session is gone.
    pub fn release(self, client: &mut Client) -> Result<(), Error> {
        client
            .batch_execute(&format!("SELECT pg_catalog.pg_advisory_unlock({KEY})"))
            .doing("releasing the migration lock")
    }
}

fn poll(client: &mut Client, wait: Duration, output: Output) -> Result<(), Error> {
    let start = Instant::now();
    let mut told = false;
    loop {
        let answer =
            client.first_value(&format!("SELECT pg_catalog.pg_try_advisory_lock({KEY})"))?;
        if answer.as_deref() == Some("t") {
            return Ok(());
        }
        let waited = start.elapsed();
        if waited >= wait {
            return Err(Error::AnotherRun {
                waited,
                holder: holder(client)?,
            });
        }
        if !told {
            output.log(&format!(
                "another run holds the migration lock{}: waiting up to {} s",
                holder(client)?,
                wait.as_secs()
            ));
            told = true;
        }
        let pause = Duration::from_millis(fastrand::u64(100..300));
        thread::sleep(pause.min(wait - waited));
    }
}

/// ` (pid 4711, ext-migrate)` of the session that holds the lock, or nothing when it is gone.
fn holder(client: &mut Client) -> Result<String, Error> {
    let holder = client.first_value(&format!(
        "SELECT pg_catalog.format(' (pid %s%s)', l.pid, ', ' || nullif(a.application_name, '')) \
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid) \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = {} AND l.objid = {} \
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
        (KEY >> 32) as u32,
        KEY as u32,
    ))?;
    Ok(holder.unwrap_or_default())
}

fn backend(client: &mut Client) -> Result<String, Error> {
    let pid = client.first_value("SELECT pg_catalog.pg_backend_pid()")?;
    Ok(pid.unwrap_or_default())
}

#[cfg(test)]
mod tests;
