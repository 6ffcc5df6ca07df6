//! The shipped migrations, and folders with some of them or with others.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ext_migrate::ext_migrate_with;
use crate::{Outcome, workspace_root};

/// Name and text of the shipped migrations, in order.
///
/// # Panics
/// When they cannot be read.
#[must_use]
pub fn shipped() -> Vec<(String, String)> {
    let folder = workspace_root().join("sql/migrations");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("it can be read");
            (name.into_owned(), text)
        })
        .collect();
    files.sort_by_key(|(name, _)| {
        let number = name[1..].split("__").next().expect("V1__name.sql");
        number.parse::<u32>().expect("V1__name.sql")
    });
    files
}

/// A folder of migrations that is removed with this value.
pub struct Folder(PathBuf);

impl Folder {
    /// Writes these files.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a (String, String)>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("migrations.{}.{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        for (name, text) in files {
            fs::write(path.join(name), text).expect("a file can be written");
        }
        Self(path)
    }

    /// The first of the shipped ones.
    pub fn first(number: usize) -> Self {
        Self::of(&shipped()[..number])
    }

    /// Where it is.
    ///
    /// # Panics
    /// When the path is not UTF-8.
    pub fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    /// Runs `ext-migrate` on a database with these migrations instead of its own.
    pub fn ext_migrate(&self, url: &str, arguments: &[&str]) -> Outcome {
        ext_migrate_with(self.path(), url, arguments)
    }

    /// Runs `up --without-extension` with them.
    pub fn up(&self, url: &str) -> Outcome {
        self.ext_migrate(url, &["up", "--without-extension"])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
