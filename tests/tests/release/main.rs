//! What a release promises: one version everywhere, files that stay as they were released, and a way to update to the
//! next one.

mod changelog;
mod frozen;
mod meta;
mod registries;
mod update;
mod version;

use std::fs;

use ext_registry_tests::workspace_root;

/// The file's text.
fn read(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
