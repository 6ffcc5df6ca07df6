//! What takes a pass over the tables, and is read on demand alone: the rows that were there before the guards, where
//! they break today's rules, and rows that refer to a row that is not there.

use std::fmt;

use postgres::GenericClient;
use serde::Serialize;
use serde_json::Value;

use super::facts::{BUNDLE, Facts, INSTALL, REGISTRY, Relation, VERSION, parse};
use crate::error::{Doing, Error, describe};
use crate::schema::Schema;

/// The rows marked as adopted, before an adoption all rows; either their counts, as `rows.sql` gives them, or why there
/// are none. In JSON the counts, or `{"not_counted": reason, "about": {"versions": 200,
/// "bundles": 300}}`, where the numbers are the planner's, or null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Counted {
    Rows(Value),
    Not { not_counted: String, about: About },
}

/// How many old rows there are, as the planner's statistics have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct About {
    pub versions: Option<i64>,
    pub bundles: Option<i64>,
}

impl About {
    fn of(facts: &Facts) -> Self {
        let of = |name| facts.relation(name).and_then(Relation::about_old);
        Self {
            versions: of(VERSION),
            bundles: of(BUNDLE),
        }
    }
}

impl Relation {
    fn about_old(&self) -> Option<i64> {
        let share = match self.column("adopted") {
            Some(_) => self.adopted_estimate?,
            None => 1.0,
        };
        (self.rows_estimate >= 0).then(|| (self.rows_estimate as f64 * share).round() as i64)
    }
}

impl Counted {
    /// What is known without reading the tables.
    pub fn estimate(facts: &Facts) -> Self {
        match facts.relation(VERSION).and(facts.relation(BUNDLE)) {
            Some(_) => Self::not(facts, "ext-migrate check --rows counts them"),
            None => Self::not(facts, "there are no tables"),
        }
    }

    /// Counts, where the connected role may read the tables. Reads both tables once.
    ///
    /// Takes a transaction; after a refusal by the server it is of no more use.
    ///
    /// # Errors
    /// Only where the answer is not what was asked for; a refusal by the server is [`Counted::Not`].
    pub fn read(
        transaction: &mut impl GenericClient,
        facts: &Facts,
        schema: &Schema,
    ) -> Result<Self, Error> {
        let (Some(versions), Some(bundles)) = (facts.relation(VERSION), facts.relation(BUNDLE))
        else {
            return Ok(Self::estimate(facts));
        };
        if let Some(table) = [versions, bundles].iter().find(|table| !table.readable) {
            let reason = format!("{:?} has no right to read {}", facts.role, table.name);
            return Ok(Self::not(facts, reason));
        }
        let marked = |relation: &Relation, mark: &str| match relation.column("adopted") {
            Some(_) => mark.to_owned(),
            None => "true".to_owned(),
        };
        let negative_size = match bundles.column("size_bytes") {
            Some(_) => "b.size_bytes < 0",
            None => "false",
        };
        let sql = include_str!("rows.sql")
            .replace("@schema@", &schema.quoted())
            .replace("@old_version@", &marked(versions, "v.adopted"))
            .replace("@old_bundle@", &marked(bundles, "b.adopted"))
            .replace("@negative_size@", negative_size);
        // Rows that a policy hides are an error rather than missing in the counts.
        let counted = transaction
            .batch_execute("SET LOCAL row_security = off")
            .and_then(|()| transaction.query_one(&sql, &[]))
            .and_then(|row| row.try_get::<_, String>(0));
        match counted {
            Ok(document) => parse(&document, "counting the old rows").map(Self::Rows),
            Err(error) => match Error::database("counting the old rows", error) {
                error if error.is_lock_refused() => Err(error),
                Error::Database { source, .. } => Ok(Self::not(facts, describe(&source))),
                error => Err(error),
            },
        }
    }

    fn not(facts: &Facts, reason: impl Into<String>) -> Self {
        Self::Not {
            not_counted: reason.into(),
            about: About::of(facts),
        }
    }
}

/// Rules of today that old rows break.
const RULES: [(&str, &str); 6] = [
    ("/versions/without_bundle", "versions have no bundle"),
    ("/versions/several_bundles", "versions have several bundles"),
    ("/versions/no_publish_time", "versions have no publish time"),
    ("/versions/not_semver", "versions are not SemVer 2.0.0"),
    (
        "/bundles/odd_hash",
        "bundles have a content hash in another form",
    ),
    ("/bundles/negative_size", "bundles have a negative size"),
];

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = match self {
            Self::Rows(rows) => rows,
            Self::Not { not_counted, about } => {
                return match (about.versions, about.bundles) {
                    (Some(versions), Some(bundles)) => write!(
                        f,
                        "old rows: about {versions} versions, {bundles} bundles ({not_counted})"
                    ),
                    _ => write!(f, "old rows: not counted ({not_counted})"),
                };
            }
        };
        let count = |path| rows.pointer(path).and_then(Value::as_i64).unwrap_or(0);
        let (versions, bundles) = (count("/versions/rows"), count("/bundles/rows"));
        if versions == 0 && bundles == 0 {
            return f.write_str("old rows: none");
        }
        write!(f, "old rows: {versions} versions, {bundles} bundles")?;
        for (path, rule) in RULES {
            match count(path) {
                0 => {}
                broken => write!(f, "\n    {broken} {rule}")?,
            }
        }
        Ok(())
    }
}

/// Rows of a table that refer to rows which are not there. Foreign keys forbid them, but sleep in a restore or
/// replication that runs in `session_replication_role = replica`, and stay valid by name.
#[derive(Debug)]
pub struct Orphans {
    pub table: &'static str,
    pub column: &'static str,
    pub target: &'static str,
    pub rows: i64,
}

const REFERENCES: [(&str, &str, &str); 4] = [
    (VERSION, "registry_id", REGISTRY),
    (BUNDLE, "version_id", VERSION),
    (INSTALL, "registry_id", REGISTRY),
    (INSTALL, "version_id", VERSION),
];

impl Orphans {
    /// Tables that the role may not read, or sees through policies, are left out.
    ///
    /// # Errors
    /// What the server answers.
    pub fn read(
        transaction: &mut impl GenericClient,
        facts: &Facts,
        schema: &Schema,
    ) -> Result<Vec<Self>, Error> {
        let doing = "looking for rows without the row they refer to";
        let readable = |name: &str, column: &str| {
            facts.relation(name).is_some_and(|relation| {
                relation.is_table() && relation.readable && relation.column(column).is_some()
            })
        };
        let mut orphans = Vec::new();
        for (table, column, target) in REFERENCES {
            if !readable(table, column) || !readable(target, "id") {
                continue;
            }
            let (from, to) = (schema.qualified(table), schema.qualified(target));
            let policies = transaction
                .query_one(
                    "SELECT pg_catalog.row_security_active($1) OR pg_catalog.row_security_active($2)",
                    &[&from, &to],
                )
                .doing(doing)?;
            if policies.try_get(0).doing(doing)? {
                continue;
            }
            let sql = format!(
                "SELECT count(*) FROM ONLY {from} x \
                 WHERE NOT EXISTS (SELECT FROM ONLY {to} y WHERE y.id = x.{column})"
            );
            let row = transaction.query_one(&sql, &[]).doing(doing)?;
            orphans.push(Self {
                table,
                column,
                target,
                rows: row.try_get(0).doing(doing)?,
            });
        }
        Ok(orphans)
    }
}
