//! Who signs notes: the name and the public half of a key, in the text form that C2SP calls vkey.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::Error;

/// The signature type of Ed25519, before the 32 bytes of the key.
const ED25519: u8 = 1;

/// An Ed25519 key that verifies, and the name under which it signs. As text `name+id+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

impl VerifierKey {
    /// From the raw key.
    ///
    /// # Errors
    /// [`Error::InvalidNote`] where the name cannot be one, or the key does not have 32 bytes.
    pub fn new(name: &str, public: &[u8]) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(invalid("its name is empty or has a space or a plus sign"));
        }
        let public = public
            .try_into()
            .map_err(|_| invalid("it is not an Ed25519 key"))?;
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', ED25519]);
        hasher.update(public);
        let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
        Ok(Self {
            name: name.to_owned(),
            id: [a, b, c, d],
            public,
        })
    }

    /// The name under which the key signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells keys of one name apart.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The raw key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(invalid("it is not of the form name+id+key"));
        };
        let decoded = STANDARD
            .decode(key)
            .map_err(|_| invalid("its third part is not base64"))?;
        let Some((&ED25519, public)) = decoded.split_first() else {
            return Err(invalid("it is not an Ed25519 key"));
        };
        let key = Self::new(name, public)?;
        match key.to_string() == text {
            true => Ok(key),
            false => Err(invalid(if id == hex(key.id) {
                "it is not written as its key is"
            } else {
                "its id is not that of its name and key"
            })),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519], &self.public[..]].concat());
        write!(f, "{}+{}+{key}", self.name, hex(self.id))
    }
}

/// Key names are what a signature line can hold.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

fn invalid(reason: &str) -> Error {
    Error::InvalidNote {
        what: "verifier key",
        reason: reason.to_owned(),
    }
}
