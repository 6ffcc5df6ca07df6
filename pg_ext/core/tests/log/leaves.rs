//! Canonical JSON, against the vectors of RFC 8785 and of its authors, as far as they have strings only.

use ext_registry_core::log::{Value, leaf_data};
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
        let read: std::collections::BTreeMap<String, Option<String>> =
            serde_json::from_slice(&leaf_data(&given)).unwrap();
        prop_assert_eq!(read, fields);
    }

    /// Where JSON in general and RFC 8785 agree, so do serde_json and we: it escapes as little too.
    #[test]
    fn a_string_is_what_serde_json_makes_of_it(text in any::<String>()) {
        let expected = format!("{{\"a\":{}}}", serde_json::to_string(&text).unwrap());
        prop_assert_eq!(canonical(&[("a", Value::Text(&text))]), expected);
    }
}
