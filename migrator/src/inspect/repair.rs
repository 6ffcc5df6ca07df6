//! What `up` does about a finding: statements of the shipped migrations, run again.

/// The order in which repairs run. Where a unique index and a trigger are both gone, the index must be there first:
/// else two inserts that race past the trigger could keep the index from ever being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// One CREATE INDEX CONCURRENTLY, outside a transaction.
    Index,
    Check,
    Function,
    Trigger,
    /// Lets writers go on, so it has a transaction of its own.
    Validate,
}

/// Statements that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The index, constraint, function or trigger, without its schema.
    pub object: String,
    pub table: String,
    pub phase: Phase,
    pub statements: Vec<String>,
}

impl Repair {
    pub fn new(
        object: &str,
        table: &str,
        phase: Phase,
        statements: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            object: object.to_owned(),
            table: table.to_owned(),
            phase,
            statements: statements.into_iter().collect(),
        }
    }
}
