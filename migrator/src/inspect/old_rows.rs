//! Counts of the rows that were there before the guards, where they break today's rules.

use std::fmt;

use postgres::GenericClient;
use serde::{Deserialize, Serialize};

use super::facts::{BUNDLE, Facts, VERSION};
use crate::error::{Error, describe};
use crate::schema::Schema;

/// The rows marked as adopted; before an adoption, all rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldRows {
    pub versions: OldVersions,
    pub bundles: OldBundles,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldVersions {
    pub rows: i64,
    pub without_bundle: i64,
    pub several_bundles: i64,
    /// `created_at` is NULL.
    pub no_publish_time: i64,
    pub not_semver: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldBundles {
    pub rows: i64,
    /// Not `sha256:` and 64 lower-case digits.
    pub odd_hash: i64,
    pub negative_size: i64,
}

/// Either the counts or why there are none. In JSON the counts, or `{"not_counted": reason}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Counted {
    Rows(OldRows),
    Not { not_counted: String },
}

impl Counted {
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
            return Ok(Self::not("there are no tables"));
        };
        if let Some(table) = [versions, bundles].iter().find(|table| !table.readable) {
            return Ok(Self::not(format!(
                "{:?} has no right to read {}",
                facts.role, table.name
            )));
        }
        let has = |relation: &super::facts::Relation, column| relation.column(column).is_some();
        let old = |relation, alias: &str| match has(relation, "adopted") {
            true => format!("{alias}.adopted"),
            false => "true".to_owned(),
        };
        let sql = include_str!("old_rows.sql")
            .replace("@schema@", &schema.quoted())
            .replace("@old_version@", &old(versions, "v"))
            .replace("@old_bundle@", &old(bundles, "b"))
            .replace(
                "@negative_size@",
                if has(bundles, "size_bytes") {
                    "b.size_bytes < 0"
                } else {
                    "false"
                },
            );
        // Rows that a policy hides are an error rather than missing in the counts. Nobody waits for counts behind a
        // lock that keeps readers out.
        let counted = transaction
            .batch_execute("SET LOCAL row_security = off; SET LOCAL lock_timeout = '2s'")
            .and_then(|()| transaction.query_one(&sql, &[]))
            .and_then(|row| row.try_get::<_, String>(0));
        match counted {
            Ok(document) => serde_json::from_str(&document)
                .map(Self::Rows)
                .map_err(|error| Error::Io {
                    doing: "counting the old rows".to_owned(),
                    source: error.into(),
                }),
            Err(error) => Ok(Self::not(describe(&error))),
        }
    }

    fn not(reason: impl Into<String>) -> Self {
        Self::Not {
            not_counted: reason.into(),
        }
    }
}

impl OldRows {
    /// What breaks today's rules, one sentence each; rules that no row breaks are left out.
    pub fn broken_rules(&self) -> Vec<String> {
        let rules = [
            (self.versions.without_bundle, "versions have no bundle"),
            (
                self.versions.several_bundles,
                "versions have several bundles",
            ),
            (
                self.versions.no_publish_time,
                "versions have no publish time",
            ),
            (self.versions.not_semver, "versions are not SemVer 2.0.0"),
            (
                self.bundles.odd_hash,
                "bundles have a content hash in another form",
            ),
            (self.bundles.negative_size, "bundles have a negative size"),
        ];
        rules
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, rule)| format!("{count} {rule}"))
            .collect()
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = match self {
            Self::Not { not_counted } => return write!(f, "old rows: not counted: {not_counted}"),
            Self::Rows(rows) => rows,
        };
        if rows.versions.rows == 0 && rows.bundles.rows == 0 {
            return f.write_str("old rows: none");
        }
        write!(
            f,
            "old rows: {} versions, {} bundles",
            rows.versions.rows, rows.bundles.rows
        )?;
        for rule in rows.broken_rules() {
            write!(f, "\n    {rule}")?;
        }
        Ok(())
    }
}
