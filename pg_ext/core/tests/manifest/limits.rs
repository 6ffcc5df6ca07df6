//! Texts that are too long, too deep, or no manifest at all.

use ext_registry_core::{MAX_MANIFEST_BYTES, MAX_NESTING, Manifest};

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
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "");
        assert!(found[0].message.contains(words), "{found:?}");
    }
}

#[test]
fn half_a_surrogate_pair_is_an_issue_where_it_stands() {
    let text = r#"{"publisher": "\ud800", "name": "n", "version": "1.0.0", "runtime": "a@b",
        "ui": {"type": "iframe", "entry": "x", "hooks": {"\udc00": "y"}}}"#;
    let found = Manifest::parse(text.as_bytes()).unwrap_err();
    let paths: Vec<_> = found.iter().map(|issue| issue.path.as_str()).collect();
    assert_eq!(paths, ["publisher", "ui.hooks"]);
    assert!(
        found
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
        found[0].to_string(),
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
            assert_eq!(found.len(), 1);
            assert_eq!(
                found[0].to_string(),
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
    assert_eq!(found.len(), 2);
}
