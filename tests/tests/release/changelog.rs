//! CHANGELOG.md has the form of Keep a Changelog, and names the releases that there are.

use crate::read;
use crate::version::{self, Version};

const CHANGES: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

/// The released versions, newest first, each with its day.
pub fn releases() -> Vec<(String, String)> {
    read("CHANGELOG.md")
        .lines()
        .filter_map(|line| line.strip_prefix("## ["))
        .filter(|heading| *heading != "Unreleased]")
        .map(|heading| {
            let (version, day) = heading
                .split_once("] - ")
                .unwrap_or_else(|| panic!("## [{heading}: a release has a day"));
            (version.to_owned(), day.to_owned())
        })
        .collect()
}

/// True when something is listed below the heading `Unreleased`.
fn has_unreleased_changes() -> bool {
    let text = read("CHANGELOG.md");
    let (_, rest) = text.split_once("\n## [Unreleased]\n").unwrap();
    let section = rest.split("\n## ").next().unwrap_or_default();
    section.lines().any(|line| line.starts_with("- "))
}

#[test]
fn it_has_its_form() {
    let text = read("CHANGELOG.md");
    assert!(text.starts_with("# Changelog\n"));
    let headings: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("## "))
        .collect();
    assert_eq!(headings.first(), Some(&"## [Unreleased]"));
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("### ") {
            assert!(CHANGES.contains(&kind), "{line}");
        }
    }
    // A released section says what is in it.
    for section in text.split("\n## [").skip(2) {
        assert!(
            section.contains("\n### ") && section.contains("\n- "),
            "{section}"
        );
    }
}

#[test]
fn releases_are_in_order_and_dated() {
    let releases = releases();
    let versions: Vec<Version> = releases.iter().map(|(v, _)| version::parse(v)).collect();
    assert!(
        versions.is_sorted_by(|newer, older| newer > older),
        "{releases:?}"
    );
    for (version, day) in &releases {
        let form: String = day
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(form, "0000-00-00", "{version}: {day}");
    }
    assert!(
        releases.is_sorted_by(|newer, older| newer.1 >= older.1),
        "{releases:?}"
    );
}

#[test]
fn the_newest_release_is_the_workspace_or_it_prepares_the_next() {
    let Some((newest, _)) = releases().into_iter().next() else {
        return;
    };
    let (newest, current) = (version::parse(&newest), version::parse(version::current()));
    assert!(
        newest <= current,
        "{newest:?} is released, Cargo.toml says {current:?}"
    );
    assert!(
        newest == current || has_unreleased_changes(),
        "Cargo.toml says {current:?}, and nothing is listed as unreleased"
    );
}
