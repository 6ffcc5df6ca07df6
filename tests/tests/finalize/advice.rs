//! Messages that say what was meant.

use ext_registry_tests::{Refusal, Server, finalize, hash, manifest, row_counts};

#[test]
fn what_is_no_version_is_told_the_one_that_was_meant() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    for (version, told) in [
        ("2026.02.10", ": no leading zeros, 2026.2.10"),
        (
            "1.2.18446744073709551616",
            ": numbers end at 18446744073709551615",
        ),
        (
            "99999999999999999999.1.*",
            ": numbers end at 18446744073709551615",
        ),
        ("v1.2.3", ": nothing before the first number, 1.2.3"),
        ("1.2", ": three numbers, 1.2.0"),
        (" 1.2.3- ", ": nothing empty after the numbers, 1.2.3"),
        ("1.2.x", ": * for the next patch number, 1.2.*"),
        ("1.*", ": * stands for the third number only"),
    ] {
        let refused = finalize(&mut client, &manifest(version), &hash(0))
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_MANIFEST");
        let given = version.trim();
        let message = format!(
            "must be a SemVer 2.0.0 version such as 1.2.3, or 1.2.* for the next patch number, not \"{given}\"{told}"
        );
        assert_eq!(refused.detail["issues"][0]["message"], message);
        assert_eq!(
            refused.message,
            format!("invalid manifest: version {message}")
        );
        // Whoever does as told is published.
        if let Some((_, meant)) = told.rsplit_once(", ") {
            finalize(&mut client, &manifest(meant), &hash(0))
                .or_else(|error| match error.code().map(|code| code.code()) {
                    Some("23505") => finalize(&mut client, &manifest("9.9.*"), &hash(0)),
                    _ => Err(error),
                })
                .unwrap();
        }
    }
}

#[test]
fn a_hash_in_another_form_is_told_the_right_one() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let digits = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let base64 = "LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564=";
    let pass = format!("; pass sha256:{digits}");
    let alone = format!("{pass} alone");
    for (given, told) in [
        (format!("{digits}  bundle.js"), &*alone),
        (format!("{digits}  bundle.js\n"), &alone),
        (format!("SHA256 (bundle.js) = {digits}"), &alone),
        (format!(" {digits}"), &alone),
        (base64.to_owned(), &pass),
        (format!("sha256-{base64}"), &pass),
        (digits.repeat(2), "; this is SHA-512, not SHA-256"),
        (
            format!("sha512:{}", digits.repeat(2)),
            "; this is SHA-512, not SHA-256",
        ),
        (digits[1..].to_owned(), ""),
    ] {
        let expected = format!(
            "invalid content hash: 64 hex digits are expected, with or without sha256: before them{told}"
        );
        let refused = finalize(&mut client, &manifest("1.0.0"), &given)
            .refused()
            .with_sqlstate("22023")
            .with_code("INVALID_CONTENT_HASH")
            .with_detail("given", &*given);
        assert_eq!(refused.message, expected);
        let refused = client
            .execute(
                "SELECT FROM ext_finalize_bundle($1::text::jsonb, 'foo', $2)",
                &[&manifest("1.0.0").to_string(), &given],
            )
            .refused();
        assert_eq!(refused.message, expected);
    }
    assert_eq!(row_counts(&mut client), (0, 0, 0));
}
