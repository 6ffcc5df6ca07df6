//! The table: each way, who tries it, and what happens. In the order of `doc/bypass.md`.

mod cascades;
mod code;
mod inserts;
mod sessions;
mod statements;

pub use cascades::cascades;
pub use code::code;
pub use inserts::inserts;
pub use sessions::sessions;
pub use statements::statements;

use crate::matrix::Outcome::{self, Allowed, Refused};
use crate::matrix::Way;
use crate::world::Who;

const DENIED: Outcome = Refused("42501", None);
const VERSION: Outcome = Refused("23001", Some("extension_version_immutable"));
const BUNDLE: Outcome = Refused("23001", Some("extension_bundle_immutable"));
const ENTRY: Outcome = Refused("23001", Some("extension_registry_identity_immutable"));

/// Every group with its heading.
pub fn groups() -> [(&'static str, Vec<Way>); 5] {
    [
        ("Statements", statements()),
        ("Inserts that would rewrite", inserts()),
        ("Cascades and relatives", cascades()),
        ("Sessions, settings and names", sessions()),
        ("Code of others", code()),
    ]
}

fn way(
    name: &'static str,
    tries: impl IntoIterator<Item = impl Into<String>>,
    outcomes: Vec<(Who, Outcome)>,
) -> Way {
    Way {
        name,
        given: "",
        extension: None,
        tries: tries.into_iter().map(Into::into).collect(),
        outcomes,
        with_ddl_guard: None,
    }
}

impl Way {
    fn given(self, given: &'static str) -> Self {
        Self { given, ..self }
    }

    fn with_ddl_guard(self, outcome: Outcome) -> Self {
        Self {
            with_ddl_guard: Some(outcome),
            ..self
        }
    }

    fn with_extension(self, name: &'static str) -> Self {
        Self {
            extension: Some(name),
            ..self
        }
    }
}

/// Publisher and reader have no right to try; the others meet this.
fn writers(outcome: Outcome) -> Vec<(Who, Outcome)> {
    vec![
        (Who::Publisher, DENIED),
        (Who::Reader, DENIED),
        (Who::App, outcome),
        (Who::Owner, outcome),
        (Who::Superuser, outcome),
    ]
}

/// Only who owns the tables has the right to try.
fn owners(outcome: Outcome) -> Vec<(Who, Outcome)> {
    vec![
        (Who::Publisher, DENIED),
        (Who::Reader, DENIED),
        (Who::App, DENIED),
        (Who::Owner, outcome),
        (Who::Superuser, outcome),
    ]
}

fn superusers(outcome: Outcome) -> Vec<(Who, Outcome)> {
    vec![
        (Who::Publisher, DENIED),
        (Who::Reader, DENIED),
        (Who::App, DENIED),
        (Who::Owner, DENIED),
        (Who::Superuser, outcome),
    ]
}

fn everyone(outcome: Outcome) -> Vec<(Who, Outcome)> {
    Who::ALL.map(|who| (who, outcome)).to_vec()
}

/// Whoever may put triggers on the tables.
fn trigger_makers(outcome: Outcome) -> Vec<(Who, Outcome)> {
    vec![
        (Who::App, DENIED),
        (Who::TriggerApp, outcome),
        (Who::Owner, outcome),
        (Who::Superuser, outcome),
    ]
}
