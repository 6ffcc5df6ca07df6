//! Texts that are too long, too deep, or no manifest at all.

use ext_registry_core::{MAX_ISSUES, MAX_MANIFEST_BYTES, MAX_NESTING, Manifest};

#[test]
fn what_is_no_manifest_at_all() {
    for (text, words) in [
        (&b""[..], "must be an object"),
        (b"null", "must be an object"),
        (b"[]", "must be an object"),
        (
            br#"["p", "n", "1.2.3", "a@b", null, null, null, null, null]"#,
            "must be an object",
        ),
        (b"1e400", "must be an object"),
        (b"\"{}\"", "must be an object"),
        (b"{", "must be JSON: EOF"),
        (b"{} {}", "must be JSON: trailing characters"),
        (b"{\"name\": 01}", "must be JSON"),
        (b"{\"name\": \"\x01\"}", "must be JSON: control character"),
        (b"{\"name\": \"\xff\"}", "must be UTF-8"),
        (b"\xef\xbb\xbf{}", "must be an object"),
    ] {
        let found = Manifest::parse(text).unwrap_err();
        assert_eq!(found.count(), 1, "{found:?}");
        assert_eq!(found.first()[0].path, "");
        assert!(found.first()[0].message.contains(words), "{found:?}");
    }
}

#[test]
fn half_a_surrogate_pair_is_an_issue_where_it_stands() {
    let text = r#"{"publisher": "\ud800", "name": "n", "version": "1.0.0", "runtime": "a@b",
        "ui": {"type": "iframe", "entry": "x", "hooks": {"\udc00": "y"}}}"#;
    let found = Manifest::parse(text.as_bytes()).unwrap_err();
    let paths: Vec<_> = found
        .first()
        .iter()
        .map(|issue| issue.path.as_str())
        .collect();
    assert_eq!(paths, ["publisher", "ui.hooks"]);
    assert!(
        found
            .first()
            .iter()
            .all(|issue| issue.message == "must be Unicode text")
    );
}

#[test]
fn size_limit() {
    let padded = |length: usize| {
        let (before, after) = (
            r#"{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b","api":{"x":""#,
            r#""}}"#,
        );
        format!(
            "{before}{}{after}",
            "x".repeat(length - before.len() - after.len())
        )
    };
    assert!(Manifest::parse(padded(MAX_MANIFEST_BYTES).as_bytes()).is_ok());
    let found = Manifest::parse(padded(MAX_MANIFEST_BYTES + 1).as_bytes()).unwrap_err();
    assert_eq!(
        found.to_string(),
        "the manifest must not be longer than 1048576 bytes: it has 1048577"
    );
}

#[test]
fn nesting_limit() {
    let nested = |open: &str, inner: &str, close: &str, times: usize| {
        let (open, close) = (open.repeat(times), close.repeat(times));
        format!(
            r#"{{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b","api":{{"x":{open}{inner}{close}}}}}"#
        )
    };
    // The manifest and its api are two levels themselves.
    let deepest = MAX_NESTING - 2;
    for (open, inner, close) in [
        ("[", "", "]"),
        (r#"{"y":"#, "[]", "}"),
        ("[", r#""[[\"{{\\""#, "]"),
    ] {
        let levels = deepest - inner.starts_with('[') as usize;
        assert_eq!(
            Manifest::parse(nested(open, inner, close, levels).as_bytes()).err(),
            None
        );
        for levels in [levels + 1, 126, 127, 128, 5_000, 100_000] {
            let text = nested(open, inner, close, levels);
            let found = Manifest::parse(text.as_bytes()).unwrap_err();
            assert_eq!(found.count(), 1);
            assert_eq!(
                found.to_string(),
                "the manifest must not be nested deeper than 64 levels"
            );
        }
    }
    // Many brackets side by side are no nesting, nor are those in strings.
    let flat = nested("", &format!("[{}[]]", "[],".repeat(1000)), "", 1);
    assert!(Manifest::parse(flat.as_bytes()).is_ok());
    let string = nested("", &format!("\"{}\"", "[{\\\"".repeat(1000)), "", 1);
    assert!(Manifest::parse(string.as_bytes()).is_ok());
    // Deep, and no manifest either.
    let found = Manifest::parse("[".repeat(MAX_MANIFEST_BYTES).as_bytes()).unwrap_err();
    assert_eq!(found.count(), 2);
}

/// The first issues are written out and the others counted: what a mebibyte can make of them does not fit in memory.
#[test]
fn issues_are_collected_up_to_a_bound() {
    let manifest = |rest: String| {
        format!(r#"{{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b",{rest}}}"#)
    };
    let name = "n".repeat(500_000);
    for (text, count) in [
        (
            manifest(format!(
                r#""api":{{"endpoints":[{}{{}}]}}"#,
                "{},".repeat(249_999)
            )),
            750_000,
        ),
        (
            manifest(format!(r#""capabilities":[{}1]"#, "1,".repeat(339_999))),
            340_000,
        ),
        (
            manifest(format!(r#""x":1{}"#, r#","x":1"#.repeat(150_000))),
            150_001,
        ),
        (
            manifest(format!(r#""assets":["..",{}1]"#, "1,".repeat(99))),
            101,
        ),
        (
            manifest(format!(r#""assets":["..",{}1]"#, "1,".repeat(98))),
            100,
        ),
        (
            manifest(format!(r#""{name}":1,"precompiled":{{"{name}":1}}"#)),
            2,
        ),
    ] {
        let found = Manifest::parse(text.as_bytes()).unwrap_err();
        assert_eq!(found.count(), count);
        assert_eq!(found.first().len(), count.min(MAX_ISSUES));
        let size: usize = found
            .first()
            .iter()
            .map(|issue| issue.path.len() + issue.message.len())
            .sum();
        assert!(size < MAX_ISSUES * 510);
        assert!(found.to_string().len() < 1300);
    }
}
