//! What counts as the same output: everything but ids, times, durations and the widths that follow from them.

use serde_json::Value;

/// Stands for any number of lines in an output block.
pub const ELISION: &str = "…";

/// True when the documented lines are what was printed.
pub fn same_text(documented: &[String], printed: &[String]) -> bool {
    let masked = |lines: &[String]| {
        let mut masked: Vec<_> = lines.iter().map(|line| mask(line)).collect();
        masked.truncate(
            masked
                .iter()
                .rposition(|line| !line.is_empty())
                .map_or(0, |last| last + 1),
        );
        masked
    };
    matches(&masked(documented), &masked(printed))
}

fn matches(documented: &[String], printed: &[String]) -> bool {
    match documented.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == ELISION => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed.first() == Some(first) && matches(rest, &printed[1..]),
    }
}

/// True when both have the same members with values of the same type. Of a list, the first element is looked at; an
/// empty list or null says nothing about its elements.
pub fn same_shape(documented: &Value, printed: &Value) -> bool {
    match (documented, printed) {
        (Value::Object(documented), Value::Object(printed)) => {
            documented.len() == printed.len()
                && documented.iter().all(|(key, value)| {
                    printed
                        .get(key)
                        .is_some_and(|other| same_shape(value, other))
                })
        }
        (Value::Array(documented), Value::Array(printed)) => {
            match (documented.first(), printed.first()) {
                (Some(documented), Some(printed)) => same_shape(documented, printed),
                _ => true,
            }
        }
        (Value::Null, _) | (_, Value::Null) => true,
        (documented, printed) => {
            std::mem::discriminant(documented) == std::mem::discriminant(printed)
        }
    }
}

/// The line with ids, times and durations replaced, runs of spaces and dashes shortened.
fn mask(line: &str) -> String {
    let mut masked = String::new();
    let mut rest = line.trim_end();
    while let Some(first) = rest.chars().next() {
        let at_start = !masked.ends_with(|c: char| c.is_ascii_alphanumeric());
        let found = at_start
            .then(|| {
                [
                    ("<uuid>", uuid(rest)),
                    ("<time>", time(rest)),
                    ("<ms>", duration(rest)),
                ]
            })
            .into_iter()
            .flatten()
            .find_map(|(name, length)| Some((name, length?)));
        match found {
            Some((name, length)) => {
                masked.push_str(name);
                rest = &rest[length..];
            }
            None => {
                let again = (first == ' ' || first == '-') && masked.ends_with(first);
                if !again {
                    masked.push(first);
                }
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    masked.trim_end().to_owned()
}

/// Length of the UUID that the text begins with.
fn uuid(text: &str) -> Option<usize> {
    let text = text.get(..36)?;
    let fits = |(at, c): (usize, char)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    };
    text.char_indices().all(fits).then_some(36)
}

/// Length of the time stamp that the text begins with, zone included: `2026-11-22 12:00:00.123456+00`.
fn time(text: &str) -> Option<usize> {
    let start = text.get(..19)?;
    let fits = |(at, c): (usize, char)| match at {
        4 | 7 => c == '-',
        10 => c == ' ' || c == 'T',
        13 | 16 => c == ':',
        _ => c.is_ascii_digit(),
    };
    if !start.char_indices().all(fits) {
        return None;
    }
    let zone = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | ':' | 'Z');
    let length = text[19..].find(|c| !zone(c)).unwrap_or(text.len() - 19);
    Some(19 + length)
}

/// Length of `12 ms`.
fn duration(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    (digits > 0 && text[digits..].starts_with(" ms")).then_some(digits + 3)
}

#[test]
fn only_what_differs_from_run_to_run_is_masked() {
    let one =
        " 1.0.1   | 2026-11-22 17:38:47.340584+00 | 01a20456-cd82-774a-bdd5-d24a91936956 (12 ms)";
    let two = " 1.0.1 | 2027-01-01 00:00:00+00 | 02a20456-cd82-774a-bdd5-d24a91936957 (9 ms)";
    assert_eq!(mask(one), mask(two));
    assert_eq!(mask("-----+--- 3 rows"), "-+- 3 rows");
    assert_ne!(mask("1.0.1"), mask("1.0.2"));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(same_text(&lines("a\n…\nd"), &lines("a\nb\nc\nd")));
    assert!(!same_text(&lines("a\n…\nd"), &lines("a\nb\nc")));
}

#[test]
fn a_shape_has_all_members() {
    let shape = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let full = shape(r#"{"a": 1, "b": [{"c": "x"}]}"#);
    assert!(same_shape(&full, &shape(r#"{"a": 2, "b": []}"#)));
    for other in [
        r#"{"a": 1}"#,
        r#"{"a": "1", "b": []}"#,
        r#"{"a": 1, "b": [{}]}"#,
    ] {
        assert!(!same_shape(&full, &shape(other)), "{other}");
    }
}
