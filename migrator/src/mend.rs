//! Puts right what drifted, as far as adding does it: the statements of the shipped migrations, run again.

use crate::apply::{As, Runner};
use crate::error::Error;
use crate::inspect::{Finding, Inspection, Purpose, Repair};
use crate::migrations::{self, Kind, Migration};
use crate::proof::Proof;

/// Runs once all migrations are applied. Gives the findings it put right; `add` gets the proof of each transaction.
pub fn run(
    runner: &mut Runner,
    migrations: &[Migration],
    add: &mut impl FnMut(Proof),
) -> Result<Vec<Finding>, Error> {
    let (mended, left): (Vec<_>, Vec<_>) = drift(runner, migrations)?
        .into_iter()
        .filter(Finding::is_error)
        .partition(|finding| finding.mended_by_up);
    let mut repairs: Vec<&Repair> = Vec::new();
    for repair in mended.iter().flat_map(|finding| &finding.repairs) {
        // Two findings may ask for the same.
        if !repairs.contains(&repair) {
            repairs.push(repair);
        }
    }
    repairs.sort_by_key(|repair| repair.phase);
    for repair in repairs {
        put_right(runner, repair, add)?;
    }
    if !left.is_empty() {
        runner.session.output.log(&format!(
            "{} more findings that adding cannot put right: run ext-migrate check",
            left.len()
        ));
    }
    Ok(mended)
}

fn drift(runner: &mut Runner, migrations: &[Migration]) -> Result<Vec<Finding>, Error> {
    let all: Vec<i32> = migrations.iter().map(|m| m.version).collect();
    let purpose = Purpose {
        run: true,
        extension: false,
    };
    let mut transaction = runner.session.read_only()?;
    let inspection = Inspection::read(&mut transaction, runner.schema, migrations, &all, purpose)?;
    Ok(inspection.drift(runner.schema))
}

fn put_right(
    runner: &mut Runner,
    repair: &Repair,
    add: &mut impl FnMut(Proof),
) -> Result<(), Error> {
    let step = format!("mending {}", repair.table);
    if let [sql] = repair.statements.as_slice()
        && let Ok(Kind::Concurrent { index, table }) = migrations::kind(sql)
    {
        return runner.build_index(&step, sql, &index, &table);
    }
    add(runner.transaction(&step, As::Owner, |transaction| {
        repair
            .statements
            .iter()
            .try_for_each(|statement| transaction.batch_execute(statement))
    })?);
    Ok(())
}
