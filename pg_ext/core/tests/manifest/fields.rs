//! The rules of each field.

use ext_registry_core::{Encoding, MAX_TEXT_CHARS, Manifest};
use serde_json::{Value, json};

use crate::{assert_issues, minimal, with};

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
            (json!(" \u{a0}\u{3000}"), "must not be empty"),
        ] {
            assert_issues(&with(field, value), &[(field, words)]);
        }
    }
}

#[test]
fn length_is_counted_in_characters() {
    for field in ["publisher", "name", "runtime"] {
        let longest = format!("é-{}", "é".repeat(MAX_TEXT_CHARS - 2));
        assert_issues(&with(field, json!(format!("\u{3000} {longest}\n"))), &[]);
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
        &ui(
            "hooks",
            json!({"on-load": 1, "a": {"..": [null, true, 1e300]}}),
        ),
        &[],
    );
    assert_issues(
        &ui("hooks", json!({"a": {"b": ["x", "x/../y"]}, "c": ".."})),
        &[("ui.hooks.a.b[1]", ".."), ("ui.hooks.c", "..")],
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

/// What `varchar(255)` means in a SQL_ASCII database.
#[test]
fn length_may_be_counted_in_bytes() {
    let issues = |text: String| {
        let manifest = with("publisher", json!(text)).to_string();
        Manifest::parse_for(manifest.as_bytes(), Encoding::SqlAscii)
            .err()
            .map_or_else(Vec::new, |issues| issues.first().to_vec())
    };
    assert_eq!(issues("é".repeat(127) + "x"), []);
    let found = issues("é".repeat(128));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "publisher");
    assert!(found[0].message.contains("255 bytes"), "{found:?}");
}
