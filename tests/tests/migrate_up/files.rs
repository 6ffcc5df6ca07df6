//! The shipped migrations, and directories with some of them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use ext_registry_tests::workspace_root;

/// Name and text of the shipped migrations, in order.
pub fn shipped() -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(workspace_root().join("sql/migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort_by_key(|(name, _)| {
        let number = name[1..].split("__").next().unwrap();
        number.parse::<u32>().unwrap()
    });
    files
}

/// A directory of migrations that is removed with this value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn of<'a>(files: impl IntoIterator<Item = &'a (String, String)>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("migrations.{}.{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        Self(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
