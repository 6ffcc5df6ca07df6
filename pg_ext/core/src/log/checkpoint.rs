use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hash::Hash;
use super::note::SIGNATURE_MARK;
use crate::Error;

/// What a log was at one time, as the text of a C2SP tlog-checkpoint: about 100 bytes that fix all of its history.
///
/// Extension lines are read over, as the specification has it: a signature covers the text, not this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many leaves it had.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The note with these signature lines, or none, each without the dash that begins it.
    pub fn note<'a>(&self, lines: impl IntoIterator<Item = &'a str>) -> String {
        let mut note = format!("{self}\n");
        for line in lines {
            note.push_str(&format!("{SIGNATURE_MARK}{line}\n"));
        }
        note
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    /// Takes the text of a checkpoint, without blank line and signatures.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::InvalidCheckpoint { reason };
        if text.contains(|c: char| c.is_ascii_control() && c != '\n') {
            return Err(wrong("it has a control character"));
        }
        let lines: Vec<&str> = text
            .strip_suffix('\n')
            .ok_or(wrong("its last line has no end"))?
            .split('\n')
            .collect();
        let [origin, size, root, ..] = lines[..] else {
            return Err(wrong("it has less than three lines"));
        };
        if lines.iter().any(|line| line.is_empty()) {
            return Err(wrong("it has an empty line"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: decimal(size).ok_or(wrong("its second line is no tree size"))?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| Hash::try_from(&bytes[..]).ok())
                .ok_or(wrong("its third line is no root hash"))?,
        })
    }
}

/// The text, each of its three lines with its end.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root.as_bytes());
        write!(f, "{}\n{}\n{root}\n", self.origin, self.size)
    }
}

/// Digits without a sign or a leading zero.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
