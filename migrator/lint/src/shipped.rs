//! The objects that each migration makes, read out of its own SQL with the server's grammar: so what is expected, and
//! the statement that restores it, are never written down a second time.

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableStmt, AlterTableType, ConstrType, Node};

use serde::Serialize;

/// What a file makes. A later definition of a function or trigger replaces an earlier one.
#[derive(Debug, Default, Serialize)]
pub struct Made {
    pub functions: Vec<Function>,
    pub triggers: Vec<Trigger>,
    pub indexes: Vec<Index>,
    pub checks: Vec<Check>,
    pub defaults: Vec<Default>,
    pub tables: Vec<String>,
    /// Constraints of CREATE TABLE that have an index of their name.
    pub keys: Vec<String>,
    /// REVOKE and COMMENT of the functions with these names.
    pub with: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
pub struct Function {
    pub name: String,
    pub body: String,
    pub security_definer: bool,
    /// As `pg_proc.proconfig` holds them.
    pub settings: Vec<String>,
    /// CREATE OR REPLACE FUNCTION
    pub sql: String,
}

#[derive(Debug, Serialize)]
pub struct Trigger {
    pub name: String,
    pub table: String,
    pub function: String,
    /// CREATE TRIGGER: one that is there under this name is for people to drop.
    pub sql: String,
}

#[derive(Debug, Serialize)]
pub struct Index {
    pub name: String,
    pub table: String,
    /// CREATE INDEX CONCURRENTLY IF NOT EXISTS
    pub sql: String,
}

#[derive(Debug, Serialize)]
pub struct Check {
    pub name: String,
    pub table: String,
    /// ALTER TABLE … ADD CONSTRAINT … NOT VALID
    pub sql: String,
}

/// A default that a migration changed later.
#[derive(Debug, Serialize)]
pub struct Default {
    pub table: String,
    pub column: String,
    /// ALTER TABLE … ALTER COLUMN … SET DEFAULT
    pub sql: String,
}

impl Made {
    /// Reads what `sql` makes.
    ///
    /// # Errors
    /// Where it does not parse.
    pub fn by(sql: &str) -> Result<Self, pg_query::Error> {
        let mut made = Self::default();
        let parsed = pg_query::parse(sql, pg_query::ParserOptions::default())?;
        for raw in &parsed.protobuf.stmts {
            let statement = raw.stmt.as_ref();
            if let Some(node) = statement.and_then(|statement| statement.node.as_ref()) {
                made.add(node, text(sql, raw.stmt_location, raw.stmt_len));
            }
        }
        Ok(made)
    }

    fn add(&mut self, node: &NodeEnum, sql: &str) {
        match node {
            NodeEnum::CreateFunctionStmt(statement) => {
                let option = |name: &str| {
                    statement
                        .options
                        .iter()
                        .find_map(|option| match &option.node {
                            Some(NodeEnum::DefElem(element)) if element.defname == name => {
                                element.arg.as_deref()
                            }
                            _ => None,
                        })
                };
                let name = last_name(&statement.funcname);
                self.functions.retain(|function| function.name != name);
                self.functions.push(Function {
                    body: option("as").map(strings).unwrap_or_default().concat(),
                    security_definer: option("security").is_some_and(is_true),
                    settings: statement.options.iter().filter_map(setting).collect(),
                    sql: or_replace(sql),
                    name,
                });
            }
            NodeEnum::CreateTrigStmt(statement) => {
                self.triggers
                    .retain(|trigger| trigger.name != statement.trigname);
                self.triggers.push(Trigger {
                    name: statement.trigname.clone(),
                    table: relation_name(statement.relation.as_ref()),
                    function: last_name(&statement.funcname),
                    sql: sql.to_owned(),
                });
            }
            NodeEnum::IndexStmt(statement) => self.indexes.push(Index {
                name: statement.idxname.clone(),
                table: relation_name(statement.relation.as_ref()),
                sql: sql.to_owned(),
            }),
            NodeEnum::CreateStmt(statement) => {
                self.tables.push(relation_name(statement.relation.as_ref()));
                for element in &statement.table_elts {
                    if let Some(NodeEnum::Constraint(key)) = &element.node
                        && matches!(
                            key.contype(),
                            ConstrType::ConstrPrimary | ConstrType::ConstrUnique
                        )
                    {
                        self.keys.push(key.conname.clone());
                    }
                }
            }
            NodeEnum::AlterTableStmt(statement) => {
                for command in &statement.cmds {
                    self.add_alteration(statement, command);
                }
            }
            NodeEnum::GrantStmt(statement) => {
                for object in &statement.objects {
                    self.attach(object, sql);
                }
            }
            NodeEnum::CommentStmt(statement) => {
                if let Some(object) = &statement.object {
                    self.attach(object, sql);
                }
            }
            _ => {}
        }
    }

    fn add_alteration(&mut self, statement: &AlterTableStmt, command: &Node) {
        // One command per statement, whatever else the shipped statement holds.
        let single = NodeEnum::AlterTableStmt(AlterTableStmt {
            cmds: vec![command.clone()],
            ..statement.clone()
        });
        let (Some(NodeEnum::AlterTableCmd(command)), Ok(sql)) = (
            &command.node,
            single.deparse(pg_query::DeparseOptions::default()),
        ) else {
            return;
        };
        let table = relation_name(statement.relation.as_ref());
        match command.subtype() {
            AlterTableType::AtAddConstraint => {
                if let Some(NodeEnum::Constraint(check)) =
                    command.def.as_ref().and_then(|def| def.node.as_ref())
                    && check.contype() == ConstrType::ConstrCheck
                {
                    let name = check.conname.clone();
                    self.checks.push(Check { name, table, sql });
                }
            }
            AlterTableType::AtColumnDefault => {
                let column = command.name.clone();
                self.defaults.push(Default { table, column, sql });
            }
            _ => {}
        }
    }

    /// Keeps `sql` with the function that `object` names, if it names one.
    fn attach(&mut self, object: &Node, sql: &str) {
        if let Some(NodeEnum::ObjectWithArgs(object)) = &object.node {
            self.with.push((last_name(&object.objname), sql.to_owned()));
        }
    }
}

/// The text of one statement without the comments before it.
fn text(sql: &str, location: i32, length: i32) -> &str {
    let start = usize::try_from(location).unwrap_or(0);
    let end = match usize::try_from(length) {
        Ok(0) | Err(_) => sql.len(),
        Ok(length) => start + length,
    };
    let mut text = sql.get(start..end).unwrap_or_default().trim();
    while text.starts_with("--") {
        text = text
            .split_once('\n')
            .map_or("", |(_, rest)| rest.trim_start());
    }
    text
}

fn or_replace(sql: &str) -> String {
    match sql.strip_prefix("CREATE FUNCTION ") {
        Some(rest) => format!("CREATE OR REPLACE FUNCTION {rest}"),
        None => sql.to_owned(),
    }
}

fn relation_name(relation: Option<&pg_query::protobuf::RangeVar>) -> String {
    relation
        .map(|relation| relation.relname.clone())
        .unwrap_or_default()
}

fn last_name(names: &[Node]) -> String {
    names.last().map(strings).unwrap_or_default().concat()
}

fn strings(node: &Node) -> Vec<String> {
    match &node.node {
        Some(NodeEnum::String(string)) => vec![string.sval.clone()],
        Some(NodeEnum::List(list)) => list.items.iter().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

fn is_true(node: &Node) -> bool {
    matches!(&node.node, Some(NodeEnum::Boolean(boolean)) if boolean.boolval)
}

/// `SET name = value, …` of a function, as the catalog holds it.
fn setting(option: &Node) -> Option<String> {
    let Some(NodeEnum::DefElem(element)) = &option.node else {
        return None;
    };
    let Some(NodeEnum::VariableSetStmt(set)) = &element.arg.as_ref()?.node else {
        return None;
    };
    let values: Vec<_> = set.args.iter().filter_map(constant).collect();
    Some(format!("{}={}", set.name, values.join(", ")))
}

fn constant(node: &Node) -> Option<String> {
    use pg_query::protobuf::a_const::Val;
    match &node.node {
        Some(NodeEnum::AConst(constant)) => match constant.val.as_ref()? {
            Val::Sval(string) => Some(string.sval.clone()),
            Val::Ival(integer) => Some(integer.ival.to_string()),
            _ => None,
        },
        _ => None,
    }
}
