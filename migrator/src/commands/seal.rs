//! `seal`: appends to the log, and signs its checkpoint where that continues what was signed before.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use ext_registry_core::log::{Checkpoint, Hash, Note, verify_consistency};
use postgres::Transaction;
use postgres::error::SqlState;
use serde::Serialize;

use crate::cli::SealArgs;
use crate::commands::Context;
use crate::error::{Doing, Error, Exit};
use crate::files;
use crate::holders::{InTheWayOf, holders};
use crate::log::{self, Kept, SigningKey};
use crate::schema::Schema;
use crate::session::Session;

/// What `seal` did; `doc/ext-migrate.md` shows it as JSON.
#[derive(Serialize)]
struct Report {
    schema: String,
    origin: String,
    tree_size: u64,
    root: String,
    appended: i64,
    /// None where it was not signed.
    public_key: Option<String>,
    /// The signed note.
    checkpoint: String,
}

/// Exits with 9, and keeps nothing of the run, where the log does not continue what was signed or kept.
pub fn run(context: &Context, args: &SealArgs) -> Result<Exit, Error> {
    let schema = context.schema()?;
    let pem = args.key.as_deref().map(files::read_secret).transpose()?;
    let kept = args
        .checkpoint
        .as_deref()
        .map(Kept::read_if_there)
        .transpose()?
        .flatten();
    let mut session = context.connect()?;
    let start = Instant::now();
    let sealed = loop {
        match seal_once(&mut session, &schema, args, kept.as_ref(), pem.as_deref()) {
            // Another seal: it keeps neither readers nor publishers away, and may take long.
            Err(error)
                if error.is_lock_refused()
                    && start.elapsed() < context.options.wait
                    && holders(&mut session.client, &schema, InTheWayOf::Reading)?.is_empty() => {}
            other => break other?,
        }
    };
    let Sealed {
        checkpoint,
        appended,
        key,
        note,
    } = sealed;
    if let Some(path) = &args.checkpoint {
        keep(path, &note, &schema)?;
    }
    context.output.result(&Report {
        schema: schema.name().to_owned(),
        origin: checkpoint.origin,
        tree_size: checkpoint.size,
        root: checkpoint.root.to_string(),
        appended,
        public_key: key.map(|key| key.verifier().to_string()),
        checkpoint: note,
    })?;
    Ok(Exit::Done)
}

/// What one transaction did.
struct Sealed {
    checkpoint: Checkpoint,
    appended: i64,
    key: Option<SigningKey>,
    note: String,
}

fn seal_once(
    session: &mut Session,
    schema: &Schema,
    args: &SealArgs,
    kept: Option<&Kept>,
    pem: Option<&[u8]>,
) -> Result<Sealed, Error> {
    let mut transaction = session.read_committed()?;
    let (checkpoint, appended) = seal(&mut transaction, schema, args.origin.as_deref())?;
    if let Some(Kept(kept)) = kept {
        continues(
            &mut transaction,
            schema,
            &kept.checkpoint,
            &checkpoint,
            "the kept checkpoint",
        )?;
    }
    let key = pem
        .map(|pem| SigningKey::from_pem(&checkpoint.origin, pem))
        .transpose()?;
    if let Some(key) = &key {
        sign(&mut transaction, schema, key, &checkpoint)?;
    }
    let note = match &key {
        Some(key) => {
            let (checkpoint, key) = (checkpoint.clone(), Some(key.verifier()));
            log::note(&mut transaction, schema, checkpoint, key)?.note
        }
        None => note(&mut transaction, schema, &checkpoint)?,
    };
    transaction.commit().doing("committing the seal")?;
    Ok(Sealed {
        checkpoint,
        appended,
        key,
        note,
    })
}

fn seal(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    origin: Option<&str>,
) -> Result<(Checkpoint, i64), Error> {
    let doing = "sealing";
    let row = transaction
        .query_one(
            &format!(
                "SELECT origin, tree_size, root, appended FROM {}.ext_seal_log($1)",
                schema.quoted()
            ),
            &[&origin],
        )
        .map_err(damaged(doing))?;
    let size: i64 = row.try_get(1).doing(doing)?;
    let root: &[u8] = row.try_get(2).doing(doing)?;
    let checkpoint = Checkpoint {
        origin: row.try_get(0).doing(doing)?,
        size: size.try_into().unwrap_or_default(),
        root: Hash::try_from(root)?,
    };
    Ok((checkpoint, row.try_get(3).doing(doing)?))
}

/// Signs a checkpoint that continues the last one signed with this key, once.
fn sign(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    key: &SigningKey,
    checkpoint: &Checkpoint,
) -> Result<(), Error> {
    if let Some(last) = log::signed_by(transaction, schema, key.verifier())? {
        if last.checkpoint == *checkpoint {
            return Ok(());
        }
        let which = "the last checkpoint signed with this key";
        continues(transaction, schema, &last.checkpoint, checkpoint, which)?;
    }
    let text = checkpoint.to_string();
    let signature = key.sign(&text)?;
    let line = signature.to_string();
    // What nobody could read is not kept.
    Note::new(&text, vec![signature])?;
    let size = i64::try_from(checkpoint.size).unwrap_or(i64::MAX);
    transaction
        .execute(
            &format!("SELECT {}.ext_sign_checkpoint($1, $2)", schema.quoted()),
            &[&size, &line],
        )
        .doing("storing the signature")?;
    Ok(())
}

/// Errors with [`Error::HistoryChanged`] where it is not proven that the new tree begins with the old one.
fn continues(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    old: &Checkpoint,
    new: &Checkpoint,
    which: &str,
) -> Result<(), Error> {
    let changed = |what: String| {
        Error::HistoryChanged(format!(
            "nothing was sealed or signed, the log does not continue {which}: {what}; ext-migrate audit says more"
        ))
    };
    if old.origin != new.origin {
        return Err(changed(format!(
            "that has the origin {}, the log {}",
            old.origin, new.origin
        )));
    }
    if old.size > new.size {
        return Err(changed(format!(
            "that has {} leaves, the log {}",
            old.size, new.size
        )));
    }
    let sizes = [old.size, new.size].map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    let proof = transaction.query_one(
        &format!("SELECT {}.ext_consistency_proof($1, $2)", schema.quoted()),
        &[&sizes[0], &sizes[1]],
    );
    let proof: Vec<Vec<u8>> = match proof {
        Ok(row) => row.try_get(0).doing("reading the proof")?,
        // The checkpoint of that size is gone.
        Err(error) if error.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => {
            return Err(changed(crate::error::describe(&error)));
        }
        Err(error) => return Err(damaged("proving consistency")(error)),
    };
    let proof: Vec<Hash> = proof
        .iter()
        .map(|hash| Hash::try_from(&hash[..]))
        .collect::<Result<_, _>>()?;
    verify_consistency(old.size, old.root, new.size, new.root, &proof).map_err(|_| {
        changed(format!(
            "its first {} leaves are not those that were signed or kept",
            old.size
        ))
    })
}

/// The text of the note as the server gives it, to a role that may not read the signatures.
fn note(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    checkpoint: &Checkpoint,
) -> Result<String, Error> {
    let doing = "reading the checkpoint";
    transaction
        .query_one(
            &format!(
                "SELECT note FROM {}.ext_log_checkpoint($1)",
                schema.quoted()
            ),
            &[&i64::try_from(checkpoint.size).unwrap_or(i64::MAX)],
        )
        .and_then(|row| row.try_get(0))
        .doing(doing)
}

/// After the commit: what is lost in between is proven again by the next run.
fn keep(path: &Path, note: &str, schema: &Schema) -> Result<(), Error> {
    files::replace(path, note.as_bytes()).map_err(|error| match error {
        Error::Io { doing, source } => Error::Io {
            doing: format!("the log in schema {schema} is sealed; {doing}"),
            source,
        },
        other => other,
    })
}

/// The server itself refuses to build on a log that was tampered with.
fn damaged(doing: &'static str) -> impl Fn(postgres::Error) -> Error {
    move |error| match error.code() {
        Some(&SqlState::DATA_CORRUPTED) => {
            Error::HistoryChanged(format!("{doing}: {}", crate::error::describe(&error)))
        }
        _ => match Err::<(), _>(error).doing(doing) {
            Err(error) => error,
            Ok(()) => Error::NotSealed,
        },
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.checkpoint.trim_end())?;
        write!(f, "\nappended {} leaves", self.appended)?;
        match &self.public_key {
            Some(key) => write!(f, "\nsigned by {key}"),
            None => write!(f, "\nnot signed: --key FILE does"),
        }
    }
}
