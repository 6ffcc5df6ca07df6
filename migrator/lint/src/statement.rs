//! One statement: what it is, and whether that is on the list.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    CommentStmt, CreateSchemaStmt, DropBehavior, GrantStmt, GrantTargetType, Node, ObjectType,
    RoleSpecType, ViewStmt,
};

use super::additive::{Action, Class, Verdict};
use super::known::{Known, Signature};
use super::names::Name;
use super::{function, index, query, table};

/// Takes a statement and its text; `alone` where its file holds no other.
pub fn classify(statement: &Node, text: &str, alone: bool, known: &mut Known) -> Verdict {
    let Some(node) = &statement.node else {
        return Err("it is empty".into());
    };
    match node {
        NodeEnum::CreateStmt(s) => table::create_table(s, known),
        NodeEnum::AlterTableStmt(s) => table::alter_table(s, known),
        NodeEnum::IndexStmt(s) => index::create_index(s, alone, known),
        NodeEnum::CreateFunctionStmt(s) => function::create_function(s, text, known),
        NodeEnum::CreateTrigStmt(s) => function::create_trigger(s, known),
        NodeEnum::DropStmt(s) if s.remove_type() == ObjectType::ObjectTrigger => {
            function::drop_trigger(s, known)
        }
        NodeEnum::ViewStmt(s) => create_view(s, known),
        NodeEnum::CreateSchemaStmt(s) => create_schema(s),
        NodeEnum::CommentStmt(s) => comment(s),
        NodeEnum::GrantStmt(s) if s.is_grant => grant(s),
        NodeEnum::GrantStmt(s) => revoke(s, known),
        other => Err(why_not(other, text)),
    }
}

fn create_schema(statement: &CreateSchemaStmt) -> Verdict {
    if !statement.if_not_exists || statement.authrole.is_some() || !statement.schema_elts.is_empty()
    {
        return Err(
            "only CREATE SCHEMA IF NOT EXISTS name, with nothing inside, is on the list".into(),
        );
    }
    Ok(vec![Action::new(Class::CreateSchema)])
}

fn create_view(statement: &ViewStmt, known: &Known) -> Verdict {
    if statement.replace {
        return Err("CREATE OR REPLACE may replace a view that others rely on".into());
    }
    if statement
        .view
        .as_ref()
        .is_none_or(|view| view.relpersistence != "p")
    {
        return Err("only permanent views are on the list".into());
    }
    query::reads_only(&statement.query, known)?;
    Ok(vec![Action::new(Class::CreateView)])
}

fn comment(statement: &CommentStmt) -> Verdict {
    if statement.comment.is_empty() {
        return Err("it takes a comment away".into());
    }
    let class = match statement.objtype() {
        ObjectType::ObjectTable
        | ObjectType::ObjectView
        | ObjectType::ObjectColumn
        | ObjectType::ObjectIndex
        | ObjectType::ObjectTabconstraint
        | ObjectType::ObjectTrigger => Class::CommentOnTable,
        ObjectType::ObjectFunction | ObjectType::ObjectSchema | ObjectType::ObjectType => {
            Class::Comment
        }
        _ => return Err("a comment on an object of this kind is not on the list".into()),
    };
    Ok(vec![Action::new(class)])
}

fn grant(statement: &GrantStmt) -> Verdict {
    let allowed: &[&str] = match statement.objtype() {
        ObjectType::ObjectTable => &["select", "insert"],
        ObjectType::ObjectFunction => &["execute"],
        ObjectType::ObjectSchema => &["usage"],
        _ => return Err("a grant on an object of this kind is not on the list".into()),
    };
    if statement.targtype() != GrantTargetType::AclTargetObject {
        return Err("a grant on all objects of a schema reaches those of others".into());
    }
    if statement.grant_option {
        return Err("WITH GRANT OPTION hands the decision to others".into());
    }
    if grants_to_public(statement) {
        return Err("nothing is granted to PUBLIC".into());
    }
    let privileges: Vec<&str> = statement
        .privileges
        .iter()
        .map(|node| match &node.node {
            Some(NodeEnum::AccessPriv(privilege)) => privilege.priv_name.as_str(),
            _ => "",
        })
        .collect();
    if privileges.is_empty()
        || privileges
            .iter()
            .any(|privilege| !allowed.contains(privilege))
    {
        return Err(format!(
            "only {} can be granted here, by name",
            allowed.join(" and ").to_uppercase()
        ));
    }
    Ok(vec![Action::new(Class::Grant)])
}

fn grants_to_public(statement: &GrantStmt) -> bool {
    statement
        .grantees
        .iter()
        .any(|grantee| match &grantee.node {
            Some(NodeEnum::RoleSpec(role)) => role.roletype() == RoleSpecType::RolespecPublic,
            _ => true,
        })
}

/// Nobody can have come to rely on a right to something that this file creates.
fn revoke(statement: &GrantStmt, known: &mut Known) -> Verdict {
    const REFUSED: &str = "REVOKE takes a right away, unless the same file creates the object";

    if statement.targtype() != GrantTargetType::AclTargetObject
        || statement.behavior() != DropBehavior::DropRestrict
    {
        return Err(REFUSED.into());
    }
    for object in &statement.objects {
        match (&object.node, statement.objtype()) {
            (Some(NodeEnum::RangeVar(table)), ObjectType::ObjectTable)
                if known.is_new_table(&Name::from(table)) =>
            {
                continue;
            }
            (Some(NodeEnum::ObjectWithArgs(function)), ObjectType::ObjectFunction) => {
                let signature =
                    Signature::of(function).filter(|signature| known.is_new_function(signature));
                let signature = signature.ok_or(REFUSED)?;
                if grants_to_public(statement) {
                    known.revoked_from_public(&signature);
                }
            }
            _ => return Err(REFUSED.into()),
        }
    }
    Ok(vec![Action::new(Class::RevokeFromNew)])
}

/// A reason for what is not on the list.
fn why_not(statement: &NodeEnum, text: &str) -> String {
    let why = match statement {
        NodeEnum::DropStmt(_)
        | NodeEnum::DropOwnedStmt(_)
        | NodeEnum::DropdbStmt(_)
        | NodeEnum::DropRoleStmt(_) => "it removes what exists",
        NodeEnum::UpdateStmt(_)
        | NodeEnum::DeleteStmt(_)
        | NodeEnum::TruncateStmt(_)
        | NodeEnum::MergeStmt(_) => "it changes or removes rows that exist",
        NodeEnum::InsertStmt(_) | NodeEnum::CopyStmt(_) => {
            "it writes rows: a migration leaves them alone"
        }
        NodeEnum::RenameStmt(_) => "it renames what exists",
        NodeEnum::AlterOwnerStmt(_) | NodeEnum::ReassignOwnedStmt(_) => {
            "it gives what exists to another owner"
        }
        NodeEnum::AlterObjectSchemaStmt(_) => "it moves what exists to another schema",
        NodeEnum::SelectStmt(_) | NodeEnum::CallStmt(_) | NodeEnum::ExplainStmt(_) => {
            "it runs whatever it calls"
        }
        NodeEnum::DoStmt(_) => "a DO block can do anything",
        NodeEnum::PrepareStmt(_) | NodeEnum::ExecuteStmt(_) => {
            "a prepared statement can do anything"
        }
        NodeEnum::CreateTableAsStmt(_) => "it runs a query",
        NodeEnum::RuleStmt(_) => "a rule changes what statements on the table do",
        NodeEnum::TransactionStmt(_) => "a migration and its history row are one transaction",
        NodeEnum::VariableSetStmt(_) => {
            "it changes a setting, and guards and proof depend on settings"
        }
        NodeEnum::LockStmt(_) => "it locks a table for the rest of the migration",
        _ => "it is not on the list of additive statements",
    };
    format!("{}: {why}", leading_keywords(text))
}

/// The keywords a statement begins with, two at most: `DROP TABLE`, `EXPLAIN ANALYZE`.
fn leading_keywords(text: &str) -> String {
    let word = |w: &&str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    let words: Vec<&str> = text.split_whitespace().take(2).take_while(word).collect();
    match words.as_slice() {
        [] => text.chars().take(20).collect(),
        [first] => first.to_uppercase(),
        // What follows these is a name, not a keyword.
        [first, ..]
            if [
                "update", "set", "reset", "execute", "call", "select", "do", "lock", "prepare",
                "copy", "merge",
            ]
            .contains(&first.to_lowercase().as_str()) =>
        {
            first.to_uppercase()
        }
        words => words.join(" ").to_uppercase(),
    }
}
