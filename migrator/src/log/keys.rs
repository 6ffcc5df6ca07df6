//! Ed25519 keys as OpenSSL reads and uses them; their names, and what they sign, are core's.

use ext_registry_core::log::{Signature, VerifierKey};
use openssl::error::ErrorStack;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private};
use openssl::sign::{Signer, Verifier};

use crate::error::Error;

/// Who signs. It is never printed: there is no `Debug`.
pub struct SigningKey {
    verifier: VerifierKey,
    key: PKey<Private>,
}

/// A public key as `openssl pkey -pubout` writes it, for notes that are signed under this name.
///
/// # Errors
/// [`Error::InvalidNote`] where it is no Ed25519 key, or the name cannot be one.
pub fn verifier_from_pem(name: &str, pem: &[u8]) -> Result<VerifierKey, Error> {
    let key = PKey::public_key_from_pem(pem)
        .map_err(|_| invalid("verifier key", "it is not a public key in PEM"))?;
    Ok(VerifierKey::new(
        name,
        &public_bytes("verifier key", &key)?,
    )?)
}

/// Whether this key has signed these bytes.
pub fn verifies(key: &VerifierKey, bytes: &[u8], signature: &[u8]) -> bool {
    // OpenSSL takes a signature of another length for an error.
    PKey::public_key_from_raw_bytes(key.public(), Id::ED25519)
        .and_then(|key| Verifier::new_without_digest(&key)?.verify_oneshot(signature, bytes))
        .unwrap_or(false)
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
    pub fn sign(&self, text: &str) -> Result<Signature, Error> {
        let bytes = Signer::new_without_digest(&self.key)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(text.as_bytes()))
            .map_err(|error| invalid("signing key", error.to_string()))?;
        Ok(Signature {
            name: self.verifier.name().to_owned(),
            key_id: self.verifier.id(),
            bytes,
        })
    }
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

fn invalid(what: &'static str, reason: impl Into<String>) -> Error {
    Error::InvalidNote {
        what,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
