//! What is released stays as it is: databases keep checksums of the migrations, and servers know which script leads
//! from which version to which.
//!
//! `tests/released/VERSION.sha256` lists the files of a release (`sha256sum --check` reads it from the root of the
//! tree), among them a copy of the script that pgrx generates for CREATE EXTENSION. `UPDATE_RELEASED=1` writes list and
//! copy for the newest release of CHANGELOG.md when they are missing, and never again.

use std::collections::BTreeMap;
use std::fs;

use ext_registry_tests::{extension_folder, workspace_root};
use openssl::sha::sha256;

use crate::changelog::releases;
use crate::version::{self, current};

/// Checksums by path from the root of the tree.
type Files = BTreeMap<String, String>;

fn list_of(version: &str) -> String {
    format!("tests/released/{version}.sha256")
}

/// The copy of the script that CREATE EXTENSION ran in this release.
pub fn install_script_of(version: &str) -> String {
    format!("tests/released/ext_registry--{version}.sql")
}

/// Migrations and update scripts of this tree.
fn scripts() -> Vec<String> {
    let mut scripts = Vec::new();
    for folder in ["sql/migrations", "pg_ext/sql"] {
        // There are no update scripts before the second release.
        let Ok(entries) = fs::read_dir(workspace_root().join(folder)) else {
            continue;
        };
        for entry in entries {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".sql") {
                scripts.push(format!("{folder}/{name}"));
            }
        }
    }
    scripts.sort();
    scripts
}

fn checksum(path: &str) -> Option<String> {
    let bytes = fs::read(workspace_root().join(path)).ok()?;
    Some(sha256(&bytes).iter().map(|b| format!("{b:02x}")).collect())
}

/// The files of a release.
fn listed(version: &str) -> Option<Files> {
    let text = fs::read_to_string(workspace_root().join(list_of(version))).ok()?;
    let line = |line: &str| {
        let (sum, path) = line.split_once("  ").expect("a checksum and a path");
        (path.to_owned(), sum.to_owned())
    };
    Some(text.lines().map(line).collect())
}

/// The script that pgrx has generated for the version of this tree.
fn generated() -> String {
    let file = extension_folder().join(format!("ext_registry--{}.sql", current()));
    fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make build`", file.display()))
}

/// Its statements: pgrx gives no order to blocks, and names lines of the source in comments.
fn statements(script: &str) -> Vec<String> {
    let mut blocks: Vec<String> = script
        .split("/* <begin connected objects> */")
        .map(|block| {
            let lines = block.lines().filter(|line| !line.starts_with("-- pg_ext/"));
            lines.collect::<Vec<_>>().join("\n").trim().to_owned()
        })
        .filter(|block| !block.is_empty())
        .collect();
    blocks.sort();
    blocks
}

fn freeze(version: &str) {
    assert_eq!(
        version,
        current(),
        "only the version of this tree can be frozen"
    );
    let copy = install_script_of(version);
    fs::create_dir_all(workspace_root().join("tests/released")).unwrap();
    fs::write(workspace_root().join(&copy), generated()).unwrap();
    let list: String = scripts()
        .into_iter()
        .chain([copy])
        .map(|path| format!("{}  {path}\n", checksum(&path).unwrap()))
        .collect();
    fs::write(workspace_root().join(list_of(version)), list).unwrap();
}

#[test]
fn files_of_a_release_never_change() {
    let releases = releases();
    if let Some((newest, _)) = releases.first()
        && std::env::var_os("UPDATE_RELEASED").is_some()
        && listed(newest).is_none()
    {
        freeze(newest);
    }
    for (version, _) in &releases {
        let files = listed(version).unwrap_or_else(|| {
            panic!(
                "{version} is released: UPDATE_RELEASED=1 writes {}",
                list_of(version)
            )
        });
        assert!(files.contains_key(&install_script_of(version)));
        for (path, sum) in files {
            assert_eq!(
                checksum(&path),
                Some(sum),
                "{path} belongs to the release {version}"
            );
        }
    }
}

#[test]
fn a_list_belongs_to_a_release() {
    let releases = releases();
    for entry in fs::read_dir(workspace_root().join("tests/released")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(version) = name.strip_suffix(".sha256") {
            assert!(
                releases.iter().any(|(released, _)| released == version),
                "{name}"
            );
        }
    }
}

/// A migration that came after a release runs after those of the release.
#[test]
fn new_migrations_have_higher_numbers() {
    let number = |path: &str| -> Option<u32> {
        let name = path.strip_prefix("sql/migrations/V")?;
        name.split_once("__")?.0.parse().ok()
    };
    for (version, _) in releases() {
        let released = listed(&version).unwrap_or_default();
        let last = released.keys().filter_map(|path| number(path)).max();
        for path in scripts() {
            if let (Some(number), Some(last)) = (number(&path), last)
                && !released.contains_key(&path)
            {
                assert!(
                    number > last,
                    "{path} would run before V{last} of {version}"
                );
            }
        }
    }
}

/// Who has the release gets other definitions by an update to another version only.
#[test]
fn the_extension_of_a_released_version_does_not_change() {
    let Some((newest, _)) = releases().into_iter().next() else {
        return;
    };
    if newest == current() {
        let released = fs::read_to_string(workspace_root().join(install_script_of(&newest)));
        let released = released.expect("it was copied at the release");
        assert_eq!(
            statements(&generated()),
            statements(&released),
            "{newest} is released: raise the version, and write pg_ext/sql/ext_registry--{newest}--NEXT.sql"
        );
    }
}

/// Each release has a script that leads to the one after it: PostgreSQL finds the way from any to the newest.
#[test]
fn every_release_can_be_updated() {
    let mut versions: Vec<String> = releases().into_iter().map(|(version, _)| version).collect();
    versions.reverse();
    if versions.last().is_some_and(|newest| newest != current()) {
        versions.push(current().to_owned());
    }
    assert!(versions.is_sorted_by_key(|version| version::parse(version)));
    for pair in versions.windows(2) {
        let script = format!("pg_ext/sql/ext_registry--{}--{}.sql", pair[0], pair[1]);
        assert!(
            workspace_root().join(&script).is_file(),
            "{script} is missing"
        );
    }
}

#[test]
fn order_and_lines_of_the_generated_script_do_not_matter() {
    let one = "/* <begin connected objects> */\n-- pg_ext/src/a.rs:1\nSELECT 1;\n\
               /* <begin connected objects> */\n-- why\nSELECT 2;\n";
    let two = "/* <begin connected objects> */\n-- why\nSELECT 2;\n\n\
               /* <begin connected objects> */\n-- pg_ext/src/a.rs:9\nSELECT 1;\n";
    assert_eq!(statements(one), statements(two));
    assert_ne!(statements(one), statements(&two.replace("1;", "3;")));
}
