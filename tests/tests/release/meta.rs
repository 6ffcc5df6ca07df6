//! META.json holds to version 1.0.0 of PGXN's specification.

use ext_registry_tests::workspace_root;
use serde_json::{Map, Value};

use crate::read;
use crate::version::current;

const REQUIRED: [&str; 7] = [
    "abstract",
    "license",
    "maintainer",
    "meta-spec",
    "name",
    "provides",
    "version",
];
const OPTIONAL: [&str; 7] = [
    "description",
    "generated_by",
    "no_index",
    "prereqs",
    "release_status",
    "resources",
    "tags",
];

fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("{value} is no object"))
}

fn text(value: &Value) -> &str {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"));
    assert!(!text.trim().is_empty());
    text
}

/// Names are parts of addresses.
fn assert_term(name: &str) {
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '\\');
    assert!(name.len() >= 2 && name.chars().all(allowed), "{name:?}");
}

/// SemVer as PGXN reads it; 0 means any.
fn assert_range(range: &Value) {
    if range.as_u64() == Some(0) {
        return;
    }
    for part in text(range).split(',') {
        let number = part.trim().trim_start_matches(['<', '>', '=', '!', ' ']);
        assert_eq!(number.split('.').count(), 3, "{range}");
        assert!(
            number.split('.').all(|n| n.parse::<u64>().is_ok()),
            "{range}"
        );
    }
}

fn meta() -> Value {
    serde_json::from_str(&read("META.json")).expect("META.json is JSON")
}

#[test]
fn it_has_the_members_of_the_specification_and_no_others() {
    let meta = meta();
    let members = object(&meta);
    for name in REQUIRED {
        assert!(members.contains_key(name), "{name} is missing");
    }
    for name in members.keys() {
        let known = REQUIRED.contains(&name.as_str()) || OPTIONAL.contains(&name.as_str());
        assert!(known || name.to_lowercase().starts_with("x_"), "{name}");
    }
    assert_term(text(&meta["name"]));
    for name in ["abstract", "description", "maintainer"] {
        text(&meta[name]);
    }
    assert_eq!(meta["meta-spec"]["version"], "1.0.0");
    assert_eq!(meta["release_status"], "stable");
    assert_eq!(meta["license"], "postgresql");
    assert!(read("LICENSE").starts_with("PostgreSQL License\n"));
    for tag in meta["tags"].as_array().unwrap() {
        assert!(text(tag).len() <= 256 && !text(tag).contains(['/', '\\']));
    }
}

#[test]
fn what_it_provides_is_there_in_this_version() {
    let meta = meta();
    assert_eq!(text(&meta["version"]), current());
    let provides = object(&meta["provides"]);
    assert_eq!(provides.keys().collect::<Vec<_>>(), ["ext_registry"]);
    for (name, extension) in provides {
        assert_term(name);
        assert_eq!(text(&extension["version"]), current());
        text(&extension["abstract"]);
        for file in ["file", "docfile"] {
            let file = text(&extension[file]);
            assert!(workspace_root().join(file).is_file(), "{file}");
        }
    }
}

#[test]
fn it_asks_for_the_servers_that_the_extension_builds_for() {
    let meta = meta();
    for (phase, prereqs) in object(&meta["prereqs"]) {
        assert!(["configure", "build", "test", "runtime", "develop"].contains(&phase.as_str()));
        for (kind, packages) in object(prereqs) {
            assert!(["requires", "recommends", "suggests", "conflicts"].contains(&kind.as_str()));
            for (package, range) in object(packages) {
                assert_term(package);
                assert_range(range);
            }
        }
    }
    let oldest = read("pg_ext/Cargo.toml")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pg")?
                .split_once(" = [")?
                .0
                .parse::<u64>()
                .ok()
        })
        .min()
        .expect("there are features pg15 and so on");
    let asked = &meta["prereqs"]["runtime"]["requires"]["PostgreSQL"];
    assert_eq!(text(asked), format!("{oldest}.0.0"));
}
