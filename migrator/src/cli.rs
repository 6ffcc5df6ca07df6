//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  ext-migrate plan --database-url postgres://app@db.internal/app
      what `up` would do, statement by statement; writes nothing
  ext-migrate up --schema registry
      create or adopt the tables in the schema \"registry\" and install the extension
  ext-migrate grant --publisher ci --reader web
      let role ci publish and role web list
  ext-migrate check --format json
      is everything in place? exit code 8 where it is not

Connection: --database-url, else DATABASE_URL, else PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGPASSFILE, \
PGSERVICE, PGSSLMODE, PGSSLROOTCERT and the other variables of libpq, and its defaults.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 pending (--exit-code), 4 history and files disagree, 5 locked by \
another, 6 refused as destructive, 7 no usable connection, 8 unguarded or drifted (check).";

/// Brings a database to the current schema of ext_registry. Adds only: no row, column or table is lost.
#[derive(Parser)]
#[command(name = "ext-migrate", version, about, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,

    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command. The URL may hold a password: there is no `Debug`.
#[derive(Clone, Args)]
pub struct Common {
    /// Where to connect: a postgres:// URL or a libpq connection string
    #[arg(
        long,
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: Option<String>,

    /// Schema of the registry
    #[arg(long, global = true, default_value = "public", value_name = "NAME")]
    pub schema: String,

    /// Longest wait for a lock that blocks others, before each of several retries (2s, 500ms)
    #[arg(long, global = true, default_value = "2s", value_parser = limit, value_name = "TIME")]
    pub lock_timeout: Duration,

    /// How long to wait for another run of ext-migrate to end (10min, 30s, 0)
    #[arg(long, global = true, default_value = "10min", value_parser = duration, value_name = "TIME")]
    pub wait: Duration,

    /// Text for people, JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Run the files of this directory instead of the built-in ones (to review a release, or in tests)
    #[arg(long, global = true, value_name = "DIR")]
    pub migrations: Option<PathBuf>,

    /// Also log what the server says (notices)
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Subcommand)]
pub enum Command {
    /// Create the tables, or adopt those that are there, and install or update the extension
    Up(UpArgs),
    /// Show what `up` would do, with the locks it takes; writes nothing
    Plan(PlanArgs),
    /// Show what is applied and what is pending; writes nothing
    Status(StatusArgs),
    /// Look for anything missing, switched off or changed, and say how to mend it; writes nothing
    Check(CheckArgs),
    /// Give roles the rights to publish or to read
    Grant(GrantArgs),
    /// On Citus: put registry, versions and bundles on every node and distribute installs by tenant; a plan without --yes
    Distribute(DistributeArgs),
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  ext-migrate completions bash > /etc/bash_completion.d/ext-migrate"
    )]
    Completions { shell: Shell },
    /// Print the manual page
    #[command(after_help = "Example:\n  ext-migrate man > /usr/local/share/man/man1/ext-migrate.1")]
    Man,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate up
      against the database that PGHOST, PGDATABASE … or DATABASE_URL name
  ext-migrate up --schema registry --lock-timeout 500ms
      wait no longer than half a second in front of readers and writers, then step back and try again
  ext-migrate up --without-extension
      tables and guards only, where the server cannot have the extension (managed Postgres)
  ext-migrate up --ddl-guard
      as superuser: from now on ALTER, DROP and the like that would leave a guard missing, off or changed fail with
      23001; SET ext_registry.ddl_guard = off lets the owner of the tables do it, as in a restore

Each migration commits together with its history row, or not at all. Interrupted at any moment, the next `up` goes on \
from there.

Any number may run at once: one works, the others wait (--wait) and find nothing to do. The lock is \
pg_advisory_lock(7311721948242339698), held by the session, so not through a transaction pooler.

Before each commit PostgreSQL's own counters and catalogs prove that no existing row, table or column was touched; \
`up` prints that proof.")]
pub struct UpArgs {
    /// Install tables and guards only
    #[arg(long)]
    pub without_extension: bool,

    /// Also refuse, by event triggers, DDL that would weaken a guard (needs the right to create event triggers)
    #[arg(long)]
    pub ddl_guard: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate plan
      pending migrations, each statement with its class and lock
  ext-migrate plan --sql > review.sql
      the SQL that `up` would run, for review or psql -f
  ext-migrate plan --exit-code
      exit code 3 when something is pending")]
pub struct PlanArgs {
    /// Print the SQL instead (in JSON: besides)
    #[arg(long)]
    pub sql: bool,

    /// As for `up`: tables and guards only
    #[arg(long)]
    pub without_extension: bool,

    /// Exit with 3 when migrations are pending
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate status
      applied and pending migrations, and the extension's version here and on the server
  ext-migrate status --exit-code || echo 'run ext-migrate up first'
      exit code 3 when something is pending
  ext-migrate status --format json | jq -r '.migrations[] | select(.state == \"pending\").file'

Runs in a read-only transaction: a read-only role or a standby will do.")]
pub struct StatusArgs {
    /// Exit with 3 when migrations are pending
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate check
      every guard, constraint, index and right, each finding with what mends it; exit code 8 where there is one
  ext-migrate check --format json | jq -r '.findings[] | select(.level == \"error\").code'

Runs in a read-only transaction: a read-only role or a standby will do. It counts the rows that were there before the
guards, and for that reads both tables once.")]
pub struct CheckArgs {
    /// The registry does without the extension: do not miss it
    #[arg(long)]
    pub without_extension: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate grant --publisher ci
      ci may publish: EXECUTE on the finalize functions, USAGE on the schema, no right on any table
  ext-migrate grant --reader web --reader reports
      web and reports may list versions and see which one a tenant has installed")]
pub struct GrantArgs {
    /// A role that may publish (repeatable)
    #[arg(long, value_name = "ROLE", required_unless_present = "reader")]
    pub publisher: Vec<String>,

    /// A role that may read (repeatable)
    #[arg(long, value_name = "ROLE")]
    pub reader: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate distribute
      what would be done, statement by statement; writes nothing
  ext-migrate distribute --yes
      do it: one transaction, which keeps everybody off the tables and commits only where every row has arrived

For tables that hold rows and were made before Citus. On a coordinator of Citus `up` distributes empty tables itself.")]
pub struct DistributeArgs {
    /// Do it; without this, show the plan and change nothing
    #[arg(short, long)]
    pub yes: bool,
}

/// `2s`, `500ms`, `10min`, `1h`; a bare number means seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a time like 2s, 500ms or 10min".to_owned())?;
    let milliseconds = match unit.trim() {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1_000),
        "m" | "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err("expected a time like 2s, 500ms or 10min".to_owned()),
    };
    // PostgreSQL's own limit for its timeouts.
    match milliseconds {
        Some(ms) if ms <= i32::MAX as u64 => Ok(Duration::from_millis(ms)),
        _ => Err("longer than 24 days".to_owned()),
    }
}

/// PostgreSQL takes 0 for no limit at all, which is what this option is there to prevent.
fn limit(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be longer than 0".to_owned()),
        limit => Ok(limit),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10 min"), Ok(Duration::from_secs(600)));
        for wrong in ["", "s", "-1s", "2 days", "99999999999999999999", "1000h"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn help_never_shows_the_url_from_the_environment() {
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("DATABASE_URL"));
        assert!(!help.contains("DATABASE_URL="));
    }
}
