//! The rules for single strings. Each takes a string and adds what is wrong with it.

use std::borrow::Cow;

use super::issue::{Found, Path};
use crate::characters::{CodePoints, is_invisible};
use crate::quote::{Quoted, QuotedWhole};
use crate::version::Requested;

pub(super) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];

pub(super) type Rule = fn(&mut Found, Path<'_>, &str);

pub(super) const NAME: &[Rule] = &[not_empty, short, no_control_characters, visible, composed];
pub(super) const RUNTIME: &[Rule] = &[not_empty, short, no_control_characters, visible, runtime];
pub(super) const UI_TYPE: &[Rule] = &[ui_type];
pub(super) const ENTRY: &[Rule] = &[not_empty, short, path];
pub(super) const PATH: &[Rule] = &[path];
pub(super) const ENDPOINT_PATH: &[Rule] = &[begins_with_slash, path];

/// Nothing but white space is as good as nothing: nobody could tell such a name from an empty one.
fn not_empty(found: &mut Found, at: Path<'_>, text: &str) {
    if text.trim().is_empty() {
        found.add(at, "must not be empty");
    }
}

fn short(found: &mut Found, at: Path<'_>, text: &str) {
    found.check_length(at, text);
}

/// C0, DEL and C1.
fn no_control_characters(found: &mut Found, at: Path<'_>, text: &str) {
    if text.chars().any(char::is_control) {
        found.add(
            at,
            format_args!("must not have control characters: {}", Quoted(text)),
        );
    }
}

/// Two names that look alike must not be two extensions.
fn visible(found: &mut Found, at: Path<'_>, text: &str) {
    if let Some(c) = text.chars().find(|c| is_invisible(*c)) {
        let mut one = [0; 4];
        let point = CodePoints(c.encode_utf8(&mut one));
        found.add(
            at,
            format_args!(
                "must not have characters that cannot be seen, such as {point}: {}",
                Quoted(text)
            ),
        );
    }
}

fn composed(found: &mut Found, at: Path<'_>, text: &str) {
    if let Some(nfc) = found.composed(text) {
        let (given, wanted) = difference(text, &nfc);
        found.add(
            at,
            format_args!(
                "must be in Unicode's normal form NFC: {} instead of {}, which makes {}",
                CodePoints(wanted),
                CodePoints(given),
                QuotedWhole(&nfc)
            ),
        );
    }
}

/// The two texts without what they have in common at their beginnings and ends.
fn difference<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    let same = |(a, b): &(char, char)| a == b;
    let length = |(a, _): (char, char)| a.len_utf8();
    let start: usize = one
        .chars()
        .zip(other.chars())
        .take_while(same)
        .map(length)
        .sum();
    let (one, other) = (&one[start..], &other[start..]);
    let backwards = one.chars().rev().zip(other.chars().rev());
    let end: usize = backwards.take_while(same).map(length).sum();
    (&one[..one.len() - end], &other[..other.len() - end])
}

/// The text without the white space around it; where there is some, the field is noted.
pub(super) fn trimmed<'a>(
    field: &'static str,
    given: Cow<'a, str>,
    trimmed: &mut Vec<&'static str>,
) -> Cow<'a, str> {
    let length = given.trim().len();
    if length == given.len() {
        return given;
    }
    trimmed.push(field);
    match given {
        Cow::Borrowed(given) => Cow::Borrowed(given.trim()),
        Cow::Owned(given) => Cow::Owned(given.trim().to_owned()),
    }
}

pub(super) fn version(found: &mut Found, at: Path<'_>, text: &str) -> Option<Requested> {
    let text = text.trim();
    if text.is_empty() {
        found.add(at, "must not be empty");
        return None;
    }
    short(found, at, text);
    // SemVer has no control characters.
    Requested::parse(text)
        .map_err(|error| found.add(at, error))
        .ok()
}

fn runtime(found: &mut Found, at: Path<'_>, text: &str) {
    if !text.trim().is_empty() && !text.contains(['@', '-']) {
        found.add(at, format_args!("must have @ or - in it: {}", Quoted(text)));
    }
}

fn ui_type(found: &mut Found, at: Path<'_>, text: &str) {
    if text != "iframe" {
        found.add(at, format_args!("must be \"iframe\", not {}", Quoted(text)));
    }
}

/// Gives the method in upper case.
pub(super) fn method(found: &mut Found, at: Path<'_>, text: &str) -> Option<&'static str> {
    let known = METHODS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(text));
    if known.is_none() {
        found.add(
            at,
            format_args!(
                "must be one of {}, not {}",
                METHODS.join(", "),
                Quoted(text)
            ),
        );
    }
    known
}

fn begins_with_slash(found: &mut Found, at: Path<'_>, text: &str) {
    if !text.starts_with('/') {
        found.add(at, format_args!("must begin with /: {}", Quoted(text)));
    }
}

/// No path leads out of its folder.
fn path(found: &mut Found, at: Path<'_>, text: &str) {
    if climbs(text) {
        found.add(
            at,
            format_args!("must not have .. as a segment: {}", Quoted(text)),
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
    use super::{climbs, difference};

    #[test]
    fn a_difference_is_what_is_not_common_at_both_ends() {
        for (one, other, difference_of_one, of_other) in [
            ("", "", "", ""),
            ("abc", "abc", "", ""),
            ("cafe\u{301}s", "caf\u{e9}s", "e\u{301}", "\u{e9}"),
            ("aa", "a", "a", ""),
            ("\u{212b}", "\u{c5}", "\u{212b}", "\u{c5}"),
            ("xay", "xbzy", "a", "bz"),
            ("aba", "aa", "b", ""),
        ] {
            assert_eq!(difference(one, other), (difference_of_one, of_other));
            assert_eq!(difference(other, one), (of_other, difference_of_one));
        }
    }

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
