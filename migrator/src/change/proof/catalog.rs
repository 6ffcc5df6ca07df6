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

const OBJECTS: &str = include_str!("catalog.sql");
const DOING: &str = "reading the catalogs";

/// Objects of a moment, by kind and key.
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
        let select = format!("SELECT * FROM ({OBJECTS}) objects");
        let rows = client
            .query(&select, &[&schema.name(), &tables, &true])
            .doing(DOING)?;
        Self::collect(&rows)
    }

    /// What this transaction changed or added, in the whole database; `None` where something is gone.
    ///
    /// The locks of a migration are held meanwhile, so it reads little: the changed rows, and how many there are of
    /// each kind.
    pub fn read_changed(
        &self,
        client: &mut impl GenericClient,
        schema: &Schema,
    ) -> Result<Option<Self>, Error> {
        // The counts come as rows without a key.
        let select = format!(
            "WITH objects AS MATERIALIZED ({OBJECTS})
             SELECT kind, key, name, counts, fixed, rights, level FROM objects WHERE changed
             UNION ALL
             SELECT kind, NULL, count(*)::text, false, '', NULL, 0 FROM objects GROUP BY kind"
        );
        let rows = client
            .query(&select, &[&schema.name(), &None::<&[&str]>, &false])
            .doing(DOING)?;
        let mut now: HashMap<String, i64> = HashMap::new();
        let mut changed = Vec::new();
        for row in rows {
            match row.try_get::<_, Option<&str>>("key").doing(DOING)? {
                Some(_) => changed.push(row),
                None => {
                    let kind = row.try_get("kind").doing(DOING)?;
                    let count: &str = row.try_get("name").doing(DOING)?;
                    now.insert(kind, count.parse().unwrap_or_default());
                }
            }
        }
        let changed = Self::collect(&changed)?;
        let mut expected: HashMap<String, i64> = HashMap::new();
        let added = changed.0.keys().filter(|key| !self.0.contains_key(*key));
        for (kind, _) in self.0.keys().chain(added) {
            *expected.entry(kind.clone()).or_default() += 1;
        }
        Ok((expected == now).then_some(changed))
    }

    fn collect(rows: &[Row]) -> Result<Self, Error> {
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

    /// What was here and is gone, or less, in `after`; sorted. With `all`, `after` holds everything there is; else
    /// only what changed.
    pub fn losses(&self, after: &Self, all: bool) -> Vec<String> {
        let mut losses: Vec<String> = Vec::new();
        for (key, before) in &self.0 {
            let kind = key.0.as_str();
            let invalid_index = before.level == 0 && kind.starts_with("index");
            if invalid_index {
                continue;
            }
            let what = match after.0.get(key) {
                None if all => Some("is gone".to_owned()),
                None => None,
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
