//! The rules for single strings. Each takes a string and adds what is wrong with it.

use super::issue::{Issues, Path};
use crate::quote::Quoted;
use crate::version::Requested;

pub(super) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];

pub(super) type Rule = fn(&mut Issues, Path<'_>, &str);

pub(super) const NAME: &[Rule] = &[not_empty, short, no_control_characters];
pub(super) const RUNTIME: &[Rule] = &[not_empty, short, no_control_characters, runtime];
pub(super) const UI_TYPE: &[Rule] = &[ui_type];
pub(super) const ENTRY: &[Rule] = &[not_empty, short, path];
pub(super) const PATH: &[Rule] = &[path];
pub(super) const ENDPOINT_PATH: &[Rule] = &[begins_with_slash, path];

/// Nothing but white space is as good as nothing: nobody could tell such a name from an empty one.
fn not_empty(issues: &mut Issues, at: Path<'_>, text: &str) {
    if text.trim().is_empty() {
        issues.add(at, "must not be empty");
    }
}

fn short(issues: &mut Issues, at: Path<'_>, text: &str) {
    issues.check_length(at, text);
}

/// C0, DEL and C1. Other characters that do not show, such as those that set the direction of text, may be part
/// of a name.
fn no_control_characters(issues: &mut Issues, at: Path<'_>, text: &str) {
    if text.chars().any(char::is_control) {
        issues.add(
            at,
            format!("must not have control characters: {}", Quoted(text)),
        );
    }
}

pub(super) fn version(issues: &mut Issues, at: Path<'_>, text: &str) -> Option<Requested> {
    let text = text.trim();
    if text.is_empty() {
        issues.add(at, "must not be empty");
        return None;
    }
    short(issues, at, text);
    // SemVer has no control characters.
    Requested::parse(text)
        .map_err(|error| issues.add(at, error.to_string()))
        .ok()
}

fn runtime(issues: &mut Issues, at: Path<'_>, text: &str) {
    if !text.trim().is_empty() && !text.contains(['@', '-']) {
        issues.add(at, format!("must have @ or - in it: {}", Quoted(text)));
    }
}

fn ui_type(issues: &mut Issues, at: Path<'_>, text: &str) {
    if text != "iframe" {
        issues.add(at, format!("must be \"iframe\", not {}", Quoted(text)));
    }
}

/// Gives the method in upper case.
pub(super) fn method(issues: &mut Issues, at: Path<'_>, text: &str) -> Option<&'static str> {
    let known = METHODS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(text));
    if known.is_none() {
        issues.add(
            at,
            format!(
                "must be one of {}, not {}",
                METHODS.join(", "),
                Quoted(text)
            ),
        );
    }
    known
}

fn begins_with_slash(issues: &mut Issues, at: Path<'_>, text: &str) {
    if !text.starts_with('/') {
        issues.add(at, format!("must begin with /: {}", Quoted(text)));
    }
}

/// No path leads out of its folder.
fn path(issues: &mut Issues, at: Path<'_>, text: &str) {
    if climbs(text) {
        issues.add(
            at,
            format!("must not have .. as a segment: {}", Quoted(text)),
        );
    }
}

/// Whether a segment is `..`. Windows separates with `\`, and a browser reads `%2e%2e` as `..`; nobody else has a
/// segment that looks like these.
fn climbs(path: &str) -> bool {
    if path.contains('%') {
        has_parent_segment(&decode_dots_and_separators(path))
    } else {
        has_parent_segment(path)
    }
}

fn has_parent_segment(path: &str) -> bool {
    path.contains("..") && path.split(['/', '\\']).any(|segment| segment == "..")
}

/// Undoes percent-encoding, once, where it matters here.
fn decode_dots_and_separators(path: &str) -> String {
    [
        ("%2e", "."),
        ("%2E", "."),
        ("%2f", "/"),
        ("%2F", "/"),
        ("%5c", "\\"),
        ("%5C", "\\"),
    ]
    .into_iter()
    .fold(path.to_owned(), |path, (code, character)| {
        path.replace(code, character)
    })
}

#[cfg(test)]
mod tests {
    use super::climbs;

    #[test]
    fn only_a_whole_segment_of_two_dots_climbs() {
        for path in [
            "..", "../a", "a/..", "a/../b", "/..", "..\\a", "a\\..\\b", "a/..\\b", "//..//",
            "%2e%2e/a", "a/%2E.", ".%2e", "a%2f..", "..%5Cb", "a/..%2Fb",
        ] {
            assert!(climbs(path), "{path}");
        }
        for path in [
            "",
            ".",
            "...",
            "a..b",
            "..a",
            "a..",
            "a/..b/c",
            "/v1.../x",
            "./a",
            "a/./b",
            "%",
            "%2e",
            "100%..",
            "%252e%252e",
            ".. ",
            "a%20..",
            "%2e%2e%2e",
            "..%00",
            "․․",
            "．．/a",
        ] {
            assert!(!climbs(path), "{path}");
        }
    }
}
