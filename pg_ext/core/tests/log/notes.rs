//! The form of signed notes and of the keys that sign them, by the examples of C2SP and of Go's implementation.

use ext_registry_core::Error;
use ext_registry_core::log::{Note, VerifierKey};

const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fn verifier(key: &str) -> VerifierKey {
    key.parse().unwrap()
}

fn reason<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_example_is_read_and_written() {
    let note = Note::parse(NOTE).unwrap();
    assert_eq!(note.to_string(), NOTE);
    let key = verifier(KEY);
    assert_eq!(key.to_string(), KEY);
    let text = note.verified_text(&[&key], |by, text, signature| {
        *by == key && text == b"This is an example message.\n" && signature.len() == 64
    });
    assert_eq!(text.unwrap(), "This is an example message.\n");
    assert_eq!(
        reason(note.verified_text(&[&key], |_, _, _| false)),
        "this is no valid signed note: the signature of example.com/foo is not that of this text"
    );
    // Nobody is asked about a key that has not signed.
    let unknown = note.verified_text(&[&verifier(GO_KEY)], |_, _, _| true);
    assert!(reason(unknown).contains("none of the given keys"));
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
    for text in ["", "no end", "a\r\n", "a\u{0}\n"] {
        let line = "name UwKQOkn8".parse().unwrap();
        assert!(Note::new(text, vec![line]).is_err(), "{text:?}");
    }
    assert!(Note::new("text\n", Vec::new()).is_err());
}
