//! CREATE FUNCTION and CREATE TRIGGER.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    CreateFunctionStmt, CreateTrigStmt, DefElem, DropBehavior, DropStmt, FunctionParameterMode,
    Node, VariableSetKind, VariableSetStmt,
};

use super::additive::{Action, Class, Verdict};
use super::calls::FUNCTION_SETTINGS;
use super::known::{Known, Signature};
use super::names::{Name, string, strings, type_text};
use super::plpgsql;
use super::query::{body_is_additive, reads_only};

pub fn create_function(statement: &CreateFunctionStmt, text: &str, known: &mut Known) -> Verdict {
    if statement.is_procedure {
        return Err("procedures may commit: only functions are on the list".into());
    }
    let signature = signature(statement)?;
    let own = known.is_own_function(&signature);
    if statement.replace && !own {
        return Err(format!(
            "CREATE OR REPLACE may replace a function that others rely on: no earlier statement created {}",
            signature.name.name
        ));
    }
    for parameter in &statement.parameters {
        reads_only(&parameter_default(parameter), known)?;
    }
    let options = Options::read(statement)?;
    if options.security_definer {
        pinned(&options)?;
    }
    body(statement, &options, text, known)?;

    known.add_function(signature, options.security_definer);
    Ok(vec![Action::new(if statement.replace {
        Class::ReplaceFunction
    } else {
        Class::CreateFunction
    })])
}

fn signature(statement: &CreateFunctionStmt) -> Result<Signature, String> {
    let mut arguments = Vec::new();
    for parameter in &statement.parameters {
        let Some(NodeEnum::FunctionParameter(parameter)) = &parameter.node else {
            return Err("a part of it is not on the list".into());
        };
        if !matches!(
            parameter.mode(),
            FunctionParameterMode::FuncParamOut | FunctionParameterMode::FuncParamTable
        ) {
            arguments.extend(parameter.arg_type.as_ref().map(type_text));
        }
    }
    let name = Name::of(&statement.funcname).ok_or("its name has too many parts")?;
    Ok(Signature { name, arguments })
}

fn parameter_default(parameter: &Node) -> Option<&Node> {
    match &parameter.node {
        Some(NodeEnum::FunctionParameter(parameter)) => parameter.defexpr.as_deref(),
        _ => None,
    }
}

#[derive(Default)]
struct Options<'a> {
    language: String,
    source: Option<&'a str>,
    security_definer: bool,
    search_path: Option<Vec<&'a str>>,
}

impl<'a> Options<'a> {
    fn read(statement: &'a CreateFunctionStmt) -> Result<Self, String> {
        let mut options = Self::default();
        for option in &statement.options {
            let Some(NodeEnum::DefElem(option)) = &option.node else {
                return Err("an option of it is not on the list".into());
            };
            options.take(option)?;
        }
        if statement.sql_body.is_some() {
            options.language = "sql".into();
        }
        Ok(options)
    }

    fn take(&mut self, option: &'a DefElem) -> Result<(), String> {
        let argument = option.arg.as_deref().and_then(|node| node.node.as_ref());
        match (option.defname.as_str(), argument) {
            ("language", Some(NodeEnum::String(name))) => self.language = name.sval.to_lowercase(),
            ("as", Some(NodeEnum::List(list))) => match strings(&list.items).as_slice() {
                [source] => self.source = Some(*source),
                _ => return Err("a function in a library is not on the list".into()),
            },
            ("security", Some(NodeEnum::Boolean(definer))) => {
                self.security_definer = definer.boolval
            }
            ("set", Some(NodeEnum::VariableSetStmt(set))) => self.setting(set)?,
            ("volatility" | "strict" | "parallel" | "cost" | "rows", _) => (),
            (other, _) => {
                return Err(format!(
                    "the function option {} is not on the list",
                    other.to_uppercase()
                ));
            }
        }
        Ok(())
    }

    fn setting(&mut self, set: &'a VariableSetStmt) -> Result<(), String> {
        if !FUNCTION_SETTINGS.contains(&set.name.as_str())
            || set.kind() != VariableSetKind::VarSetValue
        {
            return Err(format!(
                "a function that sets {} is not on the list",
                set.name
            ));
        }
        if set.name == "search_path" {
            let schemas = set.args.iter().map(|arg| match &arg.node {
                Some(NodeEnum::AConst(constant)) => match &constant.val {
                    Some(pg_query::protobuf::a_const::Val::Sval(schema)) => {
                        Some(schema.sval.as_str())
                    }
                    _ => None,
                },
                _ => string(arg),
            });
            self.search_path = schemas.collect();
        }
        Ok(())
    }
}

/// A function with its owner's rights may look up nothing where others can put something.
fn pinned(options: &Options) -> Result<(), String> {
    match options.search_path.as_deref() {
        Some([.., "pg_temp"]) => Ok(()),
        Some(_) => {
            Err("SECURITY DEFINER: pg_temp has to be the last schema of its search_path".into())
        }
        None => Err(
            "SECURITY DEFINER without SET search_path runs whatever the caller puts in the way"
                .into(),
        ),
    }
}

fn body(
    statement: &CreateFunctionStmt,
    options: &Options,
    text: &str,
    known: &Known,
) -> Result<(), String> {
    match (
        options.language.as_str(),
        options.source,
        &statement.sql_body,
    ) {
        ("sql", None, Some(body)) => body_is_additive(body, known),
        ("sql", Some(source), None) => {
            let parsed =
                pg_query::parse(source, 0).map_err(|e| format!("its body does not parse: {e}"))?;
            parsed.protobuf.stmts.iter().try_for_each(|statement| {
                query_statement(statement.stmt.as_deref())?;
                body_is_additive(&statement.stmt, known)
            })
        }
        ("plpgsql", Some(source), None) => {
            plpgsql::check_body(source, text, returns_trigger(statement), known)
        }
        (language, ..) => Err(format!(
            "functions in {language:?} are not on the list: only SQL and PL/pgSQL can be read"
        )),
    }
    .map_err(|reason| format!("in its body: {reason}"))
}

/// A statement of a body has to be a query; the walk would let a bare expression pass.
fn query_statement(node: Option<&Node>) -> Result<(), String> {
    match node.and_then(|node| node.node.as_ref()) {
        Some(NodeEnum::SelectStmt(_) | NodeEnum::InsertStmt(_)) => Ok(()),
        _ => Err("only SELECT and INSERT are on the list".into()),
    }
}

fn returns_trigger(statement: &CreateFunctionStmt) -> bool {
    let names = statement.return_type.as_ref().map(|of| strings(&of.names));
    names.is_some_and(|names| names.last() == Some(&"trigger"))
}

pub fn create_trigger(statement: &CreateTrigStmt, known: &mut Known) -> Verdict {
    /// From Postgres' pg_trigger.h.
    const INSTEAD: i32 = pg_query::TriggerType::Instead as i32;

    let table = Name::from(statement.relation.as_ref().ok_or("it names no table")?);
    let function = Name::of(&statement.funcname).ok_or("its function has too many names")?;
    if statement.replace {
        return Err("CREATE OR REPLACE may replace a trigger that others rely on".into());
    }
    if statement.timing & INSTEAD != 0 {
        return Err("only BEFORE and AFTER triggers are on the list".into());
    }
    if statement.deferrable {
        return Err("a deferrable trigger lets a transaction see what it would refuse".into());
    }
    if !known.has_function(&function.schema, &function.name) {
        return Err(format!(
            "it calls {}, which these migrations did not create",
            function.name
        ));
    }
    reads_only(&statement.when_clause, known)?;
    let on_new_table = known.is_new_table(&table);
    known.add_trigger(table, &statement.trigname);
    Ok(vec![Action {
        class: Class::CreateTrigger,
        on_new_table,
    }])
}

/// A constraint trigger cannot be replaced: one of our own may be dropped where the same file makes it anew.
pub fn drop_trigger(statement: &DropStmt, known: &mut Known) -> Verdict {
    const REFUSED: &str = "DROP TRIGGER: it removes what exists, unless it is one trigger of an earlier statement of \
                           this set, without IF EXISTS and CASCADE";

    let [object] = statement.objects.as_slice() else {
        return Err(REFUSED.into());
    };
    let names = match &object.node {
        Some(NodeEnum::List(list)) => strings(&list.items),
        _ => Vec::new(),
    };
    let (table, trigger) = match names.as_slice() {
        [schema, table, trigger] => (Name::new(schema, table), *trigger),
        _ => return Err(REFUSED.into()),
    };
    if statement.missing_ok
        || statement.behavior() != DropBehavior::DropRestrict
        || !known.is_own_trigger(&table, trigger)
    {
        return Err(REFUSED.into());
    }
    let on_new_table = known.is_new_table(&table);
    known.drop_trigger(table, trigger);
    Ok(vec![Action {
        class: Class::RemakeTrigger,
        on_new_table,
    }])
}
