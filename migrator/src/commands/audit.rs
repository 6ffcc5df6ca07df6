//! `audit`: has anything changed that was published? Recomputes all of it; trusts nothing in the server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ext_registry_core::log::audit::{self, Audit, Kind};
use ext_registry_core::log::{Checkpoint, VerifierKey};
use postgres::Transaction;
use serde::Serialize;

use crate::cli::AuditArgs;
use crate::commands::Context;
use crate::error::{Error, Exit};
use crate::files;
use crate::log::{self, Kept, Progress, Signed};
use crate::schema::Schema;

/// Findings that a report holds; beyond, they are counted. An audit takes the same memory whatever it finds.
const MOST: usize = 1000;

/// What `audit` found; `doc/ext-migrate.md` shows it as JSON.
#[derive(Serialize)]
struct Report {
    schema: String,
    /// No findings.
    ok: bool,
    origin: Option<String>,
    tree_size: u64,
    /// Of the tree that was recomputed; null where that has gaps.
    root: Option<String>,
    /// Size of the checkpoint that was kept.
    kept_size: Option<u64>,
    /// The key that the signatures were verified with.
    public_key: Option<String>,
    /// Rows that the next seal appends.
    pending: u64,
    seconds: f64,
    rows_per_second: u64,
    copy_rows_per_second: Option<u64>,
    /// Of all of them.
    counts: BTreeMap<&'static str, u64>,
    /// The first thousand.
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    finding: &'static str,
    leaf_index: Option<u64>,
    version_id: Option<String>,
    bundle_id: Option<String>,
    message: String,
}

/// Exits with 9 on any finding.
pub fn run(context: &Context, args: &AuditArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let kept = args.checkpoint.as_deref().map(Kept::read).transpose()?;
    let key = args
        .public_key
        .as_deref()
        .map(files::read_text)
        .transpose()?;
    let mut session = context.connect()?;
    let mut transaction = session.read_only()?;
    let latest = log::latest(&mut transaction, &schema)?;
    let mut report = Report::new(&schema, latest.as_ref(), kept.as_ref());
    let key = match (key, args.public_key.as_deref()) {
        (Some(key), Some(path)) => {
            let origin = latest
                .as_ref()
                .or(kept.as_ref().map(|Kept(kept)| &kept.checkpoint));
            Some(public_key(&key, origin.map(|c| c.origin.as_str()), path)?)
        }
        _ => None,
    };
    let latest = latest
        .map(|latest| log::note(&mut transaction, &schema, latest, key.as_ref()))
        .transpose()?;
    if let Some(key) = &key {
        report.signatures(key, latest.as_ref(), kept.as_ref());
    }
    let size = latest.as_ref().map_or(0, |latest| latest.checkpoint.size);
    let mut progress = Progress::new(context.output, "leaves", size);
    report.audit(&mut transaction, &schema, kept, &mut progress)?;
    drop(progress);
    if args.compare {
        let start = Instant::now();
        let rows = log::copy(&mut transaction, &schema)?;
        report.copy_rows_per_second = Some(rate(rows, start.elapsed().as_secs_f64()));
    }
    report.ok = report.counts.is_empty();
    let exit = match report.ok {
        true => Exit::Done,
        false => Exit::HistoryChanged,
    };
    if let Some(path) = args.keep.as_deref().filter(|_| report.ok) {
        let latest = latest.as_ref().ok_or(Error::NotSealed)?;
        files::replace(path, latest.note.as_bytes())?;
    }
    context.output.result(&report)?;
    Ok(exit)
}

/// A line `name+id+key`, or PEM, which has no name: then it is the key of the log's own name.
pub fn public_key(text: &str, origin: Option<&str>, path: &Path) -> Result<VerifierKey, Error> {
    let key = match (text.trim(), origin) {
        (pem, Some(origin)) if pem.starts_with("-----BEGIN") => {
            log::verifier_from_pem(origin, pem.as_bytes())
        }
        (pem, None) if pem.starts_with("-----BEGIN") => return Err(Error::NotSealed),
        (line, _) => line.parse().map_err(Error::from),
    };
    key.map_err(|error| match error {
        Error::InvalidNote { what, reason } => Error::InvalidNote {
            what,
            reason: format!("{}: {reason}", path.display()),
        },
        other => other,
    })
}

impl Report {
    fn new(schema: &Schema, latest: Option<&Checkpoint>, kept: Option<&Kept>) -> Self {
        Self {
            schema: schema.name().to_owned(),
            ok: false,
            origin: latest.map(|latest| latest.origin.clone()),
            tree_size: 0,
            root: None,
            kept_size: kept.map(|Kept(kept)| kept.checkpoint.size),
            public_key: None,
            pending: 0,
            seconds: 0.0,
            rows_per_second: 0,
            copy_rows_per_second: None,
            counts: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    fn signatures(&mut self, key: &VerifierKey, latest: Option<&Signed>, kept: Option<&Kept>) {
        self.public_key = Some(key.to_string());
        let kept = kept.map(|Kept(kept)| ("the checkpoint that was kept", kept));
        let latest = latest.map(|latest| ("the latest checkpoint", latest));
        for (which, signed) in kept.into_iter().chain(latest) {
            if let Err(error) = signed.verify(key) {
                self.add(audit::Finding {
                    kind: Kind::Signature,
                    leaf_index: None,
                    version_id: None,
                    bundle_id: None,
                    message: format!("{which}: {}", reason(&error)),
                });
            }
        }
    }

    fn audit(
        &mut self,
        transaction: &mut Transaction<'_>,
        schema: &Schema,
        kept: Option<Kept>,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let start = Instant::now();
        let mut audit = Audit::new(kept.map(|Kept(kept)| kept.checkpoint), now());
        log::audit::run(transaction, schema, &mut audit, |audit| {
            progress.at(audit.size());
            self.take(audit);
        })?;
        self.seconds = start.elapsed().as_secs_f64();
        self.tree_size = audit.size();
        self.root = audit.root().map(|root| root.to_string());
        self.pending = audit.pending();
        self.rows_per_second = rate(audit.size(), self.seconds);
        Ok(())
    }

    fn take(&mut self, audit: &mut Audit) {
        for finding in audit.findings() {
            self.add(finding);
        }
    }

    fn add(&mut self, finding: audit::Finding) {
        let name = finding.kind.as_str();
        *self.counts.entry(name).or_default() += 1;
        if self.findings.len() < MOST {
            self.findings.push(Finding {
                finding: name,
                leaf_index: finding.leaf_index,
                version_id: finding.version_id,
                bundle_id: finding.bundle_id,
                message: finding.message,
            });
        }
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::InvalidNote { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// The auditor's clock in microseconds since 2000, as PostgreSQL has times.
fn now() -> i64 {
    let since_2000 = UNIX_EPOCH + Duration::from_secs(946_684_800);
    let passed = SystemTime::now().duration_since(since_2000);
    passed.map_or(0, |passed| {
        i64::try_from(passed.as_micros()).unwrap_or(i64::MAX)
    })
}

fn rate(rows: u64, seconds: f64) -> u64 {
    (rows as f64 / seconds.max(1e-9)) as u64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{:<18} {}", finding.finding, finding.message)?;
        }
        let found: u64 = self.counts.values().sum();
        let more = found - self.findings.len() as u64;
        if more > 0 {
            writeln!(f, "… and {more} more")?;
        }
        match &self.origin {
            None => writeln!(f, "nothing has been sealed yet")?,
            Some(origin) => writeln!(
                f,
                "log {origin}: {} leaves, root {}",
                self.tree_size,
                self.root.as_deref().unwrap_or("unknown")
            )?,
        }
        if let Some(size) = self.kept_size {
            let continues = match self.counts.contains_key(Kind::HistoryRewritten.as_str()) {
                true => "not continued",
                false => "continued",
            };
            writeln!(f, "checkpoint that was kept: {size} leaves, {continues}")?;
        }
        if let Some(key) = &self.public_key {
            let signed = match self.counts.contains_key(Kind::Signature.as_str()) {
                true => "not signed by",
                false => "signed by",
            };
            writeln!(f, "{signed} {key}")?;
        }
        write!(
            f,
            "not sealed yet: {} rows\n{} rows a second",
            self.pending, self.rows_per_second
        )?;
        match self.copy_rows_per_second {
            Some(rate) => writeln!(f, ", plain COPY of them {rate}")?,
            None => writeln!(f)?,
        }
        match found {
            0 => write!(f, "nothing that was sealed has changed"),
            1 => write!(f, "1 finding"),
            _ => write!(f, "{found} findings"),
        }
    }
}
