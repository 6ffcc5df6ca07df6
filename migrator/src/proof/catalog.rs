//! The catalogs as one list of objects, and what may differ between two lists.

use std::collections::{BTreeMap, HashMap};

use postgres::{GenericClient, Row};

use super::rights;
use crate::error::{Doing, Error};
use crate::schema::Schema;

/// Names of the values of `fixed` in catalog.sql, in order; what has one value needs none.
const LABELS: &[(&[&str], &[&str])] = &[
    (
        &[
            "table",
            "foreign table",
            "view",
            "materialized view",
            "sequence",
            "composite type",
            "index",
        ],
        &[
            "name",
            "kind",
            "owner",
            "storage (it was rewritten or truncated)",
            "persistence",
            "tablespace",
            "access method",
            "row level security",
            "forced row level security",
            "partition",
            "replica identity",
            "options",
        ],
    ),
    (
        &["column"],
        &[
            "name",
            "dropped",
            "type",
            "type modifier",
            "not null",
            "collation",
            "identity",
            "generated",
            "generation expression",
        ],
    ),
    (
        &["constraint"],
        &[
            "name",
            "kind",
            "table",
            "type",
            "referenced table",
            "deferrable",
            "deferred",
            "no inherit",
            "actions",
            "columns",
            "referenced columns",
            "expression",
            "enforced",
        ],
    ),
    (
        &["index definition"],
        &[
            "table",
            "unique",
            "primary",
            "exclusion",
            "immediate",
            "replica identity",
            "columns",
            "operator classes",
            "collations",
            "ordering",
            "expressions",
            "nulls not distinct",
        ],
    ),
    (
        &["trigger", "constraint trigger"],
        &[
            "name",
            "table",
            "function",
            "events",
            "deferrable",
            "deferred",
            "columns",
            "arguments",
            "condition",
            "old table",
            "new table",
        ],
    ),
    (
        &["function"],
        &[
            "name",
            "schema",
            "owner",
            "kind",
            "result",
            "set",
            "attributes",
            "body",
            "rights and settings",
        ],
    ),
    (
        &["type"],
        &[
            "name",
            "schema",
            "owner",
            "kind",
            "length",
            "base type",
            "type modifier",
            "not null",
            "input",
            "output",
        ],
    ),
    (&["schema"], &["name", "owner"]),
    (
        &["event trigger"],
        &["name", "owner", "event", "function", "tags"],
    ),
    (&["extension"], &["name", "owner", "schema", "version"]),
];

/// All objects of a moment.
#[derive(Debug)]
pub struct Catalog(HashMap<(String, String), Object>);

#[derive(Debug)]
struct Object {
    name: String,
    counts: bool,
    fixed: String,
    rights: Option<Vec<String>>,
    level: i32,
}

impl Catalog {
    /// These tables of the schema, or with `None` the whole database.
    pub fn read(
        client: &mut impl GenericClient,
        schema: &Schema,
        tables: Option<&[&str]>,
    ) -> Result<Self, Error> {
        const DOING: &str = "reading the catalogs";
        let rows = client
            .query(include_str!("catalog.sql"), &[&schema.name(), &tables])
            .doing(DOING)?;
        let objects: Result<_, postgres::Error> = rows.iter().map(Object::read).collect();
        Ok(Self(objects.doing(DOING)?))
    }

    pub fn len(&self) -> usize {
        self.0.values().filter(|object| object.counts).count()
    }

    /// Whether the table was there.
    pub fn has_table(&self, oid: u32) -> bool {
        let key = oid.to_string();
        ["table", "materialized view"]
            .iter()
            .any(|kind| self.0.contains_key(&((*kind).to_owned(), key.clone())))
    }

    /// What is in `after` and not here, by kind.
    pub fn added(&self, after: &Self) -> BTreeMap<String, usize> {
        let mut added = BTreeMap::new();
        for (key, object) in &after.0 {
            if object.counts && !self.0.contains_key(key) {
                *added.entry(key.0.clone()).or_default() += 1;
            }
        }
        added
    }

    /// What was here and is gone, or less, in `after`; sorted.
    pub fn losses(&self, after: &Self) -> Vec<String> {
        let mut losses: Vec<String> = Vec::new();
        for (key, before) in &self.0 {
            let kind = key.0.as_str();
            let invalid_index = before.level == 0 && kind.starts_with("index");
            if invalid_index {
                continue;
            }
            let what = match after.0.get(key) {
                None => Some("is gone".to_owned()),
                Some(after) => before.loss(kind, after),
            };
            losses.extend(what.map(|what| format!("{kind} {}: {what}", before.name)));
        }
        losses.sort();
        losses
    }
}

impl Object {
    fn read(row: &Row) -> Result<((String, String), Self), postgres::Error> {
        Ok((
            (row.try_get("kind")?, row.try_get("key")?),
            Self {
                name: row.try_get("name")?,
                counts: row.try_get("counts")?,
                fixed: row.try_get("fixed")?,
                rights: row.try_get("rights")?,
                level: row.try_get("level")?,
            },
        ))
    }

    fn loss(&self, kind: &str, after: &Self) -> Option<String> {
        if self.fixed != after.fixed {
            return Some(difference(kind, &self.fixed, &after.fixed));
        }
        if after.level < self.level {
            return Some(match kind {
                "column" => "its default is gone".to_owned(),
                "constraint" | "index" | "index definition" => {
                    "it is not valid any more".to_owned()
                }
                _ => "it is disabled, or fires less than it did".to_owned(),
            });
        }
        let lost = rights::lost(self.rights.as_deref(), after.rights.as_deref())?;
        Some(format!("a right was taken away: {lost}"))
    }
}

/// `type integer → bigint`.
fn difference(kind: &str, before: &str, after: &str) -> String {
    let labels = LABELS
        .iter()
        .find(|(kinds, _)| kinds.contains(&kind))
        .map_or(&[][..], |(_, labels)| labels);
    let (before, after): (Vec<&str>, Vec<&str>) = (
        before.split('\x1f').collect(),
        after.split('\x1f').collect(),
    );
    let differing = labels
        .iter()
        .zip(before.iter().zip(&after))
        .find(|(_, (before, after))| before != after);
    match differing {
        Some((label, (before, after))) => format!("{label} changed: {before} → {after}"),
        None => "it was changed or replaced".to_owned(),
    }
}
