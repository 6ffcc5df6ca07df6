//! Signatures of checkpoints. Keys are none of the database's business: it keeps what clients have signed.

use ext_registry_core::log::{SIGNATURE_MARK, Signature};
use pgrx::prelude::*;

use super::{Log, checkpoint};
use crate::error::Error;

const INSERT: &str = "
    INSERT INTO @schema@.extension_log_signature (tree_size, line) VALUES ($1, $2) ON CONFLICT DO NOTHING";

const STORED: &str = "
    SELECT true FROM @schema@.extension_log_signature s WHERE s.tree_size = $1 AND s.line = $2";

/// In bytes: post-quantum signatures have up to about 3400.
pub const LONGEST_LINE: i32 = 4096;

/// Keeps a signature of the checkpoint of this size; one that is there already is none the worse for it.
pub fn sign(log: &Log, size: i64, line: &str) -> Result<(), Error> {
    checkpoint::of_size(log, Some(size), "tree_size")?;
    Spi::connect_mut(|client| {
        let signature = [size.into(), line.into()];
        // Where nothing was inserted it is there already, unless a trigger swallowed it.
        if log.update(client, INSERT, &signature)?.is_empty()
            && log.update(client, STORED, &signature)?.is_empty()
        {
            return Err(Error::NotStored("the signature"));
        }
        Ok(())
    })
}

/// The line of a signed note without the dash that begins it: the name of a key, a blank, and base64 of the key's id and
/// the signature.
pub fn line(bytes: &[u8]) -> Result<&str, Error> {
    let wrong = || Error::InvalidArgument {
        argument: "line",
        reason: "the signature line of a signed note is expected: a dash, the name of the key, base64",
    };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_prefix(SIGNATURE_MARK).unwrap_or(text);
    // What is stored fits every encoding.
    match text.parse::<Signature>() {
        Ok(_) if text.is_ascii() && text.len() <= LONGEST_LINE as usize => Ok(text),
        _ => Err(wrong()),
    }
}
