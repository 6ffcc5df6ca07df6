//! The SQL of a plan, for people who review it or run it with `psql -f`: the same statements, history rows included.

use std::fmt;
use std::time::Duration;

use super::extension::Action;
use super::mend::step;
use super::{comments, ddl_guard, migration};
use crate::migrations::{Kind, Migration};
use crate::schema::{Schema, quote_ident};
use crate::wanted::{Phase, Repair};

/// What `up` would run, in the same transactions. It takes no migration lock, tries nothing twice and proves nothing:
/// that is what `up` is for.
#[derive(Debug)]
pub struct Script<'a> {
    pub schema: &'a Schema,
    /// The owner of tables that are there already.
    pub owner: Option<&'a str>,
    pub create_schema: bool,
    pub create_history: bool,
    /// Of migrations that have run, where the rows that said so are lost.
    pub record: &'a [Migration],
    pub repairs: Vec<&'a Repair>,
    pub pending: &'a [&'a Migration],
    pub extension: Option<&'a Action>,
    pub ddl_guard: bool,
    pub lock_timeout: Duration,
}

impl fmt::Display for Script<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timeout = format!("SET lock_timeout = {};", self.lock_timeout.as_millis());
        writeln!(
            f,
            "-- What ext-migrate up would run in schema {}.",
            self.schema.quoted()
        )?;
        writeln!(
            f,
            "-- It also takes a lock, tries again where another session is in the way, and proves before each"
        )?;
        writeln!(
            f,
            "-- commit that nothing was lost: prefer it to this script."
        )?;
        writeln!(f, "\\set ON_ERROR_STOP on")?;
        writeln!(f, "SET search_path = pg_catalog, pg_temp;\n{timeout}")?;
        if self.ddl_guard {
            writeln!(f, "{};", ddl_guard::SWITCH_OFF)?;
        }
        if let Some(owner) = self.owner {
            writeln!(f, "SET ROLE {};", quote_ident(owner))?;
        }
        if self.create_schema {
            writeln!(f, "CREATE SCHEMA {};", self.schema.quoted())?;
        }
        if self.create_history {
            writeln!(f, "{};", migration::create_sql(self.schema))?;
        }
        for migration in self.record {
            writeln!(f, "{};", migration::record_sql(self.schema, migration))?;
        }
        self.mend(f, |phase| phase != Phase::Extension, &timeout)?;
        for migration in self.pending {
            let text = migration.sql.trim_end();
            let record = migration::record_sql(self.schema, migration);
            writeln!(f, "\n-- {}", migration.file())?;
            match migration.kind {
                Kind::Transactional => writeln!(f, "BEGIN;\n{text}\n{record};\nCOMMIT;")?,
                // Cancelled by a timeout, it would leave an invalid index.
                Kind::Concurrent { .. } => {
                    writeln!(f, "SET lock_timeout = 0;\n{text}\n{timeout}\n{record};")?;
                }
            }
        }
        writeln!(f, "\n{}", comments::script(self.schema))?;
        if self.owner.is_some() {
            writeln!(f, "\nRESET ROLE;")?;
        }
        self.mend(f, |phase| phase == Phase::Extension, &timeout)?;
        let extend = self
            .extension
            .and_then(|extension| extension.sql(self.schema, self.owner));
        if let Some(extend) = extend {
            writeln!(f, "\n{extend};")?;
        }
        match self.ddl_guard {
            true => writeln!(f, "\n{}", ddl_guard::sql(self.schema)),
            false => Ok(()),
        }
    }
}

impl Script<'_> {
    fn mend(
        &self,
        f: &mut fmt::Formatter<'_>,
        wanted: impl Fn(Phase) -> bool,
        timeout: &str,
    ) -> fmt::Result {
        let mut repairs: Vec<_> = self.repairs.clone();
        repairs.retain(|repair| wanted(repair.phase));
        repairs.sort_by_key(|repair| (step(repair), repair.phase));
        for together in repairs.chunk_by(|one, next| step(one) == step(next)) {
            writeln!(f, "\n-- mends {}", step(together[0]).1)?;
            let statements = together.iter().flat_map(|repair| &repair.statements);
            let statements: Vec<_> = statements.map(|sql| format!("{sql};")).collect();
            let statements = statements.join("\n");
            match together[0].phase {
                Phase::Index => {
                    writeln!(f, "SET lock_timeout = 0;\n{statements}\n{timeout}")?;
                }
                _ => writeln!(f, "BEGIN;\n{statements}\nCOMMIT;")?,
            }
        }
        Ok(())
    }
}
