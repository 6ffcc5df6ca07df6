//! Signed notes in the format of C2SP signed-note: a text, a blank line, and a line for each signature.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{VerifierKey, is_name};
use crate::Error;

/// Notes are read whole; a checkpoint with sixteen post-quantum signatures has a tenth of this.
const MAX_BYTES: usize = 1_000_000;

/// What the line of a signature begins with in a note.
pub const SIGNATURE_MARK: &str = "\u{2014} ";

/// A text and its signatures. It says nothing until [`Note::verified_text`] has verified one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// A signature line. Name and id together say which key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Of the key.
    pub name: String,
    /// What tells keys of one name apart.
    pub key_id: [u8; 4],
    /// At least one.
    pub bytes: Vec<u8>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`Error::InvalidNote`] where it does not have the format.
    pub fn parse(note: &str) -> Result<Self, Error> {
        if note.len() > MAX_BYTES {
            return Err(invalid("it is longer than a megabyte"));
        }
        if note.contains(|c: char| c.is_ascii_control() && c != '\n') {
            return Err(invalid("it has a control character"));
        }
        let (text, lines) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| invalid("it has no blank line before its signatures"))?;
        if lines.is_empty() {
            return Err(invalid("it is not signed"));
        }
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| invalid("its last line has no end"))?;
        let signatures = lines
            .split('\n')
            .map(|line| match line.strip_prefix(SIGNATURE_MARK) {
                Some(signature) => signature.parse(),
                None => Err(no_signature()),
            });
        Ok(Self {
            text: format!("{text}\n"),
            signatures: signatures.collect::<Result<_, _>>()?,
        })
    }

    /// A note of this text, which ends with its last line.
    ///
    /// # Errors
    /// [`Error::InvalidNote`] where no note can have such a text or such signatures.
    pub fn new(text: &str, signatures: Vec<Signature>) -> Result<Self, Error> {
        let note = Self {
            text: text.to_owned(),
            signatures,
        };
        match Self::parse(&note.to_string()) {
            Ok(read) if read == note => Ok(note),
            Ok(_) => Err(invalid("its text does not end where it seems to")),
            Err(error) => Err(error),
        }
    }

    /// The text, once a signature by one of these keys is verified. Those by other keys are passed over. `verifies` says
    /// whether a key has signed a text.
    ///
    /// # Errors
    /// [`Error::InvalidNote`] where none of the keys has signed, or one of them something else.
    pub fn verified_text(
        &self,
        keys: &[&VerifierKey],
        verifies: impl Fn(&VerifierKey, &[u8], &[u8]) -> bool,
    ) -> Result<&str, Error> {
        let mut signed = false;
        for signature in &self.signatures {
            let known = keys
                .iter()
                .find(|key| key.name() == signature.name && key.id() == signature.key_id);
            match known.map(|key| verifies(key, self.text.as_bytes(), &signature.bytes)) {
                None => {}
                Some(true) => signed = true,
                Some(false) => {
                    return Err(invalid(format!(
                        "the signature of {} is not that of this text",
                        signature.name
                    )));
                }
            }
        }
        match signed {
            true => Ok(&self.text),
            false => Err(invalid("none of the given keys has signed it")),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{SIGNATURE_MARK}{signature}"))
    }
}

/// A line without the dash that begins it.
impl FromStr for Signature {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let (name, encoded) = line.split_once(' ').ok_or_else(no_signature)?;
        let decoded = STANDARD.decode(encoded).map_err(|_| no_signature())?;
        let (key_id, bytes) = decoded.split_first_chunk().ok_or_else(no_signature)?;
        match is_name(name) && !bytes.is_empty() {
            true => Ok(Self {
                name: name.to_owned(),
                key_id: *key_id,
                bytes: bytes.to_vec(),
            }),
            false => Err(no_signature()),
        }
    }
}

/// The line, without the dash that begins it and without its end.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&self.key_id, &self.bytes[..]].concat());
        write!(f, "{} {encoded}", self.name)
    }
}

fn no_signature() -> Error {
    invalid("it has a line that is no signature")
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::InvalidNote {
        what: "signed note",
        reason: reason.into(),
    }
}
