//! What is wrong with a text that is no version, and which version it was meant to be.

use super::Requested;
use crate::manifest::MAX_TEXT_CHARS;

/// Words to end the sentence that names the text; None where there is nothing to say.
pub(super) fn on(given: &str) -> Option<String> {
    // No version is longer: whatever it is meant to be, it is none.
    if given.len() > MAX_TEXT_CHARS {
        return None;
    }
    let mut wanted = Vec::new();
    let text = given.trim_start_matches(['v', 'V', '=']).trim_start();
    if text.len() != given.len() {
        wanted.push("nothing before the first number");
    }
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let mut numbers: Vec<&str> = numbers.split('.').collect();
    if numbers.iter().any(|number| is_too_large(number)) {
        return Some(format!("numbers end at {}", u64::MAX));
    }
    let last = numbers.len() - 1;
    if last == 2 && matches!(numbers[2], "x" | "X") {
        wanted.push("* for the next patch number");
        numbers[2] = "*";
    }
    if last < 2 && numbers[last] == "*" || numbers[..last].contains(&"*") {
        return Some("* stands for the third number only".to_owned());
    }
    if last > 2 {
        return Some("three numbers".to_owned());
    }
    if last < 2 {
        wanted.push("three numbers");
        numbers.resize(3, "0");
    }
    let (pre, build) = rest.split_at(rest.find('+').unwrap_or(rest.len()));
    let (pre, build) = (identifiers(pre), identifiers(build));
    let zeros = numbers
        .iter()
        .chain(&pre)
        .any(|number| without_zeros(number) != *number);
    if zeros {
        wanted.push("no leading zeros");
    }
    let numbers: Vec<_> = numbers.into_iter().map(without_zeros).collect();
    let pre: Vec<_> = pre.into_iter().map(without_zeros).collect();
    let mut meant = numbers.join(".");
    for (mark, identifiers) in [('-', pre), ('+', build)] {
        if !identifiers.is_empty() {
            meant.push(mark);
            meant.push_str(&identifiers.join("."));
        }
    }
    if wanted.is_empty() {
        wanted.push("nothing empty after the numbers");
    }
    Requested::read(&meant).map(|_| format!("{}, {meant}", wanted.join(", ")))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_too_large(text: &str) -> bool {
    is_number(text) && text.parse::<u64>().is_err()
}

fn without_zeros(text: &str) -> &str {
    match text.trim_start_matches('0') {
        _ if !is_number(text) => text,
        "" => "0",
        rest => rest,
    }
}

/// What stands between the dots after `-` or `+`, without what is empty.
fn identifiers(text: &str) -> Vec<&str> {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    text.split('.').filter(|part| !part.is_empty()).collect()
}
