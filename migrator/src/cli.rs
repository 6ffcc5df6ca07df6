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
another, 6 refused as destructive, 7 no usable connection, 8 unguarded or drifted (check), 9 history changed \
(audit, seal, export-tiles).";

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
    /// Append what has been published to the log, and sign the checkpoint
    Seal(SealArgs),
    /// Recompute every version and the log from the rows, trusting nothing in the server; writes nothing there
    Audit(AuditArgs),
    /// Write the log as files that any web server can serve
    ExportTiles(ExportTilesArgs),
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

    /// Exit with 3 when migrations are pending, or the extension is missing or older than the server's
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
    /// Exit with 3 when migrations are pending, or the extension is missing or older than the server's
    #[arg(long)]
    pub exit_code: bool,

    /// The registry does without the extension: do not miss it
    #[arg(long)]
    pub without_extension: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate check
      every guard, constraint, index and right, each finding with what mends it; exit code 8 where there is one
  ext-migrate check --format json | jq -r '.findings[] | select(.level == \"error\").code'

Runs in a read-only transaction: a read-only role or a standby will do. Without --rows it reads catalogs only.")]
pub struct CheckArgs {
    /// The registry does without the extension: do not miss it
    #[arg(long)]
    pub without_extension: bool,

    /// Also count the rows that were there before the guards, and look for rows without the row they refer to; reads the tables whole
    #[arg(long)]
    pub rows: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate grant --publisher ci
      ci may publish: EXECUTE on the finalize functions, USAGE on the schema, no right on any table
  ext-migrate grant --reader web --reader reports
      web and reports may list versions and see which one a tenant has installed
  ext-migrate grant --sealer cron --auditor auditor
      cron may append to the log and sign its checkpoints; auditor may read versions, bundles and the log, no installs")]
pub struct GrantArgs {
    /// A role that may publish (repeatable)
    #[arg(long, value_name = "ROLE", required_unless_present_any = ["reader", "sealer", "auditor"])]
    pub publisher: Vec<String>,

    /// A role that may read (repeatable)
    #[arg(long, value_name = "ROLE")]
    pub reader: Vec<String>,

    /// A role that may seal the log and sign its checkpoints (repeatable)
    #[arg(long, value_name = "ROLE")]
    pub sealer: Vec<String>,

    /// A role that may audit (repeatable)
    #[arg(long, value_name = "ROLE")]
    pub auditor: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate seal --origin registry.example.com/versions
      the first time: the name of the log, for good
  openssl genpkey -algorithm ed25519 -out log.pem && chmod 600 log.pem
  ext-migrate seal --key log.pem --checkpoint checkpoint
      append, sign, and keep the checkpoint; the next run signs only what continues it

Any number may run at once, from cron or by hand; publishing does not wait for it. The private key is read here and \
never sent to the server. Nothing is signed that does not continue the last checkpoint signed with the key, and the \
one in --checkpoint: exit code 9.")]
pub struct SealArgs {
    /// Name of the log, the first time: 1 to 255 visible ASCII characters without + [default: ext_registry/<uuid>]
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,

    /// Sign with this Ed25519 key (PEM, not encrypted, readable by its owner alone)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,

    /// Continue the checkpoint in this file, and replace it; it is created where there is none
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  ext-migrate audit --keep kept
      the first time: keep the checkpoint where nobody who can write to the database can
  ext-migrate audit --checkpoint kept --keep kept --public-key log.pub
      has anything changed since? Exit code 9 where it has; else the newer checkpoint is kept
  ext-migrate audit --format json | jq -r '.findings[].message'

Runs in one read-only transaction: a read-only role or a standby will do.")]
pub struct AuditArgs {
    /// A checkpoint that was kept: the log must continue it
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,

    /// The key that must have signed the latest checkpoint, and the kept one: PEM, or a line name+id+key
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,

    /// Where nothing was found, write the latest checkpoint to this file
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,

    /// Also time a plain COPY of the same rows, to compare
    #[arg(long)]
    pub compare: bool,
}

#[derive(Args)]
#[command(after_help = "\
Example:
  ext-migrate export-tiles /srv/log
      checkpoint, tile/… and tile/entries/… as C2SP tlog-tiles names them; only what is missing is written

The checkpoint comes last, so that no reader sees one before its tiles.")]
pub struct ExportTilesArgs {
    /// Directory to write to; it is created where there is none
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,

    /// The key that must have signed the checkpoint, without lines that only look like its: PEM, or a line name+id+key
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
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
mod tests;
