//! Everything that is not as the migrations made it, history and extension included.

use super::facts::Facts;
use super::{Finding, Inspection, State};
use crate::history::History;
use crate::migrations::Migration;
use crate::schema::{Schema, quote_ident};

/// All findings, the gravest kind first: history, what cannot be migrated at all, pending migrations, drift, extension.
///
/// `extension` is false where the registry is meant to do without it.
pub fn findings(
    inspection: &Inspection,
    schema: &Schema,
    history: &History,
    migrations: &[Migration],
    extension: bool,
) -> Vec<Finding> {
    let mut findings: Vec<_> = history
        .problems
        .iter()
        .map(|problem| Finding::error("HISTORY_DISAGREES", crate::history::TABLE, problem))
        .collect();
    findings.extend(inspection.preflight.refusals.iter().cloned());
    if inspection.citus.as_ref().is_some_and(|found| found.worker) {
        return findings;
    }
    if history.applied.is_empty() && !inspection.history_lost {
        let found = match inspection.preflight.state {
            State::Fresh => "none of the tables is there",
            State::Adoptable => "the tables are there as the old schema made them, unguarded",
            _ => "no migration has run here",
        };
        findings.push(Finding::error("NOT_MIGRATED", schema.name(), found).mended_by_up());
        return findings;
    }
    for migration in history.pending(migrations) {
        findings.push(
            Finding::error(
                "MIGRATION_PENDING",
                migration.file(),
                "this migration has not run yet",
            )
            .mended_by_up(),
        );
    }
    findings.extend(inspection.drift(schema));
    findings.extend(inspection.preflight.notes.iter().cloned());
    if extension {
        findings.extend(extension_finding(&inspection.facts));
        findings.extend(owner_right(&inspection.facts));
    }
    findings
}

fn extension_finding(facts: &Facts) -> Option<Finding> {
    let object = "ext_registry";
    match (&facts.extension, &facts.extension_available) {
        (None, Some(_)) => Some(
            Finding::error(
                "EXTENSION_MISSING",
                object,
                "the extension is not installed in this database",
            )
            .mended_by_up(),
        ),
        (None, None) => Some(
            Finding::error(
                "EXTENSION_MISSING",
                object,
                "the extension is not installed in this database, and the server does not offer it",
            )
            .with_mend("make install on the server, or ext-migrate check --without-extension"),
        ),
        (Some(installed), Some(available)) if installed.version != *available => Some(
            Finding::error(
                "EXTENSION_OUTDATED",
                object,
                format!(
                    "version {} is installed, and the server has {available}",
                    installed.version
                ),
            )
            .mended_by_up(),
        ),
        (Some(installed), None) => Some(Finding::error(
            "EXTENSION_UNAVAILABLE",
            object,
            format!(
                "version {} is installed, and its files are gone from the server",
                installed.version
            ),
        )),
        (Some(_), Some(_)) => None,
    }
}

/// A dump does not say who installed the extension: whoever restores it becomes that, and the grants that the owner of
/// the tables had made are refused.
fn owner_right(facts: &Facts) -> Option<Finding> {
    let owner = facts.owner()?;
    let functions: Vec<_> = facts
        .extension_functions
        .iter()
        .filter(|function| function.member && !function.owner_execute)
        .map(|function| function.signature.as_str())
        .collect();
    (!functions.is_empty()).then(|| {
        Finding::note(
            "OWNER_RIGHT",
            "ext_registry",
            format!(
                "{owner:?}, the owner of the tables, may not call the extension's functions nor grant them: another role \
                 has installed it, as in a restore"
            ),
        )
        .with_mend(format!(
            "GRANT EXECUTE ON FUNCTION {} TO {} WITH GRANT OPTION, and ext-migrate grant",
            functions.join(", "),
            quote_ident(owner)
        ))
    })
}
