//! Opens a session the way libpq does.

use postgres::Client;

use crate::error::Error;
use crate::output::Output;

/// Where and how to connect.
#[derive(Debug, Clone)]
pub struct Connection {}

/// An open session.
pub struct Session {
    pub client: Client,
    /// Opens another session to the same place.
    pub connection: Connection,
}

impl Connection {
    /// From the URL or connection string, libpq's variables and its defaults, in that order.
    pub fn resolve(_url: Option<&str>, _output: Output) -> Result<Self, Error> {
        Ok(Self {})
    }

    /// Opens a session. Errors with [`Error::Connect`], which names host, database and cause in one line.
    pub fn open(&self) -> Result<Session, Error> {
        Err(Error::Connect {
            target: String::new(),
            cause: String::new(),
        })
    }
}
