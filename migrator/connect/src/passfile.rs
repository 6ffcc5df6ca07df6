//! libpq's password file: lines of `host:port:database:user:password`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::{Report, Severity};

/// Where a password is looked up for.
pub struct Wanted<'a> {
    pub host: &'a str,
    pub port: &'a str,
    pub dbname: &'a str,
    pub user: &'a str,
}

/// The password of the first line that fits; nothing where the file is missing or others may read it.
pub fn password(path: &Path, wanted: &Wanted, report: &Report) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let why = match (metadata.is_file(), metadata.mode() & 0o077) {
        (false, _) => "it is not a plain file",
        (true, 0) => return find(&fs::read_to_string(path).ok()?, wanted),
        (true, _) => "group or others may read it (chmod 600)",
    };
    let text = format!(
        "warning: password file {} is ignored: {why}",
        path.display()
    );
    report(Severity::Warning, &text);
    None
}

fn find(text: &str, wanted: &Wanted) -> Option<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let fields = fields(line);
            let [host, port, dbname, user, password] = fields.as_slice() else {
                return None;
            };
            let fits = |field: &Field, value: &str| field.any || field.text == value;
            (fits(host, wanted.host)
                && fits(port, wanted.port)
                && fits(dbname, wanted.dbname)
                && fits(user, wanted.user))
            .then(|| password.text.clone())
        })
}

struct Field {
    text: String,
    /// A bare `*`.
    any: bool,
}

/// Splits at colons that no backslash precedes. The password goes on to the end of the line.
fn fields(line: &str) -> Vec<Field> {
    let mut fields = vec![Field {
        text: String::new(),
        any: line.starts_with("*:"),
    }];
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        let last = fields.len() == 5;
        match c {
            ':' if !last => fields.push(Field {
                text: String::new(),
                any: line[at + 1..].starts_with("*:"),
            }),
            '\\' => push(&mut fields, chars.next().map_or('\\', |(_, c)| c)),
            _ => push(&mut fields, c),
        }
    }
    fields
}

fn push(fields: &mut [Field], c: char) {
    if let Some(field) = fields.last_mut() {
        field.text.push(c);
    }
}

#[cfg(test)]
mod tests;
