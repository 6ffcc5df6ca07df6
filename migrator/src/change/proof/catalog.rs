//! The catalogs as a list of objects, and what may differ between two lists.

use std::collections::{BTreeMap, HashMap};

use postgres::{GenericClient, Row};
use serde_json::Value;

use crate::error::{Doing, Error};

/// One row for each object.
const OBJECTS: &str = include_str!("catalog.sql");
/// One line for each right of each grantee, and one more where it may be handed on.
const RIGHTS: &str = "ARRAY(
    SELECT format('%s of %s by %s', r.kind, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), a.grantor::regrole)
    FROM aclexplode(rights) a
    CROSS JOIN LATERAL (VALUES
        (a.privilege_type), (CASE WHEN a.is_grantable THEN 'GRANT OPTION for ' || a.privilege_type END)) r (kind)
    WHERE r.kind IS NOT NULL)";
const DOING: &str = "reading the catalogs";

/// Which objects are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The registry's own.
    Own,
    /// These, and what this transaction made or changed.
    Touched,
    /// Everything that users made.
    All,
}

/// Objects of a moment, by kind and key.
#[derive(Debug)]
pub struct Catalog(HashMap<(String, String), Object>);

#[derive(Debug)]
struct Object {
    name: String,
    counts: bool,
    /// What may not change, by words for people.
    fixed: Value,
    rights: Vec<String>,
    level: i32,
    own: bool,
}

impl Catalog {
    /// `own` holds the oids of what is the registry's.
    pub fn read(client: &mut impl GenericClient, own: &[u32], which: Which) -> Result<Self, Error> {
        let filter = match which {
            Which::Own => "own",
            Which::Touched => "own OR changed",
            // Of what came with initdb only a schema may get more rights.
            Which::All => {
                "own OR changed OR kind = 'schema' OR split_part(key, '.', 1)::int8 >= 16384"
            }
        };
        let select = format!(
            "SELECT kind, key, name, counts, fixed::text, {RIGHTS} AS rights, level, own FROM ({OBJECTS}) objects WHERE {filter}"
        );
        let rows = client.query(&select, &[&own]).doing(DOING)?;
        rows.iter()
            .map(|row| Object::read(row).doing(DOING))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Adds up those that count in the figures.
    pub fn len(&self) -> usize {
        self.0.values().filter(|object| object.counts).count()
    }

    /// How many of those in `after` that are not the registry's were here.
    pub fn others_kept(&self, after: &Self) -> usize {
        let others = after.0.iter().filter(|(_, object)| !object.own);
        others.filter(|(key, _)| self.0.contains_key(key)).count()
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

    /// What was here and is gone, or less, in `after`; sorted. What is not the registry's may be missing there without
    /// being gone, unless `after` holds `all`.
    pub fn losses(&self, after: &Self, all: bool) -> Vec<String> {
        let mut losses: Vec<String> = Vec::new();
        for (key, before) in &self.0 {
            let kind = key.0.as_str();
            let invalid_index = before.level == 0 && kind.starts_with("index");
            let what = match after.0.get(key) {
                _ if invalid_index => None,
                None if all || before.own => Some("is gone".to_owned()),
                None => None,
                Some(after) => before.loss(kind, after),
            };
            losses.extend(what.map(|what| format!("{kind} {}: {what}", before.name)));
        }
        for (key, object) in &after.0 {
            let oid = key.1.split('.').next().and_then(|oid| oid.parse().ok());
            if !self.0.contains_key(key) && oid.is_some_and(|oid: u32| oid < 16384) {
                losses.push(format!("{} {}: it is the server's own", key.0, object.name));
            }
        }
        losses.sort();
        losses
    }
}

impl Object {
    fn read(row: &Row) -> Result<((String, String), Self), postgres::Error> {
        let fixed: &str = row.try_get("fixed")?;
        Ok((
            (row.try_get("kind")?, row.try_get("key")?),
            Self {
                name: row.try_get("name")?,
                counts: row.try_get("counts")?,
                fixed: serde_json::from_str(fixed).unwrap_or_else(|_| fixed.into()),
                rights: row.try_get("rights")?,
                level: row.try_get("level")?,
                own: row.try_get("own")?,
            },
        ))
    }

    fn loss(&self, kind: &str, after: &Self) -> Option<String> {
        if self.fixed != after.fixed {
            return Some(difference(&self.fixed, &after.fixed));
        }
        if after.level < self.level {
            return Some(match kind {
                "constraint" | "index" | "index definition" => {
                    "it is not valid any more".to_owned()
                }
                _ => "it is disabled, or fires less than it did".to_owned(),
            });
        }
        let mut rights = self.rights.iter();
        let lost = rights.find(|right| !after.rights.contains(right))?;
        Some(format!("a right was taken away: {lost}"))
    }
}

/// `type changed: integer → bigint`.
fn difference(before: &Value, after: &Value) -> String {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return "it was changed or replaced".to_owned();
    };
    let differs = |(key, value): &(&String, &Value)| after.get(*key) != Some(*value);
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        value => value.unwrap_or(&Value::Null).to_string(),
    };
    // The name tells the most.
    let named = before.get_key_value("name").filter(differs);
    match named.or_else(|| before.iter().find(differs)) {
        Some((key, value)) => format!(
            "{key} changed: {} → {}",
            text(Some(value)),
            text(after.get(key))
        ),
        None => "it was changed or replaced".to_owned(),
    }
}
