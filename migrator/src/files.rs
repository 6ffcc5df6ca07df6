//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Reads a file as text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(failed("reading", path))
}

/// The same; `None` where there is none.
pub fn read_text_if_there(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(failed("reading", path)),
    }
}

/// Reads a private key. As libpq does, refuses one that others may read: 0600, or 0640 where root owns it.
pub fn read_secret(path: &Path) -> Result<Vec<u8>, Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(path).map_err(failed("reading", path))?;
        let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
        if metadata.mode() & forbidden != 0 {
            return Err(Error::Usage(format!(
                "the key {} can be read by others: chmod 600 it",
                path.display()
            )));
        }
    }
    fs::read(path).map_err(failed("reading", path))
}

/// Replaces a file: whoever reads it sees the old or the new one, also after a crash.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let doing = "writing";
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed(doing, path))?;
    }
    let new = beside(path);
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if written.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&new);
    }
    written.map_err(failed(doing, path))
}

/// A name of this process in the same directory: a rename works within a file system only.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io {
        doing: format!("{doing} {}", path.display()),
        source,
    }
}
