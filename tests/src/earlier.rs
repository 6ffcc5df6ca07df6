//! A registry that began as an earlier release and was brought up to date.

use std::fs;

use crate::{Folder, Server, extension_folder, shipped, workspace_root};

/// The release that the environment names, if any: `make updated` runs the tests on registries that began as each.
pub fn release() -> Option<String> {
    std::env::var("EXT_REGISTRY_BEGAN_AS")
        .ok()
        .filter(|release| !release.is_empty())
}

/// Makes the registry of a release in this database: its migrations and its extension, as they were.
///
/// # Panics
/// When there are no files of this release in `tests/released`.
pub fn begin_as(server: &Server, database: &str, release: &str) {
    let root = workspace_root();
    let list = fs::read_to_string(root.join(format!("tests/released/{release}.sha256")))
        .expect("the release has a list of its files");
    let migrations: Vec<_> = shipped()
        .into_iter()
        .filter(|(name, _)| list.contains(&format!("  sql/migrations/{name}\n")))
        .collect();
    Folder::of(&migrations)
        .up(&server.url(database))
        .succeeded();

    // The server is a private copy, so it may offer what it otherwise would not.
    let script = format!("ext_registry--{release}.sql");
    let offered = extension_folder().join(&script);
    if !offered.exists() {
        // Another test binary may do the same: the file has to be whole as soon as it is there.
        let new = offered.with_extension(format!("sql.{}", std::process::id()));
        fs::copy(root.join("tests/released").join(&script), &new).expect("the copy is ours");
        fs::rename(&new, &offered).expect("the copy is ours");
    }
    server
        .client(database)
        .batch_execute(&format!(
            "CREATE EXTENSION ext_registry VERSION '{release}'"
        ))
        .expect("the library serves the definitions of the release");
}
