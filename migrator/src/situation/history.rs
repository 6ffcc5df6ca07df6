//! The history table: refinery's, under our name, so that refinery itself can read it.

use postgres::GenericClient;

use crate::error::{Doing, Error};
use crate::migrations::Migration;
use crate::schema::{Schema, quote_ident};
use crate::situation::Facts;

/// The table's name; it lives in the registry's schema.
pub const TABLE: &str = "ext_registry_schema_history";

/// One row of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub version: i32,
    pub name: String,
    /// RFC 3339.
    pub applied_on: String,
    /// Decimal, as refinery writes it.
    pub checksum: String,
}

/// What the history says about the files.
#[derive(Debug, Clone)]
pub struct History {
    pub applied: Vec<Applied>,
    /// One line for each row or file that does not fit.
    pub problems: Vec<String>,
    /// False on a database that has never been migrated.
    pub exists: bool,
}

impl History {
    /// Reads the history where there is one, and compares it with the files. Errors with [`Error::NoRight`].
    pub fn read(
        client: &mut impl GenericClient,
        schema: &Schema,
        migrations: &[Migration],
        facts: &Facts,
    ) -> Result<Self, Error> {
        let table = facts
            .relation(TABLE)
            .filter(|table| ["r", "p"].contains(&table.kind.as_str()));
        let applied = match table {
            // A member of the owner that does not inherit its rights.
            Some(table) if !table.readable && table.may_become_owner => {
                let doing = "reading the history as its owner";
                let role = format!("SET LOCAL ROLE {}", quote_ident(&table.owner));
                client.batch_execute(&role).doing(doing)?;
                let rows = rows(client, schema)?;
                client.batch_execute("RESET ROLE").doing(doing)?;
                rows
            }
            Some(table) if !table.readable => {
                let role = quote_ident(&facts.role);
                return Err(Error::NoRight(format!(
                    "the role {role} may not read the history: GRANT USAGE ON SCHEMA {schema} TO {role}; \
                     GRANT SELECT ON {schema}.{TABLE} TO {role} (ext-migrate grant --auditor does that)",
                    schema = schema.quoted(),
                )));
            }
            Some(_) => rows(client, schema)?,
            None => Vec::new(),
        };
        Ok(Self {
            problems: problems(&applied, migrations),
            applied,
            exists: table.is_some(),
        })
    }

    /// Errors with [`Error::History`] (exit 4) where history and files disagree.
    pub fn agree(&self) -> Result<(), Error> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(Error::History(self.problems.clone())),
        }
    }

    /// Takes all migrations for applied where the rows that said so are lost.
    pub fn assume(&mut self, migrations: &[Migration]) {
        self.applied = migrations
            .iter()
            .map(|migration| Applied {
                version: migration.version,
                name: migration.name.clone(),
                applied_on: "unknown".to_owned(),
                checksum: migration.checksum.to_string(),
            })
            .collect();
    }

    /// The row of a migration.
    pub fn of(&self, migration: &Migration) -> Option<&Applied> {
        self.applied
            .iter()
            .find(|applied| applied.version == migration.version)
    }

    /// The numbers of the applied migrations.
    pub fn versions(&self) -> Vec<i32> {
        self.applied.iter().map(|applied| applied.version).collect()
    }

    /// The migrations that are still to run, in order.
    pub fn pending<'a>(&self, migrations: &'a [Migration]) -> Vec<&'a Migration> {
        migrations
            .iter()
            .filter(|migration| self.of(migration).is_none())
            .collect()
    }
}

fn rows(client: &mut impl GenericClient, schema: &Schema) -> Result<Vec<Applied>, Error> {
    let doing = "reading the history";
    client
        .query(
            &format!(
                "SELECT version::int4, coalesce(name::text, ''), coalesce(applied_on::text, ''), \
                 coalesce(checksum::text, '') FROM {}.{TABLE} ORDER BY version",
                schema.quoted()
            ),
            &[],
        )
        .doing(doing)?
        .iter()
        .map(|row| {
            Ok(Applied {
                version: row.try_get(0).doing(doing)?,
                name: row.try_get(1).doing(doing)?,
                applied_on: row.try_get(2).doing(doing)?,
                checksum: row.try_get(3).doing(doing)?,
            })
        })
        .collect()
}

fn problems(applied: &[Applied], migrations: &[Migration]) -> Vec<String> {
    let newest = migrations.last().map_or(0, |migration| migration.version);
    let mut problems = Vec::new();
    for row in applied {
        let label = format!("V{}__{}", row.version, row.name);
        match migrations.iter().find(|m| m.version == row.version) {
            None if row.version > newest => problems.push(format!(
                "{label} was applied by a newer ext-migrate; this one knows migrations up to V{newest}"
            )),
            None => problems.push(format!("{label} was applied and its file is missing")),
            Some(migration) if migration.name != row.name => problems.push(format!(
                "{label} was applied and the file is called {}",
                migration.file()
            )),
            Some(migration) if migration.checksum.to_string() != row.checksum => problems.push(
                format!(
                    "{} was changed after it had been applied (checksum then {}, now {})",
                    migration.file(),
                    row.checksum,
                    migration.checksum
                ),
            ),
            Some(_) => {}
        }
    }
    let last = applied.iter().map(|row| row.version).max().unwrap_or(0);
    let skipped = migrations.iter().filter(|migration| {
        migration.version < last && !applied.iter().any(|row| row.version == migration.version)
    });
    problems.extend(skipped.map(|migration| {
        format!(
            "{} is missing from the history, which goes on to V{last}",
            migration.file()
        )
    }));
    problems
}

#[cfg(test)]
mod tests;
