use std::fmt::{self, Display, Write};

use serde::Serialize;

use super::rules::Rule;
use super::{Encoding, MAX_ISSUES, MAX_TEXT_CHARS};
use crate::Error;
use crate::quote::write_quoted;

/// One thing that is wrong with a manifest; `path message` reads as a sentence. Neither has more than
/// [`MAX_TEXT_CHARS`] characters, the dots at the end of one that was cut included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Issue {
    /// Where, such as `api.endpoints[0].method` or `precompiled["bin/x.so"]`; empty for the manifest as a whole.
    pub path: String,
    /// What, in words for a person, without control characters and line breaks.
    pub message: String,
}

impl Issue {
    /// An issue with the manifest as a whole.
    pub fn whole(message: impl Display) -> Self {
        Self::at(Path::Root, message)
    }

    /// An issue with a field of the manifest that shows only when it is to be published.
    pub fn field(name: &str, message: impl Display) -> Self {
        Self::at(Path::Root.member(name), message)
    }

    /// An issue with the version, for an error that shows only when it is to be published.
    pub fn version(error: &Error) -> Self {
        Self::field("version", error)
    }

    fn at(path: Path<'_>, message: impl Display) -> Self {
        Self {
            path: cut(path),
            message: cut(message),
        }
    }
}

impl Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Longest part of a path that the sentence repeats, in characters.
        const SHOWN_CHARS: usize = 120;
        match self.path.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => write!(f, "{}... {}", &self.path[..end], self.message),
            None if self.path.is_empty() => write!(f, "the manifest {}", self.message),
            None => write!(f, "{} {}", self.path, self.message),
        }
    }
}

/// What is wrong with a manifest, in the order in which it was found: the first [`MAX_ISSUES`], and how many there
/// are. Displays as one line with the first three.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Issues {
    first: Vec<Issue>,
    count: usize,
}

impl Issues {
    /// The first of them.
    pub fn first(&self) -> &[Issue] {
        &self.first
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Past the bound an issue is counted, not written out: what a manifest can make of it would fill the memory.
    fn add(&mut self, at: Path<'_>, message: impl Display) {
        self.count += 1;
        if self.first.len() < MAX_ISSUES {
            self.first.push(Issue::at(at, message));
        }
    }

    fn append(&mut self, others: Self) {
        self.count += others.count;
        self.first.extend(others.first);
        self.first.truncate(MAX_ISSUES);
    }
}

impl From<Issue> for Issues {
    fn from(issue: Issue) -> Self {
        Self {
            first: vec![issue],
            count: 1,
        }
    }
}

impl FromIterator<Issue> for Issues {
    fn from_iter<I: IntoIterator<Item = Issue>>(issues: I) -> Self {
        let mut all = Self::default();
        issues
            .into_iter()
            .for_each(|issue| all.append(issue.into()));
        all
    }
}

impl Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (position, issue) in self.first.iter().take(SHOWN).enumerate() {
            write!(f, "{}{issue}", if position == 0 { "" } else { "; " })?;
        }
        match self.count.saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The value as text of at most [`MAX_TEXT_CHARS`] characters. It is written no further than that.
fn cut(value: impl Display) -> String {
    const DOTS: &str = "...";

    struct Cut {
        text: String,
        room: usize,
    }

    impl Write for Cut {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.char_indices().nth(self.room).map(|(end, _)| end);
            let fits = &text[..end.unwrap_or(text.len())];
            self.text.push_str(fits);
            self.room -= fits.chars().count();
            end.map_or(Ok(()), |_| Err(fmt::Error))
        }
    }

    let mut cut = Cut {
        text: String::new(),
        room: MAX_TEXT_CHARS,
    };
    let mut text = match write!(cut, "{value}") {
        Ok(()) => return cut.text,
        Err(fmt::Error) => cut.text,
    };
    let kept = text.char_indices().nth(MAX_TEXT_CHARS - DOTS.len());
    text.truncate(kept.map_or(0, |(end, _)| end));
    text + DOTS
}

/// A place in the manifest, written out only when there is an issue with it.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    pub(super) fn member(&'p self, name: &'p str) -> Self {
        Self::Member(self, name)
    }

    pub(super) fn item(&'p self, index: usize) -> Self {
        Self::Item(self, index)
    }
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Member(parent, name) if !is_plain(name) => {
                write!(f, "{parent}[")?;
                write_quoted(f, name)?;
                f.write_str("]")
            }
            Self::Member(Self::Root, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// The issues found so far in the manifest for a database.
pub(super) struct Found {
    issues: Issues,
    encoding: Encoding,
}

impl Found {
    pub(super) fn nothing(encoding: Encoding) -> Self {
        Self {
            issues: Issues::default(),
            encoding,
        }
    }

    pub(super) fn add(&mut self, at: Path<'_>, message: impl Display) {
        self.issues.add(at, message);
    }

    /// Adds what the rules find wrong with `text`.
    pub(super) fn check(&mut self, at: Path<'_>, text: &str, rules: &[Rule]) {
        for rule in rules {
            rule(self, at, text);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.issues.is_empty()
    }

    /// What a `varchar(255)` column of the database holds.
    pub(super) fn check_length(&mut self, at: Path<'_>, text: &str) {
        // A text has no more characters than bytes.
        if text.len() <= MAX_TEXT_CHARS {
            return;
        }
        match self.encoding {
            Encoding::SqlAscii => self.add(
                at,
                format_args!("must not be longer than {MAX_TEXT_CHARS} bytes in this database, which counts bytes"),
            ),
            _ if text.chars().nth(MAX_TEXT_CHARS).is_some() => self.add(
                at,
                format_args!("must not be longer than {MAX_TEXT_CHARS} characters"),
            ),
            _ => {}
        }
    }

    /// The form NFC of a text that is in another, where the database knows of forms.
    pub(super) fn composed(&self, text: &str) -> Option<String> {
        match self.encoding {
            Encoding::Utf8(nfc) if !text.is_ascii() => nfc(text),
            _ => None,
        }
    }

    pub(super) fn append(&mut self, others: Self) {
        self.issues.append(others.issues);
    }

    pub(super) fn into_result<T>(self, value: Option<T>) -> Result<T, Issues> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => Err(self.issues),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Issue, Issues, Path};

    #[test]
    fn paths_read_like_expressions() {
        let (root, strange) = (Path::Root, Path::Root.member("a.b").to_string());
        let api = root.member("api");
        let endpoints = api.member("endpoints");
        assert_eq!(
            endpoints.item(0).member("method").to_string(),
            "api.endpoints[0].method"
        );
        assert_eq!(root.to_string(), "");
        assert_eq!(root.member("linux-x86_64").to_string(), "linux-x86_64");
        assert_eq!(strange, r#"["a.b"]"#);
        assert_eq!(api.member("").to_string(), r#"api[""]"#);
        assert_eq!(api.member("\u{9b}\"").to_string(), r#"api["\u009b\""]"#);
    }

    #[test]
    fn serialises_as_path_and_message() {
        let issue = Issue::field("name", "is required");
        let json = r#"{"path":"name","message":"is required"}"#;
        assert_eq!(serde_json::to_string(&issue).unwrap(), json);
        assert_eq!(issue.to_string(), "name is required");
    }

    #[test]
    fn texts_are_cut_where_the_contract_says() {
        for letter in ["x", "é", "😀", "\n"] {
            let written = if letter == "\n" { "\\n" } else { letter };
            let issue = Issue::field(&letter.repeat(1 << 20), letter.repeat(255));
            assert_eq!(issue.path.chars().count(), 255, "{}", issue.path);
            assert!(issue.path.contains(written) && issue.path.ends_with("..."));
            assert_eq!(issue.message, letter.repeat(255));
            let cut = Issue::whole(letter.repeat(256)).message;
            assert_eq!(cut, letter.repeat(252) + "...");
        }
    }

    #[test]
    fn one_line_has_the_first_three_and_how_many_more() {
        let issues = |count| -> Issues { (0..count).map(|_| Issue::field("a", "b")).collect() };
        assert_eq!(issues(1).to_string(), "a b");
        assert_eq!(issues(3).to_string(), "a b; a b; a b");
        assert_eq!(issues(250).to_string(), "a b; a b; a b; and 247 more");
        assert_eq!((issues(250).first().len(), issues(250).count()), (100, 250));
    }
}
