//! Turns plain tables into the layout for Citus: one transaction, which leaves everything as it was or everything done.

use std::fmt;

use postgres::{GenericClient, Transaction};
use serde::Serialize;

use super::Runner;
use crate::error::{Doing, Error};
use crate::schema::{Schema, quote_ident};
use crate::situation::citus::Citus;
use crate::situation::facts::{GUARDED, INSTALL, TABLES};

const GUARDS: &str = include_str!("../../../sql/citus/guards.sql");

/// The functions of the guards for tables in shards.
pub fn guards(schema: &Schema) -> String {
    GUARDS.replace("@schema@", &schema.quoted())
}

/// The statements, in order.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Distribution {
    pub steps: Vec<Step>,
}

/// In JSON `{"what": "…", "sql": "…"}`.
#[derive(Debug, Serialize)]
pub struct Step {
    /// For people.
    pub what: String,
    pub sql: String,
}

/// How many rows each table has. In JSON `{"extension_registry": 3, …}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rows(pub std::collections::BTreeMap<&'static str, i64>);

const DOING: &str = "distributing the tables";

/// While the rows are copied into the shards the guards there must let them pass, those marked as adopted too. Nobody
/// else can write meanwhile: the tables are locked, and no other transaction ever sees these functions.
const OPEN: &str = "CREATE OR REPLACE FUNCTION @function@() RETURNS trigger LANGUAGE plpgsql \
     SET search_path = pg_catalog, pg_temp \
     AS $function$ BEGIN RETURN NEW; END $function$";

const FUNCTIONS: [&str; 3] = [
    "extension_registry_identity_immutable",
    "extension_version_immutable",
    "extension_bundle_immutable",
];

impl Distribution {
    /// What has to be done to tables that [`Citus::obstacles`] finds nothing against.
    pub fn plan(citus: &Citus, schema: &Schema) -> Self {
        let qualified = |name: &str| schema.qualified(name);
        // As a literal for ::regclass: a name that Schema accepts has no quote inside.
        let regclass = |name: &str| format!("'{}'", qualified(name));
        let mut steps = Vec::new();
        let mut step = |what: &str, sql: String| {
            steps.push(Step {
                what: what.to_owned(),
                sql,
            });
        };
        step(
            "nobody reads or writes from here to the end",
            format!(
                "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
                TABLES.map(qualified).join(", ")
            ),
        );
        for key in citus.keys.iter().filter(|key| key.primary) {
            let name = quote_ident(&key.name);
            step(
                "a key of a distributed table holds what it is distributed by",
                format!(
                    "ALTER TABLE {} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} PRIMARY KEY (tenant_id, id)",
                    qualified(INSTALL)
                ),
            );
        }
        for writer in &citus.writers {
            step(
                "who writes to one replica makes it differ from the others: apps publish through the functions",
                format!(
                    "REVOKE {} ON {} FROM {}",
                    writer.rights.join(", "),
                    qualified(&writer.table),
                    writer.role.as_deref().unwrap_or("PUBLIC")
                ),
            );
        }
        for clock in &citus.clocks {
            step(
                "the same default, computed once and not by each replica",
                clock.once(schema),
            );
        }
        for function in FUNCTIONS {
            step(
                "the guards let the rows pass while they are copied",
                OPEN.replace("@function@", &qualified(function)),
            );
        }
        for table in GUARDED {
            step(
                "on every node",
                format!(
                    "SELECT pg_catalog.create_reference_table({})",
                    regclass(table)
                ),
            );
        }
        step(
            "by tenant",
            format!(
                "SELECT pg_catalog.create_distributed_table({}, 'tenant_id')",
                regclass(INSTALL)
            ),
        );
        step(
            "the rows as they were before, which nobody sees any more",
            format!(
                "SELECT pg_catalog.truncate_local_data_after_distributing_table({})",
                regclass(GUARDED[0])
            ),
        );
        step("the guards, for tables in shards", guards(schema));
        Self { steps }
    }

    /// Runs the statements in one transaction, and commits only where every row has arrived as it was.
    ///
    /// # Errors
    /// What the server answers; [`Error::TableLock`]; [`Error::Destructive`] where rows differ.
    pub fn run(&self, runner: &mut Runner) -> Result<Rows, Error> {
        runner.retry(DOING, |runner| self.attempt(runner))
    }

    fn attempt(&self, runner: &mut Runner) -> Result<Rows, Error> {
        let schema = runner.schema;
        let owner = runner.owner.clone();
        let mut transaction = runner.session.client.transaction().doing(DOING)?;
        runner.lock.assert_held(&mut transaction)?;
        become_owner(&mut transaction, owner.as_deref())?;
        let mut before = None;
        for step in &self.steps {
            transaction.batch_execute(&step.sql).doing(DOING)?;
            // Right after the lock.
            if before.is_none() {
                before = Some(Contents::read(&mut transaction, schema)?);
            }
        }
        let after = Contents::read(&mut transaction, schema)?;
        if let Some(before) = before
            && before != after
        {
            return Err(Error::Destructive(vec![format!(
                "{DOING}: the rows in the shards are not those that were in the tables: {before:?}, {after:?}"
            )]));
        }
        transaction.commit().doing(DOING)?;
        Ok(after.rows())
    }
}

/// A superuser stays what it is: Citus then needs no password of the owner for this.
fn become_owner(transaction: &mut Transaction, owner: Option<&str>) -> Result<(), Error> {
    let Some(owner) = owner else {
        return Ok(());
    };
    let superuser: bool = transaction
        .query_one(
            "SELECT pg_catalog.current_setting('is_superuser') = 'on'",
            &[],
        )
        .doing(DOING)?
        .try_get(0)
        .doing(DOING)?;
    match superuser {
        true => Ok(()),
        false => transaction
            .batch_execute(&format!("SET LOCAL ROLE {}", quote_ident(owner)))
            .doing(DOING),
    }
}

/// Number and digest of the rows of each table, whatever order they come in.
#[derive(Debug, PartialEq, Eq)]
struct Contents(Vec<(&'static str, i64, String)>);

impl Contents {
    fn read(client: &mut impl GenericClient, schema: &Schema) -> Result<Self, Error> {
        let mut contents = Vec::new();
        for table in TABLES {
            let columns = columns(client, schema, table)?;
            let row = client
                .query_one(
                    &format!(
                        "SELECT count(*), coalesce(sum(pg_catalog.hashtextextended(ROW({columns})::text, 0)::numeric), 0)::text \
                         FROM {}.{} t",
                        schema.quoted(),
                        quote_ident(table)
                    ),
                    &[],
                )
                .doing(DOING)?;
            contents.push((
                table,
                row.try_get(0).doing(DOING)?,
                row.try_get(1).doing(DOING)?,
            ));
        }
        Ok(Self(contents))
    }

    fn rows(&self) -> Rows {
        Rows(
            self.0
                .iter()
                .map(|(table, rows, _)| (*table, *rows))
                .collect(),
        )
    }
}

/// Every column as text that is the same on every node, whatever its time zone.
fn columns(client: &mut impl GenericClient, schema: &Schema, table: &str) -> Result<String, Error> {
    client
        .query_one(
            "SELECT string_agg( \
                 CASE a.atttypid \
                     WHEN 'timestamptz'::regtype THEN format('extract(epoch FROM t.%I)', a.attname) \
                     ELSE format('t.%I', a.attname) \
                 END, ', ' ORDER BY a.attname) \
             FROM pg_catalog.pg_attribute a \
             JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped",
            &[&schema.name(), &table],
        )
        .doing(DOING)?
        .try_get(0)
        .doing(DOING)
}

impl Runner<'_> {
    /// # Errors
    /// What the server answers.
    pub(super) fn tables_are_empty(&mut self) -> Result<bool, Error> {
        for table in TABLES {
            let query = format!(
                "SELECT EXISTS (SELECT FROM {}.{})",
                self.schema.quoted(),
                quote_ident(table)
            );
            let row = self.session.client.query_one(&query, &[]).doing(DOING)?;
            if row.try_get(0).doing(DOING)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl fmt::Display for Distribution {
    /// The statements as psql would run them, each under what it is for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "BEGIN;")?;
        let mut last = "";
        for step in &self.steps {
            if step.what != last {
                writeln!(f, "-- {}", step.what)?;
                last = &step.what;
            }
            writeln!(f, "{};", step.sql.trim_end().trim_end_matches(';'))?;
        }
        writeln!(f, "COMMIT;")
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = TABLES
            .iter()
            .filter_map(|table| self.0.get(table).map(|rows| format!("{rows} in {table}")))
            .collect();
        write!(f, "rows: {}", parts.join(", "))
    }
}
