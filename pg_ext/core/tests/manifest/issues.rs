//! How issues read.

use ext_registry_core::{Error, Issue};
use serde_json::json;

use crate::{assert_issues, issues, with};

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
            ("version", "not \"1.2\": three numbers, 1.2.0"),
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
        "version has no patch number left for 1.2.*: they end at 9007199254740991; higher ones can be \
         published as they are"
    );
}
