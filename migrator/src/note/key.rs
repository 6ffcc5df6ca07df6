//! Ed25519 keys with the name under which they sign.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private, Public};
use openssl::sha::Sha256;
use openssl::sign::{Signer, Verifier};

use super::Signature;
use crate::error::Error;

/// The signature type of Ed25519, before the 32 bytes of the key.
const ED25519: u8 = 1;

/// Who verifies. As text (C2SP's vkey) `name+id+key`.
#[derive(Debug, Clone)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: PKey<Public>,
}

/// Who signs. It is never printed: there is no `Debug`.
pub struct SigningKey {
    verifier: VerifierKey,
    key: PKey<Private>,
}

impl VerifierKey {
    fn new(name: &str, public: &[u8]) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(invalid(
                "verifier key",
                "its name is empty or has a space or a plus sign",
            ));
        }
        let key = PKey::public_key_from_raw_bytes(public, Id::ED25519)
            .map_err(|_| invalid("verifier key", "it is not an Ed25519 key"))?;
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update(&[b'\n', ED25519]);
        hasher.update(public);
        let hash = hasher.finish();
        Ok(Self {
            name: name.to_owned(),
            id: [hash[0], hash[1], hash[2], hash[3]],
            key,
        })
    }

    /// A public key as `openssl pkey -pubout` writes it, for notes that are signed under this name.
    ///
    /// # Errors
    /// [`Error::InvalidNote`] where it is no Ed25519 key, or the name cannot be one.
    pub fn from_pem(name: &str, pem: &[u8]) -> Result<Self, Error> {
        let key = PKey::public_key_from_pem(pem)
            .map_err(|_| invalid("verifier key", "it is not a public key in PEM"))?;
        Self::new(name, &public_bytes("verifier key", &key)?)
    }

    /// The name under which the key signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells keys of one name apart.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether this key has signed these bytes.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        // OpenSSL takes a signature of another length for an error.
        Verifier::new_without_digest(&self.key)
            .and_then(|mut verifier| verifier.verify_oneshot(signature, bytes))
            .unwrap_or(false)
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let not = |reason| invalid("verifier key", reason);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(not("it is not of the form name+id+key"));
        };
        let decoded = STANDARD
            .decode(key)
            .map_err(|_| not("its third part is not base64"))?;
        let Some((&ED25519, public)) = decoded.split_first() else {
            return Err(not("it is not an Ed25519 key"));
        };
        let key = Self::new(name, public)?;
        match key.to_string() == text {
            true => Ok(key),
            false => Err(not(if id == hex(key.id) {
                "it is not written as its key is"
            } else {
                "its id is not that of its name and key"
            })),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.key.raw_public_key().map_err(|_| fmt::Error)?;
        let key = STANDARD.encode([&[ED25519], &public[..]].concat());
        write!(f, "{}+{}+{key}", self.name, hex(self.id))
    }
}

impl SigningKey {
    /// A private key as `openssl genpkey -algorithm ed25519` writes it, to sign under this name.
    ///
    /// # Errors
    /// [`Error::InvalidNote`] where it is no Ed25519 key, is encrypted, or the name cannot be one.
    pub fn from_pem(name: &str, pem: &[u8]) -> Result<Self, Error> {
        // Without a callback OpenSSL would ask for a password on the terminal.
        let key = PKey::private_key_from_pem_callback(pem, |_| Err(ErrorStack::get()))
            .map_err(|_| invalid("signing key", "it is not an unencrypted private key in PEM"))?;
        let public = public_bytes("signing key", &key)?;
        Ok(Self {
            verifier: VerifierKey::new(name, &public)?,
            key,
        })
    }

    /// The key that verifies what this one signs.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text.
    ///
    /// # Errors
    /// [`Error::InvalidNote`] where OpenSSL refuses to.
    pub fn sign(&self, text: &[u8]) -> Result<Signature, Error> {
        let bytes = Signer::new_without_digest(&self.key)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(text))
            .map_err(|error| invalid("signing key", error.to_string()))?;
        Ok(Signature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.id,
            bytes,
        })
    }
}

/// Key names are what a signature line can hold.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// The 32 bytes of an Ed25519 key.
fn public_bytes(what: &'static str, key: &PKeyRef<impl HasPublic>) -> Result<Vec<u8>, Error> {
    match key.id() {
        Id::ED25519 => key
            .raw_public_key()
            .map_err(|error| invalid(what, error.to_string())),
        _ => Err(invalid(what, "it is not an Ed25519 key")),
    }
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

fn invalid(what: &'static str, reason: impl Into<String>) -> Error {
    Error::InvalidNote {
        what,
        reason: reason.into(),
    }
}
