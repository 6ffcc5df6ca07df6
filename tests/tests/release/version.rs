//! The version stands in Cargo.toml, and everything else follows from there.

use ext_registry_tests::program;

use crate::read;

/// `MAJOR.MINOR.PATCH`, in an order that can be compared.
pub type Version = [u64; 3];

/// The version of the workspace.
pub fn current() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

pub fn parse(text: &str) -> Version {
    let numbers: Vec<u64> = text
        .split('.')
        .map(|number| number.parse().expect("a release has three numbers"))
        .collect();
    numbers.try_into().expect("a release has three numbers")
}

#[test]
fn every_crate_takes_the_version_of_the_workspace() {
    let manifests = [
        "pg_ext/Cargo.toml",
        "pg_ext/core/Cargo.toml",
        "migrator/Cargo.toml",
        "tests/Cargo.toml",
    ];
    for manifest in manifests {
        let text = read(manifest);
        assert!(text.contains("\nversion.workspace = true\n"), "{manifest}");
        assert!(!text.contains("\nversion = \""), "{manifest}");
    }
    let control = read("pg_ext/ext_registry.control");
    assert!(control.contains("default_version = '@CARGO_VERSION@'\n"));
}

#[test]
fn the_installed_extension_and_the_command_have_it() {
    let mut pg_config = program("pg_config");
    let folder = pg_config.arg("--sharedir").output().unwrap();
    let folder = String::from_utf8(folder.stdout).unwrap();
    let control = format!("{}/extension/ext_registry.control", folder.trim());
    let control = std::fs::read_to_string(control).unwrap();
    let line = format!("default_version = '{}'", current());
    assert!(control.contains(&line), "run `make build`: {control}");

    let mut command = ext_registry_tests::ext_migrate();
    let printed = command.arg("--version").output().unwrap().stdout;
    let expected = format!("ext-migrate {}\n", current());
    assert_eq!(String::from_utf8(printed).unwrap(), expected);
}

/// Outputs are compared with the real ones elsewhere, but of JSON only the shape.
#[test]
fn the_documents_show_it() {
    let documents = [
        "doc/ext-migrate.md",
        "migrator/src/commands/up.rs",
        "migrator/src/commands/status.rs",
    ];
    let mut found = 0;
    for document in documents {
        let text = read(document);
        for line in text
            .lines()
            .filter(|line| line.contains("\"extension\": {"))
        {
            for key in ["\"version\": \"", "\"installed\": \"", "\"available\": \""] {
                if let Some((_, rest)) = line.split_once(key) {
                    assert_eq!(
                        rest.split('"').next(),
                        Some(current()),
                        "{document}: {line}"
                    );
                    found += 1;
                }
            }
        }
    }
    assert!(found > 0);
}
