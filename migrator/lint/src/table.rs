//! CREATE TABLE and ALTER TABLE.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterTableCmd, AlterTableStmt, AlterTableType, ColumnDef, ConstrType, Constraint, CreateStmt,
    Node, ObjectType,
};

use super::additive::{Action, Class, Verdict};
use super::known::Known;
use super::names::{Name, is_built_in_type};
use super::query::{is_constant, reads_only};

pub fn create_table(statement: &CreateStmt, known: &mut Known) -> Verdict {
    let table = statement.relation.as_ref().ok_or("it names no table")?;
    if !statement.inh_relations.is_empty() || statement.partbound.is_some() {
        return Err(
            "a table that inherits from another, or is a partition of it, changes the other".into(),
        );
    }
    if statement.partspec.is_some()
        || statement.of_typename.is_some()
        || table.relpersistence != "p"
    {
        return Err("only ordinary permanent tables are on the list".into());
    }
    let mut actions = vec![Action::new(Class::CreateTable)];
    for element in &statement.table_elts {
        match &element.node {
            Some(NodeEnum::ColumnDef(column)) => {
                for constraint in &column.constraints {
                    actions.extend(constraint_of_new_table(constraint, known)?);
                }
            }
            Some(NodeEnum::Constraint(_)) => {
                actions.extend(constraint_of_new_table(element, known)?)
            }
            _ => return Err("only columns and constraints are on the list for a new table".into()),
        }
    }
    if !statement.if_not_exists {
        known.add_table(Name::from(table));
    }
    Ok(actions)
}

fn constraint_of_new_table(node: &Node, known: &Known) -> Result<Option<Action>, String> {
    let Some(NodeEnum::Constraint(constraint)) = &node.node else {
        return Err("only columns and constraints are on the list for a new table".into());
    };
    match constraint.contype() {
        ConstrType::ConstrNull
        | ConstrType::ConstrNotnull
        | ConstrType::ConstrPrimary
        | ConstrType::ConstrUnique
        | ConstrType::ConstrIdentity
        | ConstrType::ConstrAttrDeferrable
        | ConstrType::ConstrAttrNotDeferrable
        | ConstrType::ConstrAttrDeferred
        | ConstrType::ConstrAttrImmediate => Ok(None),
        ConstrType::ConstrDefault | ConstrType::ConstrGenerated | ConstrType::ConstrCheck => {
            expression(constraint, known)?;
            Ok(None)
        }
        ConstrType::ConstrForeign => {
            foreign_key(constraint)?;
            let referenced = constraint.pktable.as_ref().map(Name::from);
            let new = referenced.is_some_and(|table| known.is_new_table(&table));
            Ok((!new).then(|| Action::new(Class::ReferenceTable)))
        }
        other => Err(format!("{other:?} is not on the list of constraints")),
    }
}

pub fn alter_table(statement: &AlterTableStmt, known: &mut Known) -> Verdict {
    let table = statement.relation.as_ref().ok_or("it names no table")?;
    if statement.objtype() != ObjectType::ObjectTable {
        return Err("of the ALTER commands only ALTER TABLE is on the list".into());
    }
    if statement.missing_ok {
        return Err("IF EXISTS would record a migration that did nothing".into());
    }
    let table = Name::from(table);
    let mut actions = Vec::new();
    for command in &statement.cmds {
        let Some(NodeEnum::AlterTableCmd(command)) = &command.node else {
            return Err("a part of it is not on the list".into());
        };
        actions.push(Action {
            class: alter_command(command, &table, known)?,
            on_new_table: known.is_new_table(&table),
        });
    }
    Ok(actions)
}

fn alter_command(
    command: &AlterTableCmd,
    table: &Name,
    known: &mut Known,
) -> Result<Class, String> {
    let definition = command.def.as_deref().and_then(|node| node.node.as_ref());
    match (command.subtype(), definition) {
        (AlterTableType::AtAddColumn, Some(NodeEnum::ColumnDef(column))) => {
            add_column(column)?;
            Ok(Class::AddColumn)
        }
        (AlterTableType::AtColumnDefault, Some(_)) => {
            reads_only(&command.def, known)?;
            Ok(Class::SetDefault)
        }
        (AlterTableType::AtColumnDefault, None) => {
            Err("DROP DEFAULT: rows to come may be refused for want of a value".into())
        }
        (AlterTableType::AtAddConstraint, Some(NodeEnum::Constraint(constraint))) => {
            if known.is_new_table(table) {
                constraint_of_new_table(command.def.as_deref().ok_or("it adds nothing")?, known)?;
                return Ok(Class::AddToNewTable);
            }
            add_constraint(constraint, known)
        }
        (AlterTableType::AtValidateConstraint, _) => Ok(Class::Validate),
        (AlterTableType::AtEnableAlwaysTrig, _) if known.is_own_trigger(table, &command.name) => {
            known.enabled_always(table, &command.name);
            Ok(Class::EnableAlways)
        }
        (AlterTableType::AtEnableAlwaysTrig, _) => Err(format!(
            "trigger {} is not one that these migrations created",
            command.name
        )),
        (other, _) => Err(format!("{} is not on the list", alter_name(other))),
    }
}

fn add_column(column: &ColumnDef) -> Result<(), String> {
    let name = &column.colname;
    if !column.type_name.as_ref().is_some_and(is_built_in_type) {
        return Err(format!(
            "column {name}: its type is not one of the built-in types that are added without rewriting the table"
        ));
    }
    let mut not_null = false;
    let mut default = false;
    for constraint in &column.constraints {
        let Some(NodeEnum::Constraint(constraint)) = &constraint.node else {
            return Err(format!(
                "column {name}: a part of its definition is not on the list"
            ));
        };
        match constraint.contype() {
            ConstrType::ConstrNull => (),
            ConstrType::ConstrNotnull => not_null = true,
            ConstrType::ConstrDefault
                if constraint.raw_expr.as_deref().is_some_and(is_constant) =>
            {
                default = !is_null(constraint.raw_expr.as_deref());
            }
            ConstrType::ConstrDefault => {
                return Err(format!(
                    "column {name}: a default that is not constant may rewrite the table"
                ));
            }
            ConstrType::ConstrGenerated | ConstrType::ConstrIdentity => {
                return Err(format!(
                    "column {name}: a generated column rewrites the table"
                ));
            }
            _ => {
                return Err(format!(
                    "column {name}: a constraint in the same breath reads or indexes every row under the lock"
                ));
            }
        }
    }
    if not_null && !default {
        return Err(format!(
            "column {name}: NOT NULL without a constant default fails on rows that exist"
        ));
    }
    if !column.fdwoptions.is_empty() {
        return Err(format!("column {name}: OPTIONS are for foreign tables"));
    }
    Ok(())
}

fn is_null(node: Option<&Node>) -> bool {
    match node.and_then(|node| node.node.as_ref()) {
        Some(NodeEnum::AConst(constant)) => constant.isnull,
        Some(NodeEnum::TypeCast(cast)) => is_null(cast.arg.as_deref()),
        _ => false,
    }
}

fn add_constraint(constraint: &Constraint, known: &Known) -> Result<Class, String> {
    let class = match constraint.contype() {
        ConstrType::ConstrCheck => {
            expression(constraint, known)?;
            Class::AddCheck
        }
        ConstrType::ConstrForeign => {
            foreign_key(constraint)?;
            Class::AddForeignKey
        }
        ConstrType::ConstrUnique | ConstrType::ConstrPrimary | ConstrType::ConstrExclusion => {
            return Err("it builds an index while nobody can write: CREATE UNIQUE INDEX CONCURRENTLY instead".into());
        }
        other => return Err(format!("{other:?} is not on the list of constraints")),
    };
    if constraint.conname.is_empty() {
        return Err("a constraint without a name cannot be validated or checked later".into());
    }
    if !constraint.skip_validation {
        return Err("without NOT VALID every row is read while nobody can write: add it NOT VALID, then VALIDATE".into());
    }
    if !constraint.is_enforced {
        return Err("a constraint that is NOT ENFORCED guards nothing".into());
    }
    Ok(class)
}

fn foreign_key(constraint: &Constraint) -> Result<(), String> {
    // 'a' is NO ACTION, 'r' RESTRICT; the others change or delete rows when the referenced row goes.
    for action in [&constraint.fk_del_action, &constraint.fk_upd_action] {
        if !["", "a", "r"].contains(&action.as_str()) {
            return Err("a foreign key that cascades or sets changes rows when others do".into());
        }
    }
    Ok(())
}

fn expression(constraint: &Constraint, known: &Known) -> Result<(), String> {
    reads_only(&constraint.raw_expr, known)
}

/// `AtSetNotNull` as `SET NOT NULL`.
fn alter_name(subtype: AlterTableType) -> String {
    let name = format!("{subtype:?}");
    let words = name.strip_prefix("At").unwrap_or(&name);
    let mut text = String::new();
    for c in words.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(c.to_ascii_uppercase());
    }
    text
}
