mod advice;

use std::fmt;

use crate::Error;

/// The highest patch number that a wildcard gives: the last one that JSON numbers and doubles hold exactly, 2^53 - 1.
///
/// Higher ones can be published as they are. They do not count for a series, so that one published by mistake does not
/// end it.
pub const MAX_NEXT_PATCH: u64 = (1 << 53) - 1;

/// The version that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// A SemVer 2.0.0 version, as given apart from the white space around it. Two versions are the same version
    /// only when they are the same string: build metadata makes a difference.
    Exact(String),
    /// `MAJOR.MINOR.*`: the next patch number of that series.
    Wildcard(Series),
}

/// All versions that begin with `MAJOR.MINOR.`; displays as `MAJOR.MINOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// First number of the versions.
    pub major: u64,
    /// Second number of the versions.
    pub minor: u64,
}

impl Requested {
    /// Takes a version, or `MAJOR.MINOR.*`; white space around it does not matter. Numbers have up to 64 bits.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        Self::read(text).ok_or_else(|| Error::InvalidVersion {
            given: text.to_owned(),
            advice: advice::on(text).map_or_else(String::new, |advice| format!(": {advice}")),
        })
    }

    fn read(text: &str) -> Option<Self> {
        match text.strip_suffix(".*") {
            Some(series) => parse_series(series).map(Self::Wildcard),
            None => semver::Version::parse(text)
                .is_ok()
                .then(|| Self::Exact(text.to_owned())),
        }
    }
}

/// The SemVer grammar decides what a number is: the series is read as its own version 0.
fn parse_series(series: &str) -> Option<Series> {
    let first = semver::Version::parse(&format!("{series}.0")).ok()?;
    (first.pre.is_empty() && first.build.is_empty()).then_some(Series {
        major: first.major,
        minor: first.minor,
    })
}

impl Series {
    /// The version to publish next, where `highest` is the highest patch number up to [`MAX_NEXT_PATCH`] that a release
    /// of the series has.
    ///
    /// Fails with [`Error::NoPatchLeft`] when that is [`MAX_NEXT_PATCH`] itself.
    pub fn next_version(self, highest: Option<u64>) -> Result<String, Error> {
        let patch = match highest {
            None => 0,
            Some(highest) if highest < MAX_NEXT_PATCH => highest + 1,
            Some(_) => {
                return Err(Error::NoPatchLeft {
                    major: self.major,
                    minor: self.minor,
                });
            }
        };
        Ok(format!("{self}.{patch}"))
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Requested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => f.write_str(version),
            Self::Wildcard(series) => write!(f, "{series}.*"),
        }
    }
}
