//! Publisher, name and runtime: trimmed, visible, and the first two in the form NFC.

use ext_registry_core::{Encoding, INVISIBLE, Issue, Manifest};
use proptest::prelude::*;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use crate::{assert_issues, with};

/// As a server's `normalize`.
fn nfc(text: &str) -> Option<String> {
    let nfc: String = text.nfc().collect();
    (nfc != text).then_some(nfc)
}

fn issues(manifest: &Value) -> Vec<Issue> {
    Manifest::parse_for(manifest.to_string().as_bytes(), Encoding::Utf8(nfc))
        .err()
        .map_or_else(Vec::new, |issues| issues.first().to_vec())
}

#[test]
fn white_space_around_names_is_ignored() {
    for (given, trimmed) in [
        (json!({"publisher": " acme\n"}), vec!["publisher"]),
        (json!({"name": "\u{3000}widget"}), vec!["name"]),
        (
            json!({"runtime": "wasm-1\u{a0}\u{2028}\u{85}"}),
            vec!["runtime"],
        ),
        (
            json!({"runtime": "\twasm-1", "name": "\rwidget ", "publisher": "acme "}),
            vec!["publisher", "name", "runtime"],
        ),
        (json!({}), vec![]),
    ] {
        // With a method in lower case the other of the two ways is taken through the manifest.
        for method in ["GET", "get"] {
            let mut manifest = with(
                "api",
                json!({"endpoints": [{"method": method, "path": "/", "handler": "h"}]}),
            );
            for (field, value) in given.as_object().unwrap() {
                manifest[field] = value.clone();
            }
            let text = manifest.to_string();
            let parsed = Manifest::parse(text.as_bytes()).unwrap();
            assert_eq!(
                (&*parsed.publisher, &*parsed.name, &*parsed.runtime),
                ("acme", "widget", "wasm-1")
            );
            assert_eq!(parsed.trimmed, trimmed);
            let names = parsed.names().unwrap_or("{}".to_owned());
            let names: serde_json::Map<String, Value> = serde_json::from_str(&names).unwrap();
            let mut fields: Vec<_> = names.keys().map(String::as_str).collect();
            fields.sort_by_key(|field| trimmed.iter().position(|trimmed| trimmed == field));
            assert_eq!(fields, trimmed);
            assert!(
                names
                    .iter()
                    .all(|(field, name)| with("", json!(0))[field] == *name)
            );
        }
    }
}

#[test]
fn an_old_entry_is_an_issue_with_what_was_trimmed() {
    for (field, value, path) in [
        ("publisher", " acme", Some("publisher")),
        ("name", "widget ", Some("name")),
        ("runtime", " wasm-1", None),
        ("name", "widget", None),
    ] {
        let text = with(field, json!(value)).to_string();
        let issues = Manifest::parse(text.as_bytes()).unwrap().old_entry();
        let paths: Vec<_> = issues.first().iter().map(|issue| &*issue.path).collect();
        assert_eq!(paths, path.into_iter().collect::<Vec<_>>());
        assert_eq!(issues.is_empty(), path.is_none());
        for issue in issues.first() {
            assert!(
                issue.message.contains(&format!("\"{}\"", value.trim())),
                "{issue}"
            );
        }
    }
}

#[test]
fn control_characters_stay_issues_inside() {
    for field in ["publisher", "name", "runtime"] {
        assert_issues(
            &with(field, json!("a-\u{85}b\n")),
            &[(field, "must not have control characters")],
        );
    }
}

#[test]
fn what_cannot_be_seen_is_an_issue_that_shows_its_code_point() {
    for (text, message) in [
        (
            "a-\u{200b}b",
            r#"must not have characters that cannot be seen, such as U+200B: "a-\u200bb""#,
        ),
        ("a\u{2028}-b", r#"such as U+2028: "a\u2028-b""#),
        ("-\u{feff}", r#"such as U+FEFF: "-\ufeff""#),
        (
            "👩\u{200d}👩-\u{fe0f}",
            r#"such as U+200D: "👩\u200d👩-\ufe0f""#,
        ),
        ("a-\u{e0041}", r#"such as U+E0041: "a-\udb40\udc41""#),
        ("-\u{2800}", "such as U+2800: "),
        ("-\u{3164}", "such as U+3164: "),
        ("-\u{ad}", "such as U+00AD: "),
    ] {
        for field in ["publisher", "name", "runtime"] {
            assert_issues(&with(field, json!(text)), &[(field, message)]);
        }
        // In the version it is no SemVer, in texts that are not names it is nobody's business.
        assert_issues(&with("version", json!(text)), &[("version", "SemVer")]);
        assert_issues(&with("capabilities", json!([text])), &[]);
    }
    for text in [
        "-\u{a0}b",
        "a -b",
        "-é",
        "日-本",
        "a-\u{301}",
        "-\u{fffd}\u{10ffff}",
    ] {
        assert_issues(&with("runtime", json!(text)), &[]);
    }
}

#[test]
fn every_range_of_the_table_is_an_issue() {
    for (first, last) in INVISIBLE {
        for c in [first, last] {
            let point = format!("U+{:04X}", u32::from(c));
            assert_issues(&with("name", json!(format!("a{c}b"))), &[("name", &point)]);
        }
    }
}

#[test]
fn names_in_another_form_than_nfc_are_told_the_right_one() {
    for (given, message) in [
        (
            "cafe\u{301}s",
            "must be in Unicode's normal form NFC: U+00E9 instead of U+0065 U+0301, which makes \"caf\u{e9}s\"",
        ),
        (
            "\u{212b}",
            "U+00C5 instead of U+212B, which makes \"\u{c5}\"",
        ),
        (
            "a\u{301}\u{316}",
            "NFC: U+00E1 instead of U+0061 U+0301, which",
        ),
    ] {
        for field in ["publisher", "name"] {
            let manifest = with(field, json!(given));
            let found = issues(&manifest);
            assert_eq!((found.len(), &*found[0].path), (1, field));
            assert!(found[0].message.contains(message), "{}", found[0].message);
            // A database that knows nothing of it does not ask for it.
            assert_issues(&manifest, &[]);
        }
        assert_eq!(issues(&with("runtime", json!(format!("{given}-")))), []);
    }
    assert_eq!(issues(&with("name", json!("caf\u{e9}s"))), []);
    // With the other issues, and cut like them.
    let both = "e\u{301}".repeat(400) + "\u{200b}";
    let found = issues(&with("name", json!(both)));
    assert_eq!(found.len(), 3);
    assert_eq!(found[2].message.chars().count(), 255);
    assert!(
        found[2]
            .message
            .contains("U+00E9 U+00E9 U+00E9 U+00E9 U+00E9 U+00E9 U+00E9 U+00E9 ... instead of")
    );
}

proptest! {
    /// Whatever the name: it is stored in a form in which no two names look alike, or refused.
    #[test]
    fn any_text_as_name(text: String) {
        let text = with("name", json!(text)).to_string();
        if let Ok(manifest) = Manifest::parse_for(text.as_bytes(), Encoding::Utf8(nfc)) {
            let name = &*manifest.name;
            prop_assert_eq!(name, name.trim());
            prop_assert!(!name.is_empty() && name.chars().count() <= 255);
            prop_assert!(nfc(name).is_none());
            let hidden = |c: char| c.is_control() || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c));
            prop_assert!(!name.contains(hidden));
        }
    }
}
