//! Checkpoints: those in the tables, and those that somebody keeps in a file.

use std::path::Path;

use ext_registry_core::log::audit::StoredCheckpoint;
use ext_registry_core::log::{Checkpoint, Hash, Note, Signature, VerifierKey};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Row, Transaction};

use super::{READING, bytes, get, keys, signed, time, unsigned};
use crate::error::{Doing, Error};
use crate::files;
use crate::schema::Schema;

/// Signatures by others that a note has at most: whoever may sign may store any number.
const MOST_LINES: usize = 100;

/// A longer line is no signature that the server has stored.
const LONGEST_LINE: usize = 4096;

/// A checkpoint and the text of its note, which has a line for each signature, or none.
pub struct Signed {
    pub checkpoint: Checkpoint,
    pub note: String,
}

impl Signed {
    /// Errors with [`Error::InvalidNote`] where this key has not signed it. Other lines, also such as only look like
    /// this key's, do not matter: anybody who may sign can have them stored.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), Error> {
        let (text, lines) = self.note.split_once("\n\n").unwrap_or_default();
        let verified = lines.lines().any(|line| {
            let note = Note::parse(&format!("{text}\n\n{line}\n"));
            note.is_ok_and(|note| note.verified_text(&[key], keys::verifies).is_ok())
        });
        if !verified {
            Note::parse(&self.note)?.verified_text(&[key], keys::verifies)?;
        }
        Ok(())
    }
}

/// A checkpoint that was kept in a file.
pub struct Kept(pub Signed);

impl Kept {
    /// Reads it, with or without signatures.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(files::read_text(path)?, path)
    }

    /// The same; `None` where there is no such file.
    pub fn read_if_there(path: &Path) -> Result<Option<Self>, Error> {
        let note = files::read_text_if_there(path)?;
        note.map(|note| Self::parse(note, path)).transpose()
    }

    fn parse(note: String, path: &Path) -> Result<Self, Error> {
        // Without signatures the blank line may be missing too.
        let text = match note.split_once("\n\n") {
            Some((text, _)) => format!("{text}\n"),
            None => note.clone(),
        };
        let checkpoint =
            text.parse()
                .map_err(|source: ext_registry_core::Error| Error::InvalidNote {
                    what: "checkpoint",
                    reason: format!("{}: {source}", path.display()),
                })?;
        Ok(Self(Signed { checkpoint, note }))
    }
}

/// The latest checkpoint in the tables; `None` where nothing has been sealed. Errors with [`Error::NoLog`] where there
/// are no such tables.
pub fn latest(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
) -> Result<Option<Checkpoint>, Error> {
    let found = transaction.query_opt(
        &format!(
            "SELECT c.origin, c.tree_size, c.root FROM {}.extension_log_checkpoint c \
             ORDER BY c.tree_size DESC LIMIT 1",
            schema.quoted()
        ),
        &[],
    );
    if let Err(error) = &found
        && error.code() == Some(&SqlState::UNDEFINED_TABLE)
    {
        let schema = schema.name().to_owned();
        return Err(Error::NoLog { schema });
    }
    let found = found.doing(READING)?;
    found.map(|row| checkpoint(&row)).transpose()
}

/// The note of a checkpoint, with the signature of this key where there is one, and with those of others, as far as
/// they have the form of signatures. Of lines that only look like this key's none gets into it.
pub fn note(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    checkpoint: Checkpoint,
    key: Option<&VerifierKey>,
) -> Result<Signed, Error> {
    let sql = format!(
        "SELECT s.line FROM {}.extension_log_signature s \
         WHERE s.tree_size = $1 AND pg_catalog.octet_length(s.line) <= {LONGEST_LINE} \
         ORDER BY s.created_at, s.line",
        schema.quoted()
    );
    let mut rows = transaction
        .query_raw(&sql, [&signed(checkpoint.size)])
        .doing(READING)?;
    let text = checkpoint.to_string();
    let mut lines = Vec::new();
    let (mut own, mut others) = (false, 0);
    while (others < MOST_LINES || key.is_some() && !own)
        && let Some(row) = rows.next().doing(READING)?
    {
        let line = String::from_utf8_lossy(bytes(&row, 0)?).into_owned();
        let Ok(signature) = line.parse::<Signature>() else {
            continue;
        };
        let of_key = key.filter(|key| key.name() == signature.name && key.id() == signature.key_id);
        match of_key {
            Some(key) if !own && keys::verifies(key, text.as_bytes(), &signature.bytes) => {
                own = true;
            }
            None if others < MOST_LINES => others += 1,
            _ => continue,
        }
        lines.push(line);
    }
    let note = checkpoint.note(lines.iter().map(String::as_str));
    Ok(Signed { checkpoint, note })
}

/// The latest checkpoint that this key has signed; `None` where there is none.
pub fn signed_by(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    key: &VerifierKey,
) -> Result<Option<Signed>, Error> {
    const AT_ONCE: i32 = 64;
    let quoted = schema.quoted();
    let statement = transaction
        .prepare(&format!(
            "SELECT c.origin, c.tree_size, c.root, s.line \
             FROM {quoted}.extension_log_signature s \
             JOIN {quoted}.extension_log_checkpoint c ON c.tree_size = s.tree_size \
             WHERE pg_catalog.starts_with(s.line, $1) AND pg_catalog.octet_length(s.line) <= {LONGEST_LINE} \
             ORDER BY c.tree_size DESC"
        ))
        .doing(READING)?;
    let portal = transaction
        .bind(&statement, &[&format!("{} ", key.name())])
        .doing(READING)?;
    loop {
        let rows = transaction.query_portal(&portal, AT_ONCE).doing(READING)?;
        if rows.is_empty() {
            return Ok(None);
        }
        for row in rows {
            let line = String::from_utf8_lossy(bytes(&row, 3)?).into_owned();
            let checkpoint = checkpoint(&row)?;
            let note = checkpoint.note([&line[..]]);
            let found = Signed { checkpoint, note };
            // Another key may have the same name, and a line of anybody's this one's.
            if found.verify(key).is_ok() {
                return Ok(Some(found));
            }
        }
    }
}

/// Some of the checkpoints after this size (-1: from the first on), in the order of their sizes.
pub fn stored_after(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    size: i64,
) -> Result<Vec<StoredCheckpoint>, Error> {
    let rows = transaction
        .query(
            &format!(
                "SELECT pg_catalog.left(origin, 1000), tree_size, root, sealed_at FROM {}.extension_log_checkpoint \
                 WHERE tree_size > $1 ORDER BY tree_size LIMIT 1024",
                schema.quoted()
            ),
            &[&size],
        )
        .doing(READING)?;
    rows.iter()
        .map(|row| {
            let size: i64 = get(row, 1)?;
            Ok(StoredCheckpoint {
                origin: String::from_utf8_lossy(bytes(row, 0)?).into_owned(),
                size: unsigned(size),
                root: bytes(row, 2)?.to_vec(),
                sealed_at: time(row, 3)?.unwrap_or(i64::MIN),
            })
        })
        .collect()
}

/// From the columns origin, size and root.
fn checkpoint(row: &Row) -> Result<Checkpoint, Error> {
    let size: i64 = get(row, 1)?;
    if size != signed(unsigned(size)) {
        return Err(Error::HistoryChanged(format!(
            "a checkpoint has the size {size}"
        )));
    }
    Ok(Checkpoint {
        origin: get(row, 0)?,
        size: unsigned(size),
        root: Hash::try_from(bytes(row, 2)?)?,
    })
}
