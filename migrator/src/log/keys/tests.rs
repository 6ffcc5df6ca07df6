//! Signatures of other implementations, and keys made by OpenSSL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::pkey::{Id, PKey};

use ext_registry_core::log::{Note, VerifierKey};

use super::{SigningKey, verifier_from_pem, verifies};

const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The key pair with which Go's implementation tests itself, its private part without the type byte.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SEED: &str = "gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=";

fn verifier(key: &str) -> VerifierKey {
    key.parse().unwrap()
}

fn pem(seed: &[u8]) -> Vec<u8> {
    let key = PKey::private_key_from_raw_bytes(seed, Id::ED25519).unwrap();
    key.private_key_to_pem_pkcs8().unwrap()
}

fn signed(text: &str, key: &SigningKey) -> Note {
    Note::new(text, vec![key.sign(text).unwrap()]).unwrap()
}

fn reason<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_example_is_read_verified_and_written() {
    let note = Note::parse(NOTE).unwrap();
    let key = verifier(KEY);
    assert_eq!(
        note.verified_text(&[&key], verifies).unwrap(),
        "This is an example message.\n"
    );
    assert_eq!(note.to_string(), NOTE);
    assert_eq!(key.to_string(), KEY);
}

#[test]
fn a_key_of_another_implementation_is_the_same_key_here() {
    let key =
        SigningKey::from_pem("PeterNeumann", &pem(&STANDARD.decode(GO_SEED).unwrap())).unwrap();
    assert_eq!(key.verifier().to_string(), GO_KEY);
    let note = signed("hi\n", &key);
    assert_eq!(
        note.verified_text(&[&verifier(GO_KEY)], verifies).unwrap(),
        "hi\n"
    );
}

#[test]
fn what_we_sign_we_verify() {
    let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
    let key = SigningKey::from_pem("example.com/log", &pem(&seed)).unwrap();
    let text = "one\n\ntwo\n";
    let note = signed(text, &key);
    // Ed25519 has one signature of a text by a key, so this is that of every implementation.
    assert_eq!(note, signed(text, &key));
    let read = Note::parse(&note.to_string()).unwrap();
    assert_eq!(
        read.verified_text(&[key.verifier()], verifies).unwrap(),
        text
    );
    assert_eq!(
        verifier(&key.verifier().to_string()).id(),
        key.verifier().id()
    );

    let public = PKey::private_key_from_raw_bytes(&seed, Id::ED25519).unwrap();
    let public = public.public_key_to_pem().unwrap();
    let from_pem = verifier_from_pem("example.com/log", &public).unwrap();
    assert_eq!(from_pem.to_string(), key.verifier().to_string());
    let other_name = verifier_from_pem("example.com/other", &public).unwrap();
    assert_ne!(other_name.id(), from_pem.id());
    assert!(read.verified_text(&[&other_name], verifies).is_err());
}

#[test]
fn a_known_key_that_signed_something_else_spoils_the_note() {
    let known = verifier(KEY);
    let changed = Note::parse(&NOTE.replace("example message", "exemple message")).unwrap();
    assert_eq!(
        reason(changed.verified_text(&[&known], verifies)),
        "this is no valid signed note: the signature of example.com/foo is not that of this text"
    );
    let other = SigningKey::from_pem("example.com/bar", &pem(&[7; 32])).unwrap();
    let unknown = "this is no valid signed note: none of the given keys has signed it";
    let note = Note::parse(NOTE).unwrap();
    assert_eq!(
        reason(note.verified_text(&[other.verifier()], verifies)),
        unknown
    );
    assert_eq!(reason(note.verified_text(&[], verifies)), unknown);

    // Signed by both: one known key is enough, and an unknown one does no harm.
    let theirs = signed("This is an example message.\n", &other);
    let line = theirs.to_string().lines().last().unwrap().to_owned();
    let both = Note::parse(&format!("{NOTE}{line}\n")).unwrap();
    assert!(both.verified_text(&[&known], verifies).is_ok());
    assert!(both.verified_text(&[other.verifier()], verifies).is_ok());
}

#[test]
fn keys_of_another_kind_are_refused() {
    let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
    let rsa = PKey::from_rsa(rsa).unwrap();
    let private = rsa.private_key_to_pem_pkcs8().unwrap();
    let public = rsa.public_key_to_pem().unwrap();
    assert!(reason(SigningKey::from_pem("a", &private)).ends_with("it is not an Ed25519 key"));
    assert!(reason(verifier_from_pem("a", &public)).ends_with("it is not an Ed25519 key"));
    assert!(reason(SigningKey::from_pem("a", b"-----BEGIN")).contains("in PEM"));
    assert!(reason(SigningKey::from_pem("a", &public)).contains("in PEM"));
    assert!(reason(SigningKey::from_pem("a b", &pem(&[7; 32]))).contains("name"));
    let encrypted = PKey::private_key_from_raw_bytes(&[7; 32], Id::ED25519)
        .unwrap()
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret")
        .unwrap();
    assert!(reason(SigningKey::from_pem("a", &encrypted)).contains("unencrypted"));
}
