use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::Serialize;

use super::rules::Rule;
use super::{Counting, MAX_TEXT_CHARS};
use crate::Error;
use crate::quote::write_quoted;

/// Longest part of a path that the sentence repeats, in characters: names have no limit in a manifest.
const SHOWN_CHARS: usize = 120;

/// One thing that is wrong with a manifest; `path message` reads as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Issue {
    /// Where, such as `api.endpoints[0].method` or `precompiled["bin/x.so"]`; empty for the manifest as a whole.
    pub path: String,
    /// What, in words for a person, without control characters.
    pub message: Cow<'static, str>,
}

impl Issue {
    /// An issue with the version, for an error that shows only when it is to be published.
    pub fn version(error: &Error) -> Self {
        Self {
            path: "version".to_owned(),
            message: error.to_string().into(),
        }
    }
}

impl Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => write!(f, "{}... {}", &self.path[..end], self.message),
            None if self.path.is_empty() => write!(f, "the manifest {}", self.message),
            None => write!(f, "{} {}", self.path, self.message),
        }
    }
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

/// The issues found so far.
#[derive(Default)]
pub(super) struct Issues {
    found: Vec<Issue>,
    counting: Counting,
}

impl Issues {
    pub(super) fn counting(counting: Counting) -> Self {
        Self {
            found: Vec::new(),
            counting,
        }
    }

    pub(super) fn add(&mut self, at: Path<'_>, message: impl Into<Cow<'static, str>>) {
        self.found.push(Issue {
            path: at.to_string(),
            message: message.into(),
        });
    }

    /// Adds what the rules find wrong with `text`.
    pub(super) fn check(&mut self, at: Path<'_>, text: &str, rules: &[Rule]) {
        for rule in rules {
            rule(self, at, text);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What a `varchar(255)` column of the database holds.
    pub(super) fn check_length(&mut self, at: Path<'_>, text: &str) {
        // A text has no more characters than bytes.
        if text.len() <= MAX_TEXT_CHARS {
            return;
        }
        match self.counting {
            Counting::Bytes => self.add(
                at,
                format!("must not be longer than {MAX_TEXT_CHARS} bytes in this database, which counts bytes"),
            ),
            Counting::Characters if text.chars().nth(MAX_TEXT_CHARS).is_some() => self.add(
                at,
                format!("must not be longer than {MAX_TEXT_CHARS} characters"),
            ),
            Counting::Characters => {}
        }
    }

    pub(super) fn append(&mut self, mut others: Self) {
        self.found.append(&mut others.found);
    }

    pub(super) fn into_result<T>(self, value: Option<T>) -> Result<T, Vec<Issue>> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(self.found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Issue, Path};

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
        let issue = Issue {
            path: "name".to_owned(),
            message: "is required".into(),
        };
        let json = r#"{"path":"name","message":"is required"}"#;
        assert_eq!(serde_json::to_string(&issue).unwrap(), json);
        assert_eq!(issue.to_string(), "name is required");
    }
}
