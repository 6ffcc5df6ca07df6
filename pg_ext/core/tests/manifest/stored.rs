//! What a valid manifest is stored as.

use ext_registry_core::{Manifest, Requested, Series};
use serde_json::json;

use crate::{minimal, with};

const FULL: &str = r#"{
    "publisher": "acme", "name": "widget", "version": " 1.2.3 ", "runtime": "node@20",
    "capabilities": ["net", "fs:read"],
    "ui": {"type": "iframe", "entry": "ui/index.html", "hooks": {"onLoad": "hooks/load.js"}, "width": 1e400},
    "api": {"endpoints": [{"method": "GET", "path": "/items/:id", "handler": "api.get", "auth": null}], "v": 1},
    "assets": ["logo.svg", "a/..b/c"],
    "precompiled": {"linux-x86_64": "bin/widget.so"}
}"#;

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
fn of_a_field_given_twice_the_last_counts() {
    let text =
        r#"{"publisher": 1, "publisher": "p", "name": "n", "version": "1.0.0", "runtime": "a@b"}"#;
    assert_eq!(Manifest::parse(text.as_bytes()).unwrap().publisher, "p");
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
