//! Canonical JSON, against the vectors of RFC 8785 and of its authors, as far as they have strings only.

use ext_registry_core::log::{Hash, Value, leaf_data, unix_microseconds};
use proptest::prelude::*;

fn canonical(fields: &[(&str, Value<'_>)]) -> String {
    String::from_utf8(leaf_data(fields)).unwrap()
}

#[test]
fn names_are_sorted_by_their_utf_16_code_units() {
    let fields = [
        ("\u{20ac}", "Euro Sign"),
        ("\r", "Carriage Return"),
        ("\u{fb33}", "Hebrew Letter Dalet With Dagesh"),
        ("1", "One"),
        ("\u{1f600}", "Emoji: Grinning Face"),
        ("\u{80}", "Control"),
        ("\u{f6}", "Latin Small Letter O With Diaeresis"),
    ]
    .map(|(name, value)| (name, Value::Text(value)));
    assert_eq!(
        canonical(&fields),
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
         \"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\",\
         \"\u{1f600}\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
    );
    let french = [
        ("peach", "This sorting order"),
        ("p\u{e9}ch\u{e9}", "is wrong according to French"),
        ("p\u{ea}che", "but canonicalization MUST"),
        ("sin", "ignore locale"),
    ];
    let reversed: Vec<_> = french
        .iter()
        .rev()
        .map(|(n, v)| (*n, Value::Text(v)))
        .collect();
    assert_eq!(
        canonical(&reversed),
        "{\"peach\":\"This sorting order\",\"p\u{e9}ch\u{e9}\":\"is wrong according to French\",\
         \"p\u{ea}che\":\"but canonicalization MUST\",\"sin\":\"ignore locale\"}"
    );
}

#[test]
fn strings_are_escaped_as_little_as_json_allows() {
    let fields = [
        ("string", Value::Text("\u{20ac}$\u{f}\nA'B\"\\\\\"/")),
        ("Unnormalized Unicode", Value::Text("A\u{30a}")),
        (
            "",
            Value::Text("\u{0}\u{8}\t\u{c}\r\u{1f}\u{7f}\u{80}\u{2028}</script>"),
        ),
        ("none", Value::Null),
    ];
    assert_eq!(
        canonical(&fields),
        "{\"\":\"\\u0000\\b\\t\\f\\r\\u001f\u{7f}\u{80}\u{2028}</script>\",\
         \"Unnormalized Unicode\":\"A\u{30a}\",\"none\":null,\
         \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
    );
    assert_eq!(canonical(&[]), "{}");
}

#[test]
fn bytes_that_are_no_text_cannot_pass_for_text() {
    assert_eq!(
        canonical(&[("name", Value::Bytes(&[0x00, 0x81, 0xff]))]),
        r#"{"name":{"hex":"0081ff"}}"#
    );
    assert_ne!(
        canonical(&[("name", Value::Bytes(b"ab"))]),
        canonical(&[("name", Value::Text(r#"{"hex":"6162"}"#))])
    );
}

/// A version and its bundle, hashed by Python's json and hashlib, and the version by PostgreSQL's to_json and sha256.
#[test]
fn the_documented_leaves_have_their_hashes() {
    let name = ("name", Value::Text("wid\u{e9}get \u{1f600}"));
    let publisher = ("publisher", Value::Text("acme"));
    let version_id = Value::Text("0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e4f");
    let version = leaf_data(&[
        ("id", version_id),
        (
            "registry_id",
            Value::Text("0190a5c4-7d2e-7000-8000-000000000001"),
        ),
        publisher,
        name,
        ("version", Value::Text("1.0.0")),
        ("runtime", Value::Text("node@20")),
        ("main_entry", Value::Text("index.html")),
        ("api", Value::Text(r#"{"endpoints": []}"#)),
        ("api_endpoints", Value::Text("[]")),
        (
            "ui",
            Value::Text(r#"{"type": "iframe", "entry": "index.html"}"#),
        ),
        ("capabilities", Value::Text(r#"["net"]"#)),
        ("assets", Value::Null),
        (
            "created_at",
            Value::Text(&unix_microseconds(835_444_800_123_456)),
        ),
    ]);
    let bundle = leaf_data(&[
        ("id", Value::Text("0190a5c4-7d2e-7c3b-9a41-5f0c2b1d3e50")),
        ("version_id", version_id),
        publisher,
        name,
        (
            "content_hash",
            Value::Text("sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"),
        ),
        (
            "signature",
            Value::Text("line\nbreak\t\"quoted\" \\ \u{1f}"),
        ),
        ("precompiled", Value::Null),
        ("storage_url", Value::Null),
        ("size_bytes", Value::Text("9223372036854775807")),
        ("created_at", Value::Null),
    ]);
    assert_eq!((version.len(), bundle.len()), (383, 367));
    let leaves = [Hash::leaf(&version), Hash::leaf(&bundle)];
    assert_eq!(
        [leaves[0], leaves[1], Hash::root(&leaves)].map(|hash| hash.to_string()),
        [
            "97ef4bfb2027a00d1f6cbf7783ac834c7b61b3dbbbcb6fbc7dc275a46c66a6df",
            "a9d5e447c2b118a9daa51527438e7701f8e1bd530b3fe7b5154135c5f1938903",
            "27f978d52cba5ff6b5c6d9d679e795dfeef9a46c0f4f48d68f46d2c16a24e9be",
        ]
    );
}

/// What PostgreSQL 15 prints for the ends of its range and times around its and Unix' zero.
#[test]
fn times_are_exact_over_the_whole_range() {
    for (since_2000, expected) in [
        (9_223_371_331_199_999_999, "9224318015999999999"),
        (-211_813_488_000_000_000, "-210866803200000000"),
        (-946_684_800_000_001, "-1"),
        (-1, "946684799999999"),
        (1, "946684800000001"),
        (i64::MAX, "infinity"),
        (i64::MIN, "-infinity"),
    ] {
        assert_eq!(unix_microseconds(since_2000), expected);
    }
}

proptest! {
    /// Another reader of JSON sees every value as it was; so two rows that differ have different data.
    #[test]
    fn every_value_is_read_back(
        fields in prop::collection::btree_map(any::<String>(), any::<Option<String>>(), 0..8)
    ) {
        let given: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref().map_or(Value::Null, Value::Text)))
            .collect();
        let data = leaf_data(&given);
        let read: std::collections::BTreeMap<String, Option<String>> =
            serde_json::from_slice(&data).unwrap();
        prop_assert_eq!(Hash::leaf_of(&given), Hash::leaf(&data));
        prop_assert_eq!(read, fields);
    }

    /// Where JSON in general and RFC 8785 agree, so do serde_json and we: it escapes as little too.
    #[test]
    fn a_string_is_what_serde_json_makes_of_it(text in any::<String>()) {
        let expected = format!("{{\"a\":{}}}", serde_json::to_string(&text).unwrap());
        prop_assert_eq!(canonical(&[("a", Value::Text(&text))]), expected);
    }
}
