//! Names as the parse tree holds them.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, RangeVar, TypeName};

use super::calls::COLUMN_TYPES;

/// Schema (empty where the statement names none) and name of a table, index, function …
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    pub schema: String,
    pub name: String,
}

impl Name {
    pub fn new(schema: &str, name: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            name: name.to_owned(),
        }
    }

    /// From a list of strings: `name` or `schema.name`.
    pub fn of(list: &[Node]) -> Option<Self> {
        match strings(list).as_slice() {
            [name] => Some(Self::new("", name)),
            [schema, name] => Some(Self::new(schema, name)),
            _ => None,
        }
    }
}

impl From<&RangeVar> for Name {
    fn from(table: &RangeVar) -> Self {
        Self::new(&table.schemaname, &table.relname)
    }
}

/// The strings of a list of nodes; what is no string is left out.
pub fn strings(list: &[Node]) -> Vec<&str> {
    list.iter().filter_map(string).collect()
}

pub fn string(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::String(s)) => Some(&s.sval),
        _ => None,
    }
}

/// A type as it is written in a signature, to tell overloaded functions apart.
pub fn type_text(of: &TypeName) -> String {
    let name = strings(&of.names)
        .into_iter()
        .filter(|part| *part != "pg_catalog")
        .collect::<Vec<_>>()
        .join(".");
    format!("{name}{}", "[]".repeat(of.array_bounds.len()))
}

/// A type that cannot be a domain of somebody's making.
pub fn is_built_in_type(of: &TypeName) -> bool {
    let built_in = match strings(&of.names).as_slice() {
        [name] | ["pg_catalog", name] => COLUMN_TYPES.contains(name),
        _ => false,
    };
    built_in && !of.setof && !of.pct_type
}
