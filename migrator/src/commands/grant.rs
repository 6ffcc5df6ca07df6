//! `grant`: exactly the rights that publishing or reading needs.

use std::fmt;

use postgres::Transaction;
use serde::Serialize;

use crate::cli::GrantArgs;
use crate::commands::Context;
use crate::error::{Doing, Error, Exit};
use crate::schema::{MAX_NAME_BYTES, Schema, quote_ident};
use crate::situation::Facts;
use crate::situation::extension::NAME;
use crate::situation::history;
use crate::wanted::Catalog;

const PUBLISH: &[&str] = &[
    "ext_finalize_version(jsonb, text, text, text, bigint)",
    "ext_finalize_bundle(jsonb, bytea, text, text, text)",
];
/// Also granted to a publisher: the receipt of what was published and its proofs, which hold hashes only.
const PROVE: &[&str] = &[
    "ext_version_leaf(uuid)",
    "ext_log_checkpoint(bigint)",
    "ext_inclusion_proof(bigint, bigint)",
    "ext_consistency_proof(bigint, bigint)",
    "ext_log_tile(integer, bigint, integer)",
];
const SEAL: &[&str] = &[
    "ext_seal_log(text)",
    "ext_sign_checkpoint(bigint, text)",
    "ext_log_checkpoint(bigint)",
    "ext_inclusion_proof(bigint, bigint)",
    "ext_consistency_proof(bigint, bigint)",
    "ext_log_tile(integer, bigint, integer)",
];
const AUDIT: &[&str] = &[
    "ext_verify_log()",
    "ext_version_leaf(uuid)",
    "ext_log_checkpoint(bigint)",
    "ext_inclusion_proof(bigint, bigint)",
    "ext_consistency_proof(bigint, bigint)",
    "ext_log_tile(integer, bigint, integer)",
];
const READ: &[&str] = &[
    "ext_list_versions(uuid, text)",
    "ext_extension_id(text, text)",
];

/// What `grant` gave. In JSON:
///
/// ```json
/// {
///   "schema": "public", "publishers": ["ci"], "readers": ["web"], "sealers": ["cron"], "auditors": [],
///   "statements": ["GRANT USAGE ON SCHEMA …"]
/// }
/// ```
#[derive(Serialize)]
struct Report {
    schema: String,
    publishers: Vec<String>,
    readers: Vec<String>,
    sealers: Vec<String>,
    auditors: Vec<String>,
    statements: Vec<String>,
}

/// Runs `grant`: all of it or nothing.
pub fn run(context: &Context, args: &GrantArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let given = [
        (
            &args.publisher,
            publisher as fn(&Schema, &str) -> Vec<String>,
        ),
        (&args.reader, reader),
        (&args.sealer, sealer),
        (&args.auditor, auditor),
    ];
    for role in given.iter().flat_map(|(roles, _)| *roles) {
        refuse_misleading(role)?;
    }
    let mut session = context.connect()?;
    let doing = "granting";
    let mut transaction = session.read_committed()?;
    let facts = Facts::read(&mut transaction, schema.name(), &Catalog::shipped().names())?;
    require_extension(&facts, &schema)?;
    let mut statements = Vec::new();
    for (roles, rights) in given {
        for role in roles {
            statements.extend(rights(&schema, &quote_ident(role)));
        }
    }
    // Before 1.1.0 the extension had no log: until it is updated, a publisher gets what there is.
    let receipts = facts.function(PROVE[0]).is_some();
    if receipts {
        for role in &args.publisher {
            statements.push(execute(&schema.quoted(), PROVE, &quote_ident(role)));
        }
    }
    for statement in &statements {
        transaction.batch_execute(statement).doing(statement)?;
    }
    for (role, functions) in with(&args.publisher, PUBLISH)
        .chain(with(if receipts { &args.publisher } else { &[] }, PROVE))
        .chain(with(&args.reader, READ))
        .chain(with(&args.sealer, SEAL))
        .chain(with(&args.auditor, AUDIT))
    {
        assert_granted(&mut transaction, &schema, role, functions)?;
    }
    transaction.commit().doing(doing)?;
    context.output.result(&Report {
        schema: schema.name().to_owned(),
        publishers: args.publisher.clone(),
        readers: args.reader.clone(),
        sealers: args.sealer.clone(),
        auditors: args.auditor.clone(),
        statements,
    })?;
    Ok(Exit::Done)
}

fn with<'a>(
    roles: &'a [String],
    functions: &'a [&'a str],
) -> impl Iterator<Item = (&'a String, &'a [&'a str])> {
    roles.iter().map(move |role| (role, functions))
}

/// Refuses names that PostgreSQL takes for something else. It reads `"public"` as PUBLIC, quoted or not, and nothing is granted to everybody.
fn refuse_misleading(role: &str) -> Result<(), Error> {
    match role {
        "" => Err(Error::Usage("the role name is empty".to_owned())),
        role if role.eq_ignore_ascii_case("public") => Err(Error::Usage(
            "nothing is granted to PUBLIC: name a role".to_owned(),
        )),
        // PostgreSQL would cut the name short and might grant to another role.
        role if role.len() > MAX_NAME_BYTES => Err(Error::Usage(format!(
            "role name {role:?} is longer than PostgreSQL's {MAX_NAME_BYTES} bytes"
        ))),
        _ => Ok(()),
    }
}

fn require_extension(facts: &Facts, schema: &Schema) -> Result<(), Error> {
    match &facts.extension.schema {
        Some(found) if found == schema.name() => Ok(()),
        Some(other) => Err(Error::SecondSchema {
            other: other.clone(),
        }),
        None => Err(Error::ExtensionMissing),
    }
}

/// GRANT by a role that may not is no error to PostgreSQL, where that role has the right itself: only a warning.
fn assert_granted(
    transaction: &mut Transaction,
    schema: &Schema,
    role: &str,
    functions: &[&str],
) -> Result<(), Error> {
    let doing = "looking at the rights";
    let functions: Vec<String> = functions
        .iter()
        .map(|function| format!("{}.{function}", schema.quoted()))
        .collect();
    let row = transaction
        .query_one(
            "SELECT pg_catalog.has_schema_privilege($1::text, $2::text, 'USAGE'), \
                    (SELECT bool_and(pg_catalog.has_function_privilege($1::text, f, 'EXECUTE')) \
                     FROM pg_catalog.unnest($3::text[]) AS f), \
                    current_user::text",
            &[&role, &schema.name(), &functions],
        )
        .doing(doing)?;
    let usage: bool = row.try_get(0).doing(doing)?;
    let execute: bool = row.try_get(1).doing(doing)?;
    let connected: String = row.try_get(2).doing(doing)?;
    match usage && execute {
        true => Ok(()),
        false => Err(Error::NoRight(format!(
            "nothing was granted: {connected:?} may not grant {}; connect as the role that {}",
            if usage {
                "EXECUTE on the functions"
            } else {
                "USAGE on the schema"
            },
            if usage {
                "installed the extension"
            } else {
                "owns the schema"
            },
        ))),
    }
}

fn execute(schema: &str, functions: &[&str], role: &str) -> String {
    let functions = functions
        .iter()
        .map(|function| format!("{schema}.{function}"))
        .collect::<Vec<_>>()
        .join(", ");
    format!("GRANT EXECUTE ON FUNCTION {functions} TO {role}")
}

fn publisher(schema: &Schema, role: &str) -> Vec<String> {
    let schema = schema.quoted();
    vec![
        format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        execute(&schema, PUBLISH, role),
    ]
}

fn reader(schema: &Schema, role: &str) -> Vec<String> {
    let schema = schema.quoted();
    vec![
        format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        execute(&schema, READ, role),
        format!(
            "GRANT SELECT ON {schema}.extension_registry, {schema}.extension_version, {schema}.extension_bundle \
             TO {role}"
        ),
        // The list needs these columns only; row-level security keeps tenants apart.
        format!(
            "GRANT SELECT (tenant_id, registry_id, version_id) ON {schema}.tenant_extension_install TO {role}"
        ),
    ]
}

fn sealer(schema: &Schema, role: &str) -> Vec<String> {
    let schema = schema.quoted();
    vec![
        format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        execute(&schema, SEAL, role),
        // To find what its key has signed before.
        format!(
            "GRANT SELECT ON {schema}.extension_log_checkpoint, {schema}.extension_log_signature TO {role}"
        ),
    ]
}

fn auditor(schema: &Schema, role: &str) -> Vec<String> {
    let schema = schema.quoted();
    vec![
        format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        execute(&schema, AUDIT, role),
        format!(
            "GRANT SELECT ON {schema}.extension_registry, {schema}.extension_version, {schema}.extension_bundle, \
             {schema}.extension_log_leaf, {schema}.extension_log_tile, {schema}.extension_log_checkpoint, \
             {schema}.extension_log_signature, {schema}.{} TO {role}",
            history::TABLE
        ),
    ]
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for statement in &self.statements {
            writeln!(f, "{statement};")?;
        }
        writeln!(
            f,
            "granted on {NAME} in schema {}: publishers {}, readers {}, sealers {}, auditors {}",
            self.schema,
            list(&self.publishers),
            list(&self.readers),
            list(&self.sealers),
            list(&self.auditors)
        )
    }
}

fn list(roles: &[String]) -> String {
    match roles.is_empty() {
        true => "-".to_owned(),
        false => roles.join(", "),
    }
}

#[cfg(test)]
mod tests;
