//! PL/pgSQL bodies: every statement has to be on a list, and every query in them passes through [`super::query`].

use pg_query::protobuf::{KeywordKind, Token};
use serde_json::Value;

use super::known::Known;
use super::query::body_is_additive;

/// What a body may consist of, besides expressions. Not here: EXECUTE in every form, CALL, COMMIT, ROLLBACK.
const STATEMENTS: &[&str] = &[
    "PLpgSQL_stmt_assert",
    "PLpgSQL_stmt_assign",
    "PLpgSQL_stmt_block",
    "PLpgSQL_stmt_case",
    "PLpgSQL_stmt_close",
    "PLpgSQL_stmt_execsql",
    "PLpgSQL_stmt_exit",
    "PLpgSQL_stmt_fetch",
    "PLpgSQL_stmt_forc",
    "PLpgSQL_stmt_foreach_a",
    "PLpgSQL_stmt_fori",
    "PLpgSQL_stmt_fors",
    "PLpgSQL_stmt_getdiag",
    "PLpgSQL_stmt_if",
    "PLpgSQL_stmt_loop",
    "PLpgSQL_stmt_open",
    "PLpgSQL_stmt_perform",
    "PLpgSQL_stmt_raise",
    "PLpgSQL_stmt_return",
    "PLpgSQL_stmt_return_next",
    "PLpgSQL_stmt_return_query",
    "PLpgSQL_stmt_while",
];

/// The parts that statements are made of.
const PARTS: &[&str] = &[
    "PLpgSQL_case_when",
    "PLpgSQL_condition",
    "PLpgSQL_diag_item",
    "PLpgSQL_exception",
    "PLpgSQL_exception_block",
    "PLpgSQL_function",
    "PLpgSQL_if_elsif",
    "PLpgSQL_raise_option",
    "PLpgSQL_rec",
    "PLpgSQL_recfield",
    "PLpgSQL_row",
    "PLpgSQL_type",
    "PLpgSQL_var",
];

/// Takes the body and the statement that holds it.
pub fn check_body(
    source: &str,
    statement: &str,
    trigger: bool,
    known: &Known,
) -> Result<(), String> {
    let tokens = pg_query::scan(source).map_err(|e| e.to_string())?.tokens;
    // Whatever the tree below says: no body with this word passes.
    if tokens
        .iter()
        .any(|t| t.token() == Token::Execute && t.keyword_kind() != KeywordKind::NoKeyword)
    {
        return Err("EXECUTE runs text that nobody can classify".into());
    }
    let ends_with_semicolon = tokens
        .iter()
        .rev()
        .find(|t| !matches!(t.token(), Token::SqlComment | Token::CComment))
        .is_some_and(|t| t.token() == Token::Ascii59);

    let parsed = if trigger {
        pg_query::parse_plpgsql(&as_plain_function(source, ends_with_semicolon))
    } else {
        pg_query::parse_plpgsql(statement)
    };
    let tree = parsed.map_err(|e| format!("it cannot be read: {e}"))?;
    let empty = tree.as_array().is_none_or(Vec::is_empty);
    if empty {
        return Err("it cannot be read: the parser gave nothing".into());
    }
    walk(&tree, known)
}

/// libpg_query gives no valid tree for trigger functions, whose variables it does not know how to write. So the body
/// becomes the inner block of an ordinary function that declares them.
fn as_plain_function(source: &str, ends_with_semicolon: bool) -> String {
    let mut quote = String::from("$body$");
    while source.contains(&quote) {
        quote.insert(1, '_');
    }
    let end = if ends_with_semicolon { "" } else { ";" };
    format!(
        "CREATE FUNCTION body() RETURNS record LANGUAGE plpgsql AS {quote}
        DECLARE
            new record; old record;
            tg_op text; tg_name text; tg_when text; tg_level text;
            tg_relid oid; tg_relname text; tg_table_name text; tg_table_schema text;
            tg_nargs int; tg_argv text[];
        BEGIN
        {source}
        {end}
        END {quote}"
    )
}

fn walk(value: &Value, known: &Known) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, known)),
        Value::Object(fields) => fields
            .iter()
            .try_for_each(|(name, value)| match name.as_str() {
                "PLpgSQL_expr" => expression(value, known),
                "dynquery" => Err("EXECUTE runs text that nobody can classify".into()),
                kind if kind.starts_with("PLpgSQL_")
                    && !STATEMENTS.contains(&kind)
                    && !PARTS.contains(&kind) =>
                {
                    let kind = kind
                        .trim_start_matches("PLpgSQL_")
                        .trim_start_matches("stmt_");
                    Err(format!("{} is not on the list", kind.to_uppercase()))
                }
                _ => walk(value, known),
            }),
        _ => Ok(()),
    }
}

/// An expression or statement, as PL/pgSQL itself would hand it to the SQL parser.
fn expression(value: &Value, known: &Known) -> Result<(), String> {
    let (Some(query), Some(mode)) = (value["query"].as_str(), value["parseMode"].as_i64()) else {
        return Err("an expression in it cannot be read".into());
    };
    let mode = i32::try_from(mode).map_err(|e| e.to_string())?;
    let parsed =
        pg_query::parse(query, mode).map_err(|e| format!("{query:?} cannot be read: {e}"))?;
    parsed
        .protobuf
        .stmts
        .iter()
        .try_for_each(|statement| body_is_additive(&statement.stmt, known))
}
