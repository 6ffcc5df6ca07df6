//! What the connected role, and the owner of the tables, must be allowed before `up` begins.

use super::code::Code;
use super::finding::Finding;
use crate::schema::{Schema, quote_ident};
use crate::situation::Facts;

/// One finding with every right that is missing. `work` says whether migrations or mends are due, `extend` whether the
/// extension is.
pub fn missing(facts: &Facts, schema: &Schema, work: bool, extend: bool) -> Option<Finding> {
    let role = quote_ident(&facts.role);
    let database = quote_ident(&facts.database);
    let (mut lacks, mut mends): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut lack = |what: String, mend: String| {
        lacks.push(what);
        if !mends.contains(&mend) {
            mends.push(mend);
        }
    };
    let in_database = format!("GRANT CREATE ON DATABASE {database} TO {role}");
    let table = facts.adopted().next();
    if work {
        if let Some(table) = facts.adopted().find(|table| !table.may_become_owner) {
            let owner = quote_ident(&table.owner);
            lack(
                format!("{role} may not act for {owner}, the owner of the tables"),
                format!("GRANT {owner} TO {role}"),
            );
        }
        let (creator, may_create) = match (table, &facts.schema) {
            (Some(table), _) => (quote_ident(&table.owner), table.owner_may_create),
            (None, Some(found)) => (role.clone(), found.may_create),
            (None, None) => (role.clone(), true),
        };
        if !may_create {
            lack(
                format!("{creator} may not create in schema {}", schema.quoted()),
                format!(
                    "GRANT USAGE, CREATE ON SCHEMA {} TO {creator}",
                    schema.quoted()
                ),
            );
        }
        if facts.schema.is_none() && !facts.may_create_schema {
            lack(
                format!("{role} may not create schema {}", schema.quoted()),
                in_database.clone(),
            );
        }
    }
    if extend {
        match (&facts.extension.owner, facts.extension.owned) {
            (None, _) if !facts.may_create_schema => {
                lack(format!("{role} may not install the extension"), in_database);
            }
            (Some(owner), Some(false)) => lack(
                format!("{role} may not update the extension of {owner}"),
                format!("GRANT {owner} TO {role}"),
            ),
            _ => {}
        }
    }
    if (work || extend) && !facts.counts_rows && !facts.superuser {
        lack(
            "track_counts is off, so nothing could be proved, and only a superuser may switch it on".to_owned(),
            format!("ALTER DATABASE {database} SET track_counts = on"),
        );
    }
    (!lacks.is_empty()).then(|| {
        Finding::new(Code::NoRight, &facts.role, lacks.join("; ")).with_mend(mends.join("; "))
    })
}
