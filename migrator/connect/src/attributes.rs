//! libpq's `target_session_attrs`: which of several servers will do.

use std::str::FromStr;

use postgres::{Client, SimpleQueryMessage};

use crate::error::{Cause, Error};

/// What a session must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attributes {
    Any,
    /// Not a standby, and transactions may write by default.
    ReadWrite,
    /// A standby, or transactions may not write by default.
    ReadOnly,
    Primary,
    Standby,
    /// A standby where one answers, else any.
    PreferStandby,
}

impl FromStr for Attributes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "any" => Self::Any,
            "read-write" => Self::ReadWrite,
            "read-only" => Self::ReadOnly,
            "primary" => Self::Primary,
            "standby" => Self::Standby,
            "prefer-standby" => Self::PreferStandby,
            _ => {
                return Err(Error::Settings(
                    "target_session_attrs is none of any, read-write, read-only, primary, standby, prefer-standby"
                        .to_owned(),
                ));
            }
        })
    }
}

impl Attributes {
    /// What to look for in each round over all hosts.
    pub fn rounds(self) -> Vec<Self> {
        match self {
            Self::PreferStandby => vec![Self::Standby, Self::Any],
            one => vec![one],
        }
    }

    /// Errors with what the server is instead. Asked in one simple query, which any pooler passes on.
    pub fn fit(self, client: &mut Client) -> Result<(), Cause> {
        if self == Self::Any {
            return Ok(());
        }
        const STATE: &str = "SELECT pg_catalog.pg_is_in_recovery()::text, \
                             pg_catalog.current_setting('default_transaction_read_only')";
        let answer = client.simple_query(STATE)?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((row.get(0)?, row.get(1)?)),
            _ => None,
        });
        let standby = matches!(row, Some(("true", _)));
        let read_only = standby || matches!(row, Some((_, "on")));
        let (fits, what) = match self {
            Self::ReadWrite => (!read_only, "the session is read-only"),
            Self::ReadOnly => (read_only, "the session is not read-only"),
            Self::Primary => (!standby, "the server is a standby"),
            Self::Standby => (standby, "the server is not a standby"),
            Self::Any | Self::PreferStandby => (true, ""),
        };
        match fits {
            true => Ok(()),
            false => Err(Cause {
                text: format!("{what} (target_session_attrs)"),
                code: None,
            }),
        }
    }
}
