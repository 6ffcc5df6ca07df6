//! Runs the table of ways and asserts, after each try, that what was published is as it was.

use std::fmt;
use std::io::Write;

use ext_registry_tests::{Database, Refused, comes_with};
use postgres::{Client, Error};

use crate::world::{self, Who};

/// What Postgres answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// SQLSTATE and, where there is one, the constraint in the error's own field.
    Refused(&'static str, Option<&'static str>),
    /// No error; what stays true.
    Allowed(&'static str),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(sqlstate, None) => write!(f, "{sqlstate}"),
            Self::Refused(sqlstate, Some(constraint)) => write!(f, "{sqlstate} `{constraint}`"),
            Self::Allowed(kept) => write!(f, "allowed: {kept}"),
        }
    }
}

/// One way to change what was published.
pub struct Way {
    pub name: &'static str,
    /// SQL that a superuser runs before: what others have put there.
    pub given: &'static str,
    /// An extension of PostgreSQL's own that it takes; some builds come without.
    pub extension: Option<&'static str>,
    /// Each is tried by itself and has the same outcome. `other:` begins what a superuser does meanwhile in another
    /// session, `then:` what the first one goes on with; data after a COPY follows `data:`.
    pub tries: Vec<String>,
    /// Who tries, and what happens.
    pub outcomes: Vec<(Who, Outcome)>,
    /// What happens instead, where the DDL guard is on, to whom a missing right does not stop before.
    pub with_ddl_guard: Option<Outcome>,
}

impl Way {
    pub fn outcome(&self, who: Who) -> Option<Outcome> {
        let found = self.outcomes.iter().find(|(tried, _)| *tried == who);
        found.map(|(_, outcome)| *outcome)
    }

    /// Runs every try as every role in one database; gives what went otherwise than it should.
    pub fn run(&self, db: &Database, ddl_guard: bool) -> Vec<String> {
        let mut superuser = db.client();
        superuser
            .batch_execute(&format!("SET ext_registry.ddl_guard = off; {}", self.given))
            .unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
        let before = world::published(&mut superuser);
        assert!(before.ends_with(" 4"), "{}: {before}", self.name);
        let mut wrong = Vec::new();
        for (who, without) in &self.outcomes {
            let expected = match self.with_ddl_guard {
                Some(other) if ddl_guard && who.may_alter() => other,
                _ => *without,
            };
            for sql in &self.tries {
                let found = outcome(attempt(db, *who, sql), expected);
                if found != expected.to_string() {
                    wrong.push(format!(
                        "{} as {}{}: {found} instead of {expected}\n    {sql}",
                        self.name,
                        who.title(),
                        if ddl_guard { ", DDL guard on" } else { "" },
                    ));
                }
                let after = world::published(&mut superuser);
                if after != before {
                    wrong.push(format!(
                        "{} as {}: HISTORY CHANGED ({before} -> {after})\n    {sql}",
                        self.name,
                        who.title()
                    ));
                    return wrong;
                }
            }
        }
        wrong
    }
}

fn attempt(db: &Database, who: Who, sql: &str) -> Result<(), Error> {
    let mut client = db.client_as(who.role());
    let mut parts = sql.split("then:");
    let first = parts.next().unwrap_or_default();
    if let Some((statement, data)) = first.split_once("data:") {
        return copy(&mut client, statement, data);
    }
    run(db, &mut client, first)?;
    for part in parts {
        run(db, &mut client, part)?;
    }
    Ok(())
}

fn run(db: &Database, client: &mut Client, sql: &str) -> Result<(), Error> {
    let (own, other) = sql.split_once("other:").unwrap_or((sql, ""));
    client.batch_execute(own)?;
    db.client()
        .batch_execute(&format!("SET ext_registry.ddl_guard = off; {other}"))
        .unwrap();
    Ok(())
}

fn copy(client: &mut Client, statement: &str, data: &str) -> Result<(), Error> {
    let mut writer = client.copy_in(statement)?;
    // Whatever is wrong with the rows shows at the end.
    let _ = writer.write_all(format!("{}\n", data.trim()).as_bytes());
    writer.finish().map(|_| ())
}

/// The answer, in the words of the table.
fn outcome(result: Result<(), Error>, expected: Outcome) -> String {
    let Err(error) = result else {
        return match expected {
            Outcome::Allowed(_) => expected.to_string(),
            Outcome::Refused(..) => "allowed".to_owned(),
        };
    };
    let Some(db_error) = error.as_db_error() else {
        return format!("no answer: {error:?}");
    };
    let refused = Refused::from(db_error);
    let shown = match (&refused.constraint, refused.sqlstate.as_str()) {
        (Some(constraint), sqlstate) => format!("{sqlstate} `{constraint}`"),
        (None, sqlstate) => sqlstate.to_owned(),
    };
    if refused.sqlstate == "23001" && refused.detail["code"] != "VERSION_IMMUTABLE" {
        return format!("{shown} without VERSION_IMMUTABLE: {refused:?}");
    }
    match shown == expected.to_string() {
        true => shown,
        false => format!("{shown} ({})", refused.message),
    }
}

/// One test per group, so that they run beside each other.
fn try_all(ways: Vec<Way>) {
    let mut wrong = Vec::new();
    for (ddl_guard, database) in [
        (false, world::database as fn() -> Database<'static>),
        (true, world::guarded),
    ] {
        let shared = database();
        for way in &ways {
            if !way.extension.is_none_or(comes_with) {
                continue;
            }
            wrong.extend(match way.given {
                "" => way.run(&shared, ddl_guard),
                _ => way.run(&database(), ddl_guard),
            });
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plain_statements() {
    try_all(crate::ways::statements());
}

#[test]
fn inserts_that_rewrite() {
    try_all(crate::ways::inserts());
}

#[test]
fn cascades_and_relatives() {
    try_all(crate::ways::cascades());
}

#[test]
fn sessions_and_names() {
    try_all(crate::ways::sessions());
}

#[test]
fn code_of_others() {
    try_all(crate::ways::code());
}
