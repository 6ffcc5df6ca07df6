//! The examples of C2SP signed-note and of Go's implementation, and keys made by OpenSSL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::pkey::{Id, PKey};

use super::{Note, SigningKey, VerifierKey};

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

fn reason<T>(result: Result<T, crate::error::Error>) -> String {
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
        note.verified_text(&[&key]).unwrap(),
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
    let note = Note::signed("hi\n", &key).unwrap();
    assert_eq!(note.verified_text(&[&verifier(GO_KEY)]).unwrap(), "hi\n");
}

#[test]
fn what_we_sign_we_verify() {
    let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
    let key = SigningKey::from_pem("example.com/log", &pem(&seed)).unwrap();
    let text = "one\n\ntwo\n";
    let note = Note::signed(text, &key).unwrap();
    // Ed25519 has one signature of a text by a key, so this is that of every implementation.
    assert_eq!(note, Note::signed(text, &key).unwrap());
    let read = Note::parse(&note.to_string()).unwrap();
    assert_eq!(read.verified_text(&[key.verifier()]).unwrap(), text);
    assert_eq!(
        verifier(&key.verifier().to_string()).id(),
        key.verifier().id()
    );

    let public = PKey::private_key_from_raw_bytes(&seed, Id::ED25519).unwrap();
    let public = public.public_key_to_pem().unwrap();
    let from_pem = VerifierKey::from_pem("example.com/log", &public).unwrap();
    assert_eq!(from_pem.to_string(), key.verifier().to_string());
    let other_name = VerifierKey::from_pem("example.com/other", &public).unwrap();
    assert_ne!(other_name.id(), from_pem.id());
    assert!(read.verified_text(&[&other_name]).is_err());
}

#[test]
fn a_known_key_that_signed_something_else_spoils_the_note() {
    let known = verifier(KEY);
    let changed = Note::parse(&NOTE.replace("example message", "exemple message")).unwrap();
    assert_eq!(
        reason(changed.verified_text(&[&known])),
        "this is no valid signed note: the signature of example.com/foo is not that of this text"
    );
    let other = SigningKey::from_pem("example.com/bar", &pem(&[7; 32])).unwrap();
    let unknown = "this is no valid signed note: none of the given keys has signed it";
    let note = Note::parse(NOTE).unwrap();
    assert_eq!(reason(note.verified_text(&[other.verifier()])), unknown);
    assert_eq!(reason(note.verified_text(&[])), unknown);

    // Signed by both: one known key is enough, and an unknown one does no harm.
    let theirs = Note::signed("This is an example message.\n", &other).unwrap();
    let line = theirs.to_string().lines().last().unwrap().to_owned();
    let both = Note::parse(&format!("{NOTE}{line}\n")).unwrap();
    assert!(both.verified_text(&[&known]).is_ok());
    assert!(both.verified_text(&[other.verifier()]).is_ok());
}

#[test]
fn verifier_keys_are_read_to_the_letter() {
    let key = GO_KEY;
    assert_eq!(verifier(key).to_string(), key);
    for start in 0..key.len() {
        for end in start..key.len() {
            let part = &key[start..end];
            assert!(part.parse::<VerifierKey>().is_err(), "{part:?}");
        }
    }
    for place in 0..key.len() {
        let mut changed = key.as_bytes().to_vec();
        changed[place] += 1;
        let changed = String::from_utf8(changed).unwrap();
        assert!(changed.parse::<VerifierKey>().is_err(), "{changed:?}");
    }
    for (key, why) in [
        (
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            "base64",
        ),
        (
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Ed25519",
        ),
        (
            "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "name",
        ),
    ] {
        let error = reason(key.parse::<VerifierKey>());
        assert!(error.contains(why), "{key}: {error}");
    }
}

#[test]
fn keys_of_another_kind_are_refused() {
    let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
    let rsa = PKey::from_rsa(rsa).unwrap();
    let private = rsa.private_key_to_pem_pkcs8().unwrap();
    let public = rsa.public_key_to_pem().unwrap();
    assert!(reason(SigningKey::from_pem("a", &private)).ends_with("it is not an Ed25519 key"));
    assert!(reason(VerifierKey::from_pem("a", &public)).ends_with("it is not an Ed25519 key"));
    assert!(reason(SigningKey::from_pem("a", b"-----BEGIN")).contains("in PEM"));
    assert!(reason(SigningKey::from_pem("a", &public)).contains("in PEM"));
    assert!(reason(SigningKey::from_pem("a b", &pem(&[7; 32]))).contains("name"));
    let encrypted = PKey::private_key_from_raw_bytes(&[7; 32], Id::ED25519)
        .unwrap()
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret")
        .unwrap();
    assert!(reason(SigningKey::from_pem("a", &encrypted)).contains("unencrypted"));
}

#[test]
fn notes_of_another_form_are_refused() {
    let (_, line) = NOTE.split_once("\n\n").unwrap();
    for (note, why) in [
        (String::new(), "blank line"),
        ("text\n".to_owned(), "blank line"),
        (NOTE.trim_end().to_owned(), "no end"),
        (format!("{NOTE}more\n"), "no signature"),
        ("text\n\n".to_owned(), "not signed"),
        ("text\n\n\n".to_owned(), "not signed"),
        (NOTE.replace('\u{2014}', "-"), "no signature"),
        (NOTE.replace("foo Uw", "foo  Uw"), "no signature"),
        (NOTE.replace("/foo ", "/f+o "), "no signature"),
        (NOTE.replace("aQM=", "aQN="), "no signature"),
        (
            "text\n\n\u{2014} name UwKQOg==\n".to_owned(),
            "no signature",
        ),
        (NOTE.replace('\n', "\r\n"), "control"),
        (format!("te\txt\n\n{line}"), "control"),
        (format!("{}\n\n{line}", "x".repeat(1_000_000)), "megabyte"),
    ] {
        let error = reason(Note::parse(&note));
        assert!(error.contains(why), "{note:.200?}: {error}");
    }
    let key = SigningKey::from_pem("a", &pem(&[7; 32])).unwrap();
    for text in ["", "no end", "a\r\n", "a\u{0}\n"] {
        assert!(Note::signed(text, &key).is_err(), "{text:?}");
    }
}
