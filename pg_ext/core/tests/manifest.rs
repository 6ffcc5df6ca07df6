//! Every rule of the manifest, by example.

use ext_registry_core::{
    Error, Issue, MAX_MANIFEST_BYTES, MAX_NESTING, MAX_TEXT_CHARS, Manifest, Requested, Series,
};
use serde_json::{Value, json};

const FULL: &str = r#"{
    "publisher": "acme", "name": "widget", "version": " 1.2.3 ", "runtime": "node@20",
    "capabilities": ["net", "fs:read"],
    "ui": {"type": "iframe", "entry": "ui/index.html", "hooks": {"onLoad": "hooks/load.js"}, "width": 1e400},
    "api": {"endpoints": [{"method": "GET", "path": "/items/:id", "handler": "api.get", "auth": null}], "v": 1},
    "assets": ["logo.svg", "a/..b/c"],
    "precompiled": {"linux-x86_64": "bin/widget.so"}
}"#;

fn minimal() -> Value {
    json!({"publisher": "acme", "name": "widget", "version": "1.2.3", "runtime": "wasm-1"})
}

/// The minimal manifest with one field set.
fn with(field: &str, value: Value) -> Value {
    let mut manifest = minimal();
    manifest[field] = value;
    manifest
}

fn issues(manifest: &Value) -> Vec<Issue> {
    Manifest::parse(manifest.to_string().as_bytes())
        .err()
        .unwrap_or_default()
}

/// Checks that the manifest has exactly these issues, by path and by a part of the message.
#[track_caller]
fn assert_issues(manifest: &Value, expected: &[(&str, &str)]) {
    let found = issues(manifest);
    let fits = |(issue, (path, words)): (&Issue, &(&str, &str))| {
        issue.path == *path && issue.message.contains(words)
    };
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(fits),
        "{manifest}\n  expected {expected:?}\n  found {found:?}"
    );
}

#[test]
fn a_full_manifest_gives_what_is_stored() {
    let manifest = Manifest::parse(FULL.as_bytes()).unwrap();
    assert_eq!(manifest.publisher, "acme");
    assert_eq!(manifest.name, "widget");
    assert_eq!(manifest.version, Requested::Exact("1.2.3".to_owned()));
    assert_eq!(manifest.runtime, "node@20");
    assert_eq!(manifest.main_entry, "ui/index.html");
    assert_eq!(manifest.normalised_api, None);
}

#[test]
fn a_minimal_manifest_has_defaults() {
    let text = minimal().to_string();
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.main_entry, "main");
    assert_eq!(manifest.normalised_api, None);
}

#[test]
fn a_wildcard_is_a_version() {
    let text = with("version", json!("\t1.2.*\n")).to_string();
    let version = Manifest::parse(text.as_bytes()).unwrap().version;
    assert_eq!(version, Requested::Wildcard(Series { major: 1, minor: 2 }));
}

#[test]
fn escapes_are_read() {
    let text = r#"{"p\u0075blisher":"caf\u00e9","name":"\ud83d\ude00","version":"1.0.\u0030","runtime":"a\u0040b",
        "api":{"endpoints":[{"method":"\u0067et","path":"\/x","handler":"h"}]}}"#;
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.publisher, "café");
    assert_eq!(manifest.name, "😀");
    assert_eq!(manifest.runtime, "a@b");
    let api = r#"{"endpoints":[{"method":"GET","path":"\/x","handler":"h"}]}"#;
    assert_eq!(manifest.normalised_api.as_deref(), Some(api));
}

#[test]
fn methods_are_written_in_upper_case_and_nothing_else_changes() {
    let api = r#"{"n": 1e400, "endpoints": [{"path": "/get", "method": "get", "handler": "get"}, {"method": "HEAD",
        "path": "/", "handler": ""}, {"handler": "ü", "method": "oPtIoNs", "path": "/ü", "method2": "get"}], "m": "get"}"#;
    let text = format!(
        r#"{{"publisher":"a","name":"b","version":"0.0.0","runtime":"c-d","api": {api} }}"#
    );
    let expected = api
        .replace(r#""method": "get""#, r#""method": "GET""#)
        .replace("oPtIoNs", "OPTIONS");
    let normalised = Manifest::parse(text.as_bytes()).unwrap().normalised_api;
    assert_eq!(normalised.as_deref(), Some(expected.as_str()));
}

#[test]
fn required_texts() {
    for field in ["publisher", "name", "version", "runtime"] {
        let mut manifest = minimal();
        manifest.as_object_mut().unwrap().remove(field);
        assert_issues(&manifest, &[(field, "is required")]);
        for (value, words) in [
            (json!(null), "is required"),
            (json!(1), "must be a string"),
            (json!(true), "must be a string"),
            (json!(["x"]), "must be a string"),
            (json!({"x": "y"}), "must be a string"),
            (json!(""), "must not be empty"),
            (json!(" \t\u{a0}\u{3000}"), "must not be empty"),
        ] {
            if value == json!(" \t\u{a0}\u{3000}") && field != "version" {
                let found = issues(&with(field, value));
                assert_eq!(found[0].message, words, "{field}");
                assert!(found.iter().all(|issue| issue.path == field));
                continue;
            }
            assert_issues(&with(field, value), &[(field, words)]);
        }
    }
}

#[test]
fn length_is_counted_in_characters() {
    for field in ["publisher", "name", "runtime"] {
        let longest = format!("é-{}", "é".repeat(MAX_TEXT_CHARS - 2));
        assert_issues(&with(field, json!(longest)), &[]);
        assert_issues(
            &with(field, json!(longest + "é")),
            &[(field, "must not be longer than 255 characters")],
        );
    }
    let longest = format!("1.2.3-{}", "a".repeat(MAX_TEXT_CHARS - 6));
    assert_issues(&with("version", json!(format!("  {longest}  "))), &[]);
    assert_issues(
        &with("version", json!(longest + "a")),
        &[("version", "longer than 255")],
    );
}

#[test]
fn control_characters() {
    for c in [
        "\0", "\u{1}", "\n", "\u{1f}", "\u{7f}", "\u{80}", "\u{85}", "\u{9f}",
    ] {
        for field in ["publisher", "name", "runtime"] {
            let text = format!("a-{c}b");
            assert_issues(
                &with(field, json!(text)),
                &[(field, "must not have control characters")],
            );
        }
        assert_issues(
            &with("version", json!(format!("1.{c}2.3"))),
            &[("version", "SemVer")],
        );
    }
    // Nothing is said about characters that merely do not show, and nothing is normalised.
    for text in [
        "a-\u{a0}b",
        "a-\u{200b}",
        "a-\u{202e}b",
        "a-\u{301}",
        "-\u{feff}",
        "a -b",
    ] {
        assert_issues(&with("name", json!(text)), &[]);
    }
}

#[test]
fn runtime_names_a_version() {
    for runtime in ["node@20", "wasm-1", "@", "-", " a-b "] {
        assert_issues(&with("runtime", json!(runtime)), &[]);
    }
    for runtime in ["node", "node20", "a_b", "a\u{2010}b", "a\u{ff20}b"] {
        assert_issues(
            &with("runtime", json!(runtime)),
            &[("runtime", "must have @ or - in it")],
        );
    }
}

#[test]
fn unknown_fields() {
    assert_issues(
        &with("licence", json!(null)),
        &[("licence", "is not a field of a manifest")],
    );
    assert_issues(&with("Name", json!("x")), &[("Name", "is not a field")]);
    assert_issues(
        &with("a.b\n", json!(1)),
        &[(r#"["a.b\n"]"#, "is not a field")],
    );
    assert_issues(&with("", json!(1)), &[(r#"[""]"#, "is not a field")]);
    // Names that serde_json uses for itself are names like any other.
    for name in [
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
    ] {
        let path = format!("[\"{name}\"]");
        assert_issues(&with(name, json!("x")), &[(&path, "is not a field")]);
        assert_issues(&with("precompiled", json!({name: "1"})), &[]);
    }
}

#[test]
fn null_is_as_good_as_absent_where_a_field_is_optional() {
    for field in ["capabilities", "ui", "api", "assets", "precompiled"] {
        assert_issues(&with(field, json!(null)), &[]);
    }
    assert_issues(
        &with("ui", json!({"type": "iframe", "entry": "x", "hooks": null})),
        &[],
    );
    assert_issues(&with("api", json!({"endpoints": null})), &[]);
}

#[test]
fn lists_of_strings() {
    for field in ["capabilities", "assets"] {
        assert_issues(&with(field, json!([])), &[]);
        assert_issues(&with(field, json!(["", "a", "a"])), &[]);
        for wrong in [json!({}), json!("a"), json!(0), json!(false)] {
            assert_issues(&with(field, wrong), &[(field, "must be an array")]);
        }
        let (second, third) = (format!("{field}[1]"), format!("{field}[2]"));
        assert_issues(
            &with(field, json!(["a", 1, null])),
            &[(&second, "must be a string"), (&third, "must be a string")],
        );
    }
    assert_issues(&with("capabilities", json!([".."])), &[]);
    assert_issues(
        &with("assets", json!(["a/../b"])),
        &[("assets[0]", "must not have .. as a segment")],
    );
}

#[test]
fn ui() {
    for wrong in [json!([]), json!("iframe"), json!(1)] {
        assert_issues(&with("ui", wrong), &[("ui", "must be an object")]);
    }
    assert_issues(
        &with("ui", json!({})),
        &[("ui.type", "is required"), ("ui.entry", "is required")],
    );
    let ui = |field: &str, value: Value| {
        let mut ui = json!({"type": "iframe", "entry": "index.html"});
        ui[field] = value;
        with("ui", ui)
    };
    assert_issues(
        &ui("type", json!("IFRAME")),
        &[("ui.type", "must be \"iframe\"")],
    );
    assert_issues(&ui("type", json!(null)), &[("ui.type", "is required")]);
    assert_issues(
        &ui("entry", json!("")),
        &[("ui.entry", "must not be empty")],
    );
    assert_issues(&ui("entry", json!(7)), &[("ui.entry", "must be a string")]);
    assert_issues(&ui("entry", json!("e".repeat(255))), &[]);
    assert_issues(
        &ui("entry", json!("e".repeat(256))),
        &[("ui.entry", "longer than 255")],
    );
    assert_issues(&ui("entry", json!("..\\x")), &[("ui.entry", "..")]);
    assert_issues(&ui("hooks", json!({})), &[]);
    assert_issues(&ui("hooks", json!({"..": "x", "b": "y"})), &[]);
    assert_issues(
        &ui("hooks", json!([])),
        &[("ui.hooks", "must be an object")],
    );
    assert_issues(
        &ui("hooks", json!({"on-load": 1})),
        &[("ui.hooks.on-load", "must be a string")],
    );
    assert_issues(
        &ui("hooks", json!({"a b": "../x"})),
        &[(r#"ui.hooks["a b"]"#, "..")],
    );
    assert_issues(&ui("sandbox", json!({"kept": ["..", 1e300, null]})), &[]);
}

#[test]
fn api() {
    for wrong in [json!([]), json!("x"), json!(1)] {
        assert_issues(&with("api", wrong.clone()), &[("api", "must be an object")]);
    }
    for kept in [json!({}), json!({"endpoints": []}), json!({"other": ".."})] {
        assert_issues(&with("api", kept), &[]);
    }
    assert_issues(
        &with("api", json!({"endpoints": {}})),
        &[("api.endpoints", "must be an array")],
    );
    assert_issues(
        &with("api", json!({"endpoints": [[], {}]})),
        &[
            ("api.endpoints[0]", "must be an object"),
            ("api.endpoints[1].method", "is required"),
            ("api.endpoints[1].path", "is required"),
            ("api.endpoints[1].handler", "is required"),
        ],
    );
    let endpoint = |field: &str, value: Value| {
        let mut endpoint = json!({"method": "GET", "path": "/", "handler": "h"});
        endpoint[field] = value;
        with("api", json!({"endpoints": [endpoint]}))
    };
    for method in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "get", "Post", "hEAD",
    ] {
        assert_issues(&endpoint("method", json!(method)), &[]);
    }
    for method in ["", "TRACE", "CONNECT", "GET ", "GETS", "PO\u{17f}T"] {
        assert_issues(
            &endpoint("method", json!(method)),
            &[("api.endpoints[0].method", "must be one of GET, POST")],
        );
    }
    for path in ["", "items", " /", "\\", "%2f", "http://x/"] {
        assert_issues(
            &endpoint("path", json!(path)),
            &[("api.endpoints[0].path", "must begin with /")],
        );
    }
    assert_issues(
        &endpoint("path", json!("/a/../b")),
        &[("api.endpoints[0].path", "must not have ..")],
    );
    assert_issues(
        &endpoint("path", json!("../b")),
        &[
            ("api.endpoints[0].path", "must begin with /"),
            ("api.endpoints[0].path", "must not have .."),
        ],
    );
    assert_issues(
        &endpoint("handler", json!("../b")),
        &[("api.endpoints[0].handler", "must not have ..")],
    );
    assert_issues(
        &endpoint("handler", json!(null)),
        &[("api.endpoints[0].handler", "is required")],
    );
    assert_issues(&endpoint("rate", json!({"limit": 5})), &[]);
}

#[test]
fn precompiled() {
    assert_issues(&with("precompiled", json!({})), &[]);
    assert_issues(&with("precompiled", json!({"a": ""})), &[]);
    assert_issues(
        &with("precompiled", json!([])),
        &[("precompiled", "must be an object")],
    );
    assert_issues(
        &with("precompiled", json!({"a": {}})),
        &[("precompiled.a", "must be a string")],
    );
    assert_issues(
        &with("precompiled", json!({"a": "x/.."})),
        &[("precompiled.a", "must not have ..")],
    );
    assert_issues(
        &with("precompiled", json!({"../a": "x"})),
        &[(r#"precompiled["../a"]"#, "must not have ..")],
    );
}

#[test]
fn all_issues_are_reported_at_once() {
    let manifest = json!({
        "publisher": "", "version": "1.2", "runtime": "node", "extra": 1, "capabilities": [1],
        "ui": {"type": "div", "entry": "../x", "hooks": {"a": "/../"}},
        "api": {"endpoints": [{"method": "GRAB", "path": "x", "handler": "..\\h"}]},
        "assets": [".."], "precompiled": {"k": false}
    });
    assert_issues(
        &manifest,
        &[
            ("extra", "is not a field"),
            ("publisher", "must not be empty"),
            ("name", "is required"),
            (
                "version",
                "unexpected end of input while parsing minor version number",
            ),
            ("runtime", "must have @ or - in it: \"node\""),
            ("capabilities[0]", "must be a string"),
            ("ui.type", "not \"div\""),
            ("ui.entry", "\"../x\""),
            ("ui.hooks.a", "\"/../\""),
            ("api.endpoints[0].method", "not \"GRAB\""),
            ("api.endpoints[0].path", "must begin with /: \"x\""),
            ("api.endpoints[0].handler", r#""..\\h""#),
            ("assets[0]", ".."),
            ("precompiled.k", "must be a string"),
        ],
    );
}

#[test]
fn what_is_no_manifest_at_all() {
    for (text, words) in [
        (&b""[..], "must be an object"),
        (b"null", "must be an object"),
        (b"[]", "must be an object"),
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
fn of_a_field_given_twice_the_last_counts() {
    let text =
        r#"{"publisher": 1, "publisher": "p", "name": "n", "version": "1.0.0", "runtime": "a@b"}"#;
    assert_eq!(Manifest::parse(text.as_bytes()).unwrap().publisher, "p");
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

#[test]
fn numbers_that_no_float_holds_pass() {
    let digits = "9".repeat(10_000);
    let text = format!(
        r#"{{"publisher":"p","name":"n","version":"1.0.0","runtime":"a@b","api":{{"x":[1e400,-1e-400,{digits}],
        "endpoints":[{{"method":"get","path":"/","handler":"","n":{digits}}}]}}}}"#
    );
    let api = Manifest::parse(text.as_bytes())
        .unwrap()
        .normalised_api
        .unwrap();
    assert_eq!(api.matches(&digits).count(), 2);
    assert!(api.contains("[1e400,-1e-400,"));
}

#[test]
fn messages_show_what_was_given_cut_short_and_escaped() {
    let found = issues(&with(
        "name",
        json!(format!("\u{1b}[31m{}", "x".repeat(200))),
    ));
    assert_eq!(
        found[0].message,
        format!(
            "must not have control characters: \"\\u001b[31m{}\"...",
            "x".repeat(55)
        )
    );
    for value in ["\u{1b}\u{9b}", "1.2.\u{7f}", "1\u{85}.2"] {
        for issue in issues(&with("version", json!(value))) {
            assert!(
                !issue.to_string().chars().any(char::is_control),
                "{issue:?}"
            );
        }
    }
}

#[test]
fn a_series_that_is_used_up_is_an_issue_with_the_version() {
    let error = Error::NoPatchLeft { major: 1, minor: 2 };
    assert_eq!(
        Issue::version(&error).to_string(),
        "version has no patch number left for 1.2.*: they end at 18446744073709551615"
    );
}
