//! Every rule of the manifest, by example and by property.

mod fields;
mod issues;
mod limits;
mod names;
mod properties;
mod stored;

use ext_registry_core::{Issue, Manifest};
use serde_json::{Value, json};

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
        .map_or_else(Vec::new, |issues| issues.first().to_vec())
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
