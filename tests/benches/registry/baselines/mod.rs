//! The ways to publish that are compared, each over one connection with prepared statements.

mod client_flow;
mod function;
mod raw;

use postgres::Client;

use crate::publication::{Picks, Publication};

/// One way to publish, on one connection.
pub trait Publish: Send {
    /// Publishes, or panics: a lane that fails measures nothing.
    fn publish(&mut self, publication: &Publication);
}

/// Which database a lane runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    Guarded,
    /// The same without the guards' triggers.
    Unguarded,
    /// The old schema with its own indexes, and without guards.
    Old,
}

/// One line of the measurement.
#[derive(Clone, Copy)]
pub struct Lane {
    pub name: &'static str,
    pub tables: Tables,
    pub open: fn(Client) -> Box<dyn Publish>,
    /// What is published next.
    pub next: fn(&mut Picks) -> Publication,
}

pub const FINALIZE: Lane = Lane {
    name: "finalize",
    tables: Tables::Guarded,
    open: function::finalize,
    next: new_version,
};

/// A version that exists already.
pub const DUPLICATE: Lane = Lane {
    name: "duplicate",
    open: function::duplicate,
    next: |picks| Publication::of_existing_version(picks.next()),
    ..FINALIZE
};

pub const PLPGSQL: Lane = Lane {
    name: "PL/pgSQL",
    open: function::plpgsql,
    ..FINALIZE
};

/// One statement, no validation.
pub const RAW: Lane = Lane {
    name: "raw",
    open: raw::guarded,
    ..FINALIZE
};

/// What apps do: four statements in a transaction.
pub const CLIENT_FLOW: Lane = Lane {
    name: "client flow",
    open: client_flow::open,
    ..FINALIZE
};

pub const UNGUARDED: Lane = Lane {
    name: "no guards",
    tables: Tables::Unguarded,
    ..FINALIZE
};

/// One statement in the tables of the old schema, with the random keys of its apps.
pub const OLD: Lane = Lane {
    name: "old schema",
    tables: Tables::Old,
    open: raw::old,
    next: |picks| Publication::of_new_version(picks.next(), false),
};

/// The functions that [`PLPGSQL`] calls.
pub const PLPGSQL_FUNCTIONS: &str = include_str!("plpgsql.sql");

fn new_version(picks: &mut Picks) -> Publication {
    Publication::of_new_version(picks.next(), true)
}
