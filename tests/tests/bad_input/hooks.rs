//! `ui.hooks` is an object of anything; the texts in it are paths.

use crate::call::Call;
use crate::ground::{Answer, Ground};

fn with_hooks(hooks: &str) -> Call {
    Call::of(format!(
        r#"{{"publisher":"p","name":"n","version":"1.0.*","runtime":"a@b",
            "ui":{{"type":"iframe","entry":"e","hooks":{hooks}}}}}"#
    ))
}

#[test]
fn hooks_hold_any_values() {
    let mut ground = Ground::in_encoding("UTF8");
    for hooks in [
        "{}",
        r#"{"a": 1}"#,
        r#"{"a": 1e400, "b": [true, null, {"c": "d"}]}"#,
        r#"{"a": {"b": {"c": []}}}"#,
        r#"{"..": "x"}"#,
        r#"{"a": "b", "c": false}"#,
        "null",
    ] {
        ground.call(&with_hooks(hooks)).published();
    }
    for hooks in ["[]", "1", r#""a""#, "true"] {
        ground.call(&with_hooks(hooks)).with_issues(&["ui.hooks"]);
    }
}

#[test]
fn no_text_below_hooks_climbs() {
    let mut ground = Ground::in_encoding("UTF8");
    for (hooks, paths) in [
        (r#"{"a": ".."}"#, &["ui.hooks.a"][..]),
        (
            r#"{"a": {"b": ["x", "x/../y"]}, "c": "%2e%2e"}"#,
            &["ui.hooks.a.b[1]", "ui.hooks.c"],
        ),
        (
            r#"{"a b": [[{"": "..\\x"}]]}"#,
            &[r#"ui.hooks["a b"][0][0][""]"#],
        ),
    ] {
        ground.call(&with_hooks(hooks)).with_issues(paths);
    }
}

/// Too deep is one issue, not a stack overflow on the way to others.
#[test]
fn hooks_that_are_too_deep() {
    let mut ground = Ground::in_encoding("UTF8");
    for levels in [61, 62, 200, 2000, 5000] {
        let hooks = format!(
            r#"{{"a": {}".."{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        );
        match ground.call(&with_hooks(&hooks)) {
            Answer::Refused(refused) => {
                let issues = refused.detail["issues"].as_array().unwrap();
                assert_eq!(
                    issues[0]["path"] == "",
                    levels > 61,
                    "{levels}: {}",
                    refused.message
                );
            }
            Answer::RefusedBefore(sqlstate) => {
                assert_eq!((sqlstate.as_str(), levels > 2000), ("54001", true))
            }
            Answer::Published(_) => panic!("published with {levels} levels"),
        }
    }
}
