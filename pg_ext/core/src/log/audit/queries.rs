//! What an audit asks the database, inside and outside of the server; `@schema@` stands for the quoted schema.

/// Where the log ends, and what lies outside of it. The first row has `end` in the first column, the size of the latest
/// checkpoint (NULL where there is none) and the number of leaves in the third and fourth, the further ones what
/// [`super::Outside`] takes: kind, level, place; then, for leaves, version, bundle and label from the fifth on.
pub const OUTSIDE: &str = include_str!("sql/outside.sql");

/// What is there twice: what [`super::Twice`] takes, version, bundle and label.
pub const TWICE: &str = include_str!("sql/twice.sql");

/// Rows that are in no leaf: version, bundle, label and time of creation.
pub const UNLOGGED: &str = include_str!("sql/unlogged.sql");
