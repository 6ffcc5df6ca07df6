//! Content hashes: how they are written, and what they are.

use ext_registry_core::{ContentHash, Error, Hasher};
use proptest::prelude::*;

const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn every_way_to_write_a_hash_is_stored_the_same() {
    let digits = &ABC[7..];
    for given in [
        ABC.to_owned(),
        ABC.to_uppercase(),
        digits.to_owned(),
        digits.to_uppercase(),
        format!("sha256:{}", digits.to_uppercase()),
        format!("Sha256:{digits}"),
    ] {
        let hash: ContentHash = given.parse().unwrap();
        assert_eq!(hash.as_str(), ABC);
        assert_eq!(hash.to_string(), ABC);
    }
}

#[test]
fn anything_else_is_refused_and_shown() {
    let digits = &ABC[7..];
    for given in [
        String::new(),
        "sha256:".to_owned(),
        digits[1..].to_owned(),
        format!("{digits}0"),
        format!("sha256:{}", &digits[1..]),
        format!("{ABC}0"),
        format!(" {ABC}"),
        format!("{ABC}\n"),
        format!("sha256: {digits}"),
        format!("sha256:sha256:{digits}"),
        format!("sha256-{digits}"),
        format!("sha-256:{digits}"),
        format!("sha512:{digits}"),
        format!(":{digits}"),
        format!("0x{}", &digits[2..]),
        format!("\\x{}", &digits[2..]),
        digits.replace('b', "g"),
        format!("{}é", &digits[2..]),
        format!("é{}", &digits[2..]),
        "é".repeat(32),
        "sha256é".repeat(8),
        "０".repeat(64),
    ] {
        let error = given.parse::<ContentHash>().unwrap_err();
        assert!(matches!(error, Error::InvalidContentHash { .. }));
        assert!(
            error
                .to_string()
                .starts_with("64 hex digits are expected, with or without sha256: before them")
        );
    }
}

#[test]
fn what_is_another_form_of_a_hash_is_told_the_right_one() {
    let digits = &ABC[7..];
    let base64 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";
    let pass = format!("; pass {ABC}");
    let alone = format!("{pass} alone");
    for (given, advice) in [
        (format!(" {digits}"), &*alone),
        (format!("{ABC}\n"), &alone),
        (format!("{digits}  bundle.tgz\n"), &alone),
        (format!("{digits} *C:\\bundle.tgz"), &alone),
        (format!("\\{digits}  a\\nb"), &alone),
        (format!("SHA256 (bundle.tgz) = {digits}"), &alone),
        (format!("sha256: {digits}"), &alone),
        (format!("sha256-{digits}"), &pass),
        (format!("SHA-256:{digits}"), &pass),
        (format!("sha256={digits}"), &pass),
        (format!("sha256-{base64}="), &pass),
        (format!("{base64}="), &pass),
        (base64.to_owned(), &pass),
        (base64.replace('+', "-").replace('/', "_"), &pass),
        (format!("sha256:{base64}"), &pass),
        (digits.repeat(2), "; this is SHA-512, not SHA-256"),
        (
            format!("sha512:{}", digits.repeat(2)),
            "; this is SHA-512, not SHA-256",
        ),
        (
            format!("sha512-{}==", "A".repeat(86)),
            "; this is SHA-512, not SHA-256",
        ),
        (format!("sha512:{digits}"), "; this is SHA-512, not SHA-256"),
        (
            format!("sha384-{}", "A".repeat(64)),
            "; this is SHA-384, not SHA-256",
        ),
        (digits[..40].to_owned(), "; this is SHA-1, not SHA-256"),
        ("md5:\u{1b}".to_owned(), "; this is MD5, not SHA-256"),
        (digits[1..].to_owned(), ""),
        (format!("{digits}0"), ""),
        (digits.replace('b', "g"), ""),
        (format!("sha256:{}", &digits[1..]), ""),
        (format!("sha256:sha256:{digits}"), &pass),
        (format!("0x{}", &digits[2..]), ""),
        (String::new(), ""),
        (" ".repeat(1 << 20) + digits, ""),
    ] {
        assert_eq!(
            given.parse::<ContentHash>().unwrap_err().to_string(),
            format!("64 hex digits are expected, with or without sha256: before them{advice}"),
            "{given}"
        );
    }
}

#[test]
fn test_vectors() {
    // FIPS 180-2, appendix B, and the empty message.
    let million = "a".repeat(1_000_000);
    for (message, digits) in [
        (
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        ("abc", &ABC[7..]),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            &million,
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ] {
        assert_eq!(
            ContentHash::of(message.as_bytes()).as_str(),
            format!("sha256:{digits}")
        );
    }
}

proptest! {
    #[test]
    fn pieces_hash_as_the_whole(bytes: Vec<u8>, piece in 1..50_usize) {
        let mut hasher = Hasher::new();
        bytes.chunks(piece).for_each(|bytes| hasher.update(bytes));
        prop_assert_eq!(hasher.finish(), ContentHash::of(&bytes));
    }

    #[test]
    fn a_hash_parses_as_itself(bytes: Vec<u8>) {
        let hash = ContentHash::of(&bytes);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
    }

    #[test]
    fn any_text_parses_or_is_refused(text in "(?i)(sha256:)?\\PC{0,70}") {
        let digits = text.to_lowercase().strip_prefix("sha256:").unwrap_or(&text.to_lowercase()).to_owned();
        let is_hash = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        prop_assert_eq!(text.parse::<ContentHash>().is_ok(), is_hash);
    }
}
