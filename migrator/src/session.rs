//! An open session, and what it has to be set to before it changes or reads anything.

use std::sync::Arc;
use std::time::Duration;

use pg_connect::{Connection, Severity};
use postgres::{Client, IsolationLevel, SimpleQueryMessage, Transaction};

use crate::error::{Doing, Error};
use crate::output::Output;

/// Whatever the role or the database sets by default, a migration means the same.
///
/// Settings that this server does not know are left out. `client_connection_check_interval` lets a statement end, and
/// with it the migration lock, when this process dies.
const SETTINGS: &[(&str, &str)] = &[
    ("search_path", "pg_catalog, pg_temp"),
    ("statement_timeout", "0"),
    ("transaction_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("default_transaction_deferrable", "off"),
    ("client_min_messages", "notice"),
    ("standard_conforming_strings", "on"),
    ("check_function_bodies", "on"),
    ("row_security", "on"),
    // Compiling what reads large catalogs takes longer than reading them.
    ("jit", "off"),
    ("client_connection_check_interval", "1000"),
    // Guards on distributed tables, and one connection to each node: foreign keys to reference tables ask for it.
    ("citus.enable_unsafe_triggers", "on"),
    ("citus.multi_shard_modify_mode", "sequential"),
];

/// An open session.
pub struct Session {
    pub client: Client,
    /// Opens further sessions to the same server.
    pub connection: Connection,
    pub output: Output,
    /// No statement waits longer for a lock.
    pub lock_timeout: Duration,
}

impl Session {
    /// Connects to what `--database-url` names, else the environment. Errors with exit code 7, or 2 where that makes no
    /// sense.
    pub fn open(
        database_url: Option<&str>,
        lock_timeout: Duration,
        output: Output,
    ) -> Result<Self, Error> {
        let report = move |severity, text: &str| match severity {
            Severity::Warning => output.log(text),
            Severity::Notice => output.detail(text),
        };
        let connection = Connection::resolve(database_url, "ext-migrate", Arc::new(report))?;
        let (client, connection) = connection.open()?;
        Ok(Self {
            client,
            connection,
            output,
            lock_timeout,
        })
    }

    /// Errors with [`Error::Standby`] where nothing can be written, whatever the role and the settings.
    pub fn refuse_standby(&mut self) -> Result<(), Error> {
        match self
            .client
            .first_value("SELECT pg_catalog.pg_is_in_recovery()")?
            .as_deref()
        {
            Some("t") => Err(Error::Standby),
            _ => Ok(()),
        }
    }

    /// For sessions that change something. A pooler in transaction mode would hand these settings to other clients:
    /// [`crate::change::lock::Lock::acquire`] looks for one first.
    pub fn prepare(&mut self) -> Result<(), Error> {
        let doing = "setting up the session";
        self.client
            .batch_execute(&settings(false, self.lock_timeout))
            .doing(doing)
    }

    /// A transaction that writes, with a new snapshot for each statement. Works behind any pooler.
    pub fn read_committed(&mut self) -> Result<Transaction<'_>, Error> {
        self.refuse_standby()?;
        self.transaction(false, IsolationLevel::ReadCommitted)
    }

    /// A transaction that cannot write, of one snapshot. Works on a standby, with any role and behind any pooler.
    pub fn read_only(&mut self) -> Result<Transaction<'_>, Error> {
        self.transaction(true, IsolationLevel::RepeatableRead)
    }

    fn transaction(
        &mut self,
        read_only: bool,
        isolation: IsolationLevel,
    ) -> Result<Transaction<'_>, Error> {
        let doing = "starting a transaction";
        let settings = settings(true, self.lock_timeout);
        let mut transaction = self
            .client
            .build_transaction()
            .read_only(read_only)
            .isolation_level(isolation)
            .start()
            .doing(doing)?;
        transaction.batch_execute(&settings).doing(doing)?;
        Ok(transaction)
    }
}

/// The first column of the first row of a query without parameters and without a prepared statement.
pub trait SimpleQuery {
    fn first_value(&mut self, sql: &str) -> Result<Option<String>, Error>;
}

impl<C: postgres::GenericClient> SimpleQuery for C {
    fn first_value(&mut self, sql: &str) -> Result<Option<String>, Error> {
        let messages = self.simple_query(sql).doing("looking at the session")?;
        Ok(messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }
}

/// One statement that sets what the server knows.
fn settings(local: bool, lock_timeout: Duration) -> String {
    let values = SETTINGS
        .iter()
        .map(|(name, value)| format!("('{name}', '{value}')"))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "SELECT pg_catalog.set_config(s.name, s.value, {local}) \
         FROM (VALUES {values}, ('lock_timeout', '{}')) AS s (name, value) \
         WHERE pg_catalog.current_setting(s.name, true) IS NOT NULL",
        lock_timeout.as_millis()
    )
}
