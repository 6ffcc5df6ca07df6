use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::Serialize;

use super::rules::Rule;
use crate::Error;
use crate::quote::write_quoted;

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
        let path = if self.path.is_empty() {
            "the manifest"
        } else {
            &self.path
        };
        write!(f, "{path} {}", self.message)
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
pub(super) struct Issues(Vec<Issue>);

impl Issues {
    pub(super) fn add(&mut self, at: Path<'_>, message: impl Into<Cow<'static, str>>) {
        self.0.push(Issue {
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
        self.0.is_empty()
    }

    pub(super) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    pub(super) fn into_result<T>(self, value: Option<T>) -> Result<T, Vec<Issue>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
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
