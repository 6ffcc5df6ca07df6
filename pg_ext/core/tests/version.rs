//! Versions as a manifest asks for them.

use ext_registry_core::{Error, MAX_NEXT_PATCH, Requested, Series};
use proptest::prelude::*;

#[test]
fn semver_versions_are_kept_as_given() {
    for version in [
        "0.0.0",
        "1.2.3",
        "1.2.3-rc.1",
        "1.2.3--",
        "1.2.3-0a.x-y.0",
        "1.2.3+build.01",
        "1.2.3-rc+001",
        "18446744073709551615.18446744073709551615.18446744073709551615",
        "1.2.3-99999999999999999999999",
    ] {
        for given in [
            version.to_owned(),
            format!(" \t\r\n\u{a0}{version}\u{3000}\n"),
        ] {
            assert_eq!(
                Requested::parse(&given),
                Ok(Requested::Exact(version.to_owned()))
            );
        }
    }
}

#[test]
fn wildcards() {
    for (text, major, minor) in [
        ("1.2.*", 1, 2),
        ("0.0.*", 0, 0),
        ("18446744073709551615.7.*", u64::MAX, 7),
    ] {
        for given in [text.to_owned(), format!("\n {text}\t")] {
            let series = Series { major, minor };
            assert_eq!(Requested::parse(&given), Ok(Requested::Wildcard(series)));
        }
    }
}

#[test]
fn everything_else_is_refused() {
    for text in [
        "",
        " ",
        "1",
        "1.2",
        "1.2.",
        "1.2.3.4",
        "v1.2.3",
        "=1.2.3",
        "^1.2.3",
        "01.2.3",
        "1.02.3",
        "1.2.03",
        "1.2.3-",
        "1.2.3+",
        "1.2.3-01",
        "1.2.3-a..b",
        "1.2.3-ü",
        "1.2.-3",
        "-1.2.3",
        "+1.2.3",
        "1,2,3",
        "1.2 .3",
        "1.2.3 4",
        "1.2.18446744073709551616",
        "18446744073709551616.0.0",
        "１.2.3",
        "latest",
        // Wildcards that are none.
        "*",
        ".*",
        "1.*",
        "1.*.*",
        "*.2.3",
        "1.2.x",
        "1.2.X",
        "01.2.*",
        "1.02.*",
        "1.2.3.*",
        "1.2.*-rc",
        "1.2.*+b",
        "1.2-rc.*",
        "1.2.3-rc.*",
        "1.2.3+b.*",
        "1.2+b.*",
        "1.2.**",
        "1.2.* *",
        "1.2 .*",
        "1.2..*",
        "+1.2.*",
        "1.-2.*",
        "18446744073709551616.0.*",
        "0.18446744073709551616.*",
    ] {
        let found = Requested::parse(text);
        assert!(
            matches!(found, Err(Error::InvalidVersion { .. })),
            "{text:?} gives {found:?}"
        );
    }
}

#[test]
fn messages_say_what_is_expected_and_what_was_meant() {
    for (text, advice) in [
        ("2026.02.10", ": no leading zeros, 2026.2.10"),
        ("00.1.000-01.0a+00", ": no leading zeros, 0.1.0-1.0a+00"),
        ("01.02.*", ": no leading zeros, 1.2.*"),
        (
            "1.2.18446744073709551616",
            ": numbers end at 18446744073709551615",
        ),
        (
            "v18446744073709551616.*",
            ": numbers end at 18446744073709551615",
        ),
        ("1", ": three numbers, 1.0.0"),
        ("1.2", ": three numbers, 1.2.0"),
        ("1.2-rc.1+b", ": three numbers, 1.2.0-rc.1+b"),
        ("01.2", ": three numbers, no leading zeros, 1.2.0"),
        ("1.2.3.4", ": three numbers"),
        ("v1.2.3", ": nothing before the first number, 1.2.3"),
        ("=v 1.2.*", ": nothing before the first number, 1.2.*"),
        (
            "V1.2",
            ": nothing before the first number, three numbers, 1.2.0",
        ),
        ("1.2.3-", ": nothing empty after the numbers, 1.2.3"),
        (
            "1.2.3-a..b+",
            ": nothing empty after the numbers, 1.2.3-a.b",
        ),
        ("1.2.x", ": * for the next patch number, 1.2.*"),
        ("*", ": * stands for the third number only"),
        ("1.*", ": * stands for the third number only"),
        ("1.*.3", ": * stands for the third number only"),
        ("1.2.3.*", ": three numbers"),
        ("1.2.3-rc.*", ""),
        ("1.2.*-rc", ""),
        ("latest", ""),
        ("1.2.", ""),
        ("1.2.-3", ""),
        ("１.2.3", ""),
        ("1.2.3-ü", ""),
    ] {
        assert_eq!(
            Requested::parse(text).unwrap_err().to_string(),
            format!(
                "must be a SemVer 2.0.0 version such as 1.2.3, or 1.2.* for the next patch number, not \"{text}\"{advice}"
            )
        );
    }
    let endless = Requested::parse(&"1".repeat(1 << 20))
        .unwrap_err()
        .to_string();
    assert!(endless.ends_with("111\"..."), "{endless}");
}

#[test]
fn the_next_version_has_one_more_than_the_highest_patch_number() {
    let series = Series {
        major: 1,
        minor: 20,
    };
    assert_eq!(series.to_string(), "1.20");
    for (highest, next) in [
        (None, "1.20.0"),
        (Some(0), "1.20.1"),
        (Some(9), "1.20.10"),
        (Some(MAX_NEXT_PATCH - 1), "1.20.9007199254740991"),
    ] {
        assert_eq!(series.next_version(highest).as_deref(), Ok(next));
    }
    let error = Error::NoPatchLeft {
        major: 1,
        minor: 20,
    };
    for used_up in [MAX_NEXT_PATCH, MAX_NEXT_PATCH + 1, u64::MAX] {
        assert_eq!(series.next_version(Some(used_up)), Err(error.clone()));
    }
}

/// Strings that look like versions, right and wrong.
fn version_like() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9.*+a-z -]{0,12}",
        r"[0-9]{1,3}\.[0-9]{1,2}\.([0-9]{1,21}|\*)([-+][0-9A-Za-z.-]{0,8}){0,2}",
    ]
}

proptest! {
    #[test]
    fn exactly_what_the_semver_crate_takes_is_exact(text in version_like()) {
        let trimmed = text.trim();
        let exact = matches!(Requested::parse(&text), Ok(Requested::Exact(version)) if version == trimmed);
        prop_assert_eq!(exact, semver::Version::parse(trimmed).is_ok());
    }

    #[test]
    fn what_is_parsed_prints_as_it_was_given(text in version_like()) {
        if let Ok(requested) = Requested::parse(&text) {
            prop_assert_eq!(requested.to_string(), text.trim());
        }
    }

    /// What is meant, where it is said, would have been taken.
    #[test]
    fn what_was_meant_is_a_version(text in version_like()) {
        if let Err(Error::InvalidVersion { advice, .. }) = Requested::parse(&text)
            && let Some((_, meant)) = advice.rsplit_once(", ")
        {
            prop_assert!(Requested::parse(meant).is_ok(), "{advice}");
        }
    }

    #[test]
    fn every_series_parses(major: u64, minor: u64, highest in prop::option::of(0..MAX_NEXT_PATCH)) {
        let series = Series { major, minor };
        prop_assert_eq!(Requested::parse(&format!("{series}.*")), Ok(Requested::Wildcard(series)));
        let next = semver::Version::parse(&series.next_version(highest).unwrap()).unwrap();
        prop_assert_eq!((next.major, next.minor), (major, minor));
        prop_assert_eq!(next.patch, highest.map_or(0, |highest| highest + 1));
    }
}
