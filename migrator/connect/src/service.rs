//! libpq's service file: `[name]` sections of `keyword=value` lines.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::Error;

/// The settings of one service, from `file`, else `~/.pg_service.conf`, else `$PGSYSCONFDIR/pg_service.conf`.
pub fn read(name: &str, file: Option<&str>) -> Result<Vec<(String, String)>, Error> {
    let candidates: Vec<PathBuf> = match file {
        Some(file) => vec![file.into()],
        None => [
            env::home_dir().map(|home| home.join(".pg_service.conf")),
            env::var_os("PGSYSCONFDIR").map(|dir| PathBuf::from(dir).join("pg_service.conf")),
            Some(PathBuf::from("/etc/postgresql-common/pg_service.conf")),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    candidates
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|text| section(&text, name))
        .ok_or_else(|| Error::Settings(format!("no service {name:?} in the service file")))
}

fn section(text: &str, name: &str) -> Option<Vec<(String, String)>> {
    let heading = format!("[{name}]");
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| *line == heading)?;
    let settings = lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(keyword, value)| (keyword.trim().to_owned(), value.trim().to_owned()));
    Some(settings.collect())
}

#[cfg(test)]
mod tests;
