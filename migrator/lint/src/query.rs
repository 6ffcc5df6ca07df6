//! Expressions and queries inside a statement: every node of the tree has to be on a list, and every function called
//! too. A tree is walked in its serialized form, in which every node carries its kind: a kind that a newer grammar
//! adds is refused, wherever it stands.

use pg_query::protobuf::Node;
use serde::Serialize;
use serde_json::Value;

use super::calls::PURE;
use super::known::Known;

/// The kinds of node that only compute or read.
const READS: &[&str] = &[
    "AArrayExpr",
    "AConst",
    "AExpr",
    "AIndices",
    "AIndirection",
    "AStar",
    "BitString",
    "BoolExpr",
    "Boolean",
    "BooleanTest",
    "CaseExpr",
    "CaseWhen",
    "CoalesceExpr",
    "CollateClause",
    "ColumnDef",
    "ColumnRef",
    "CommonTableExpr",
    "Float",
    "FuncCall",
    "GroupingFunc",
    "GroupingSet",
    "Integer",
    "JoinExpr",
    "List",
    "LockingClause",
    "MinMaxExpr",
    "NamedArgExpr",
    "NullTest",
    "ParamRef",
    "RangeFunction",
    "RangeSubselect",
    "RangeVar",
    "ResTarget",
    "ReturnStmt",
    "RowExpr",
    "SelectStmt",
    "SetToDefault",
    "SortBy",
    "SqlvalueFunction",
    "String",
    "SubLink",
    "TypeCast",
    "TypeName",
    "WindowDef",
];

/// What a function body may do besides: its own variables, and new rows.
const BODY: &[&str] = &["InsertStmt", "PlassignStmt"];

/// Whether an expression or query of a definition (default, CHECK, index, WHEN, view) only computes and reads.
pub fn reads_only<T: Serialize>(tree: &T, known: &Known) -> Result<(), String> {
    Walk { known, body: false }.start(tree)
}

/// Whether a statement of a function body does no more than read and insert.
pub fn body_is_additive<T: Serialize>(tree: &T, known: &Known) -> Result<(), String> {
    Walk { known, body: true }.start(tree)
}

/// A constant as Postgres folds it when the table is altered: a literal, NULL or a cast of one to a built-in type.
pub fn is_constant(node: &Node) -> bool {
    use pg_query::NodeEnum::{AConst, TypeCast};
    match &node.node {
        Some(AConst(_)) => true,
        Some(TypeCast(cast)) => {
            cast.arg.as_deref().is_some_and(is_constant)
                // 'now'::timestamptz is the time of the migration: on Citus each node has its own.
                && cast.type_name.as_ref().is_some_and(super::names::is_built_in_type)
        }
        _ => false,
    }
}

struct Walk<'a> {
    known: &'a Known,
    body: bool,
}

impl Walk<'_> {
    fn start<T: Serialize>(&self, tree: &T) -> Result<(), String> {
        let tree = serde_json::to_value(tree)
            .map_err(|e| format!("its parse tree could not be read: {e}"))?;
        self.value(&tree)
    }

    fn value(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.value(item)),
            Value::Object(fields) => {
                fields
                    .iter()
                    .try_for_each(|(name, value)| match name.as_str() {
                        "node" => self.node(value),
                        "into_clause" if !value.is_null() => {
                            Err("SELECT INTO creates a table and fills it".into())
                        }
                        "on_conflict_clause" if !value.is_null() => self.on_conflict(value),
                        "oper_name" | "use_op" => in_pg_catalog("operator", value),
                        _ => self.value(value),
                    })
            }
            _ => Ok(()),
        }
    }

    fn node(&self, value: &Value) -> Result<(), String> {
        let Some((kind, fields)) = value.as_object().and_then(|node| node.iter().next()) else {
            return Ok(());
        };
        let listed = READS.contains(&kind.as_str()) || (self.body && BODY.contains(&kind.as_str()));
        if !listed {
            return Err(format!("{} has no place here", describe(kind)));
        }
        match kind.as_str() {
            "FuncCall" => self.call(&fields["funcname"])?,
            "AExpr" => in_pg_catalog("operator", &fields["name"])?,
            _ => (),
        }
        self.value(fields)
    }

    fn call(&self, funcname: &Value) -> Result<(), String> {
        let name = names(funcname);
        let pure = match name.as_slice() {
            [function] | ["pg_catalog", function] => PURE.contains(function),
            _ => false,
        };
        let ours = match name.as_slice() {
            [function] => self.known.has_function("", function),
            [schema, function] => self.known.has_function(schema, function),
            _ => false,
        };
        if pure || ours {
            return Ok(());
        }
        Err(format!(
            "it calls {}(), which is not on the list of functions that change nothing",
            name.join(".")
        ))
    }

    fn on_conflict(&self, clause: &Value) -> Result<(), String> {
        // The number in the serialized form; 1 is ON CONFLICT DO NOTHING, 2 DO UPDATE.
        let nothing = pg_query::protobuf::OnConflictAction::OnconflictNothing as i64;
        if clause["action"].as_i64() != Some(nothing) {
            return Err("ON CONFLICT DO UPDATE changes rows that exist".into());
        }
        self.value(clause)
    }
}

/// An operator named with a schema is built in, or anybody's.
fn in_pg_catalog(what: &str, name: &Value) -> Result<(), String> {
    match names(name).as_slice() {
        [] | [_] | ["pg_catalog", _] => Ok(()),
        other => Err(format!(
            "it uses the {what} {}, which is not built in",
            other.join(".")
        )),
    }
}

fn names(list: &Value) -> Vec<&str> {
    let strings = list.as_array().map(Vec::as_slice).unwrap_or_default();
    strings
        .iter()
        .filter_map(|item| item["node"]["String"]["sval"].as_str())
        .collect()
}

/// `DeleteStmt` as people say it.
fn describe(kind: &str) -> String {
    match kind.strip_suffix("Stmt") {
        Some(verb) => verb.to_uppercase(),
        None => format!("an expression of the kind {kind}"),
    }
}
