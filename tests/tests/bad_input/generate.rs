//! JSON text of every kind, made as text: half of it is what no JSON library would write.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FIELDS: &[&str] = &[
    "publisher",
    "name",
    "version",
    "runtime",
    "capabilities",
    "ui",
    "api",
    "assets",
    "precompiled",
];

/// Names that mean something somewhere in a manifest, or to a parser of JSON.
const KEYS: &[&str] = &[
    "publisher",
    "version",
    "type",
    "entry",
    "hooks",
    "endpoints",
    "method",
    "path",
    "handler",
    "",
    "..",
    "__proto__",
    "$serde_json::private::Number",
    "$serde_json::private::RawValue",
];

/// Text as JSON, escaped in one way or another.
fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        2 => "[a-z/.%\\\\2e]{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
        2 => select(vec![
            r#""..""#, r#""a/../b""#, r#""\u002e\u002e/x""#, r#""\u0000""#, r#""a\u0000b""#, r#""\ud800""#,
            r#""\udc00\ud800""#, r#""\ud83d\ude00""#, r#""\u202e\u200f""#, "\"\u{1}\"", "\"\n\"", r#""\x""#, "\"",
            r#""\ufffe\uffff""#, r#""é\u0301""#, r#""1.2.*""#, r#""\u0085\u009f\u007f""#, r#""   ""#,
        ]).prop_map(str::to_owned),
        1 => (select(vec!["x", "é", "😀", "\\u0007", "\\\"", "a/"]), 200_usize..400)
            .prop_map(|(part, times)| format!("\"{}\"", part.repeat(times))),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        select(vec![
            "1e400", "-1e-400", "-0", "0e0", "1E+5", "01", "+1", "1.", "1e131071", "1e131072",
            "1e-20000", "NaN"
        ])
        .prop_map(str::to_owned),
        (1_usize..3000).prop_map(|digits| "9".repeat(digits)),
    ]
}

/// Any JSON, and what is almost JSON.
pub fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(vec!["null", "true", "false", "{}", "[]", "nul", ""]).prop_map(str::to_owned),
        number(),
        string(),
    ];
    let key = prop_oneof![
        2 => select(KEYS.to_vec()).prop_map(|key| serde_json::Value::from(key).to_string()),
        1 => string(),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            // The same name may come twice.
            vec((key.clone(), inner.clone()), 0..6).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }),
            (
                select(vec![("[", "]"), ("{\"a\":", "}"), ("[{\"x\":", "}]")]),
                inner,
                1_usize..80
            )
                .prop_map(|((open, close), inner, levels)| format!(
                    "{}{inner}{}",
                    open.repeat(levels),
                    close.repeat(levels)
                )),
        ]
    })
}

/// The text of a valid value of a field.
fn valid(field: &str) -> BoxedStrategy<String> {
    let name = || "[a-zA-Zé \"'$\\\\;😀\u{5d0}-]{0,6}[a-z]";
    let quoted = |text: String| serde_json::Value::from(text).to_string();
    let path = || "/?[a-z.é]{1,8}".prop_map(|path| path.replace("..", "."));
    match field {
        "publisher" | "name" => name().prop_map(quoted).boxed(),
        "version" => prop_oneof![
            (0..3_u8, 0..3_u8, any::<u64>()).prop_map(|(a, b, c)| format!("{a}.{b}.{c}")),
            (0..3_u8, 0..3_u8).prop_map(|(a, b)| format!(" {a}.{b}.*\t")),
            "1[.][0-9][.][0-9]-[a-z]{1,5}[+][a-z0-9]{1,5}",
        ]
        .prop_map(quoted)
        .boxed(),
        "runtime" => "[a-zé]{0,5}[@-][a-z0-9]{0,3}".prop_map(quoted).boxed(),
        "capabilities" | "assets" => vec(path(), 0..4)
            .prop_map(|items| serde_json::Value::from(items).to_string())
            .boxed(),
        "ui" => path()
            .prop_map(|entry| {
                serde_json::json!({"type": "iframe", "entry": entry, "hooks": {"on": entry, "n": [1]}}).to_string()
            })
            .boxed(),
        "api" => (select(vec!["get", "POST", "Head"]), path(), vec(number(), 0..2))
            .prop_map(move |(method, path, numbers)| {
                // Numbers as text: whatever they are, they are stored as they came.
                let numbers: Vec<_> = numbers.into_iter().filter(|n| is_number(n)).collect();
                format!(
                    r#"{{"endpoints":[{{"method":"{method}","path":{},"handler":"h","n":[{}]}}],"more":"é"}}"#,
                    quoted(format!("/{path}")),
                    numbers.join(",")
                )
            })
            .boxed(),
        _ => (path(), path())
            .prop_map(|(name, file)| serde_json::json!({ name: file }).to_string())
            .boxed(),
    }
}

fn is_number(text: &str) -> bool {
    text != "1e131072"
        && text != "NaN"
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

/// A manifest: of every four three are valid, the others have anything at all in some fields.
pub fn manifest() -> impl Strategy<Value = String> {
    let field = |field: &'static str| {
        let given = prop_oneof![30 => valid(field), 1 => json()];
        (any::<u8>(), given).prop_map(move |(dice, value)| {
            let required = FIELDS[..4].contains(&field);
            let kept = if required { dice > 1 } else { dice > 100 };
            kept.then(|| format!("\"{field}\": {value}"))
        })
    };
    let fields: Vec<_> = FIELDS.iter().map(|name| field(name).boxed()).collect();
    let extra = prop_oneof![
        30 => Just(None),
        1 => (string(), json()).prop_map(|(name, value)| Some(format!("{name}: {value}"))),
        // A field given twice: the last one counts.
        1 => (select(FIELDS.to_vec()), json()).prop_map(|(name, value)| Some(format!("\"{name}\": {value}"))),
    ];
    (fields, extra).prop_map(|(fields, extra)| {
        let members: Vec<_> = extra
            .into_iter()
            .chain(fields.into_iter().flatten())
            .collect();
        format!("{{{}}}", members.join(", "))
    })
}

/// A manifest with some of its bytes changed, left out or doubled.
pub fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<u8>(), 0..4_u8, 1_usize..20);
    (manifest(), vec(change, 1..4)).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (at, byte, what, length) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            let end = (at + length).min(bytes.len());
            match what {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
                _ => bytes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|old| *old = byte),
            }
        }
        bytes
    })
}

/// Brackets up to the deepest that can be sent, with or without a manifest around them.
pub fn deep() -> impl Strategy<Value = String> {
    let levels = prop_oneof![
        60_usize..70,
        100_usize..200,
        1000_usize..2000,
        5000_usize..20_000,
        90_000_usize..100_000
    ];
    (levels, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(levels, objects, around, closed)| {
        let (open, close) = if objects { ("{\"a\":", "}") } else { ("[", "]") };
        let close = if closed { close.repeat(levels) } else { String::new() };
        let inner = format!("{}1{close}", open.repeat(levels));
        if around {
            format!(r#"{{"publisher":"p","name":"n","version":"1.0.*","runtime":"a@b","ui":{inner}}}"#)
        } else {
            inner
        }
    })
}

/// Any text for an argument, by preference one that is nearly a hash.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| text.replace('\0', "0")),
        "(sha256:|SHA256:|sha512:| )?[0-9a-fA-Fé]{62,66}",
        "[\\PC\u{202e}'\"\\\\$%]{0,40}",
        (select(vec!["é", "x", "😀", "\n"]), 150_usize..300)
            .prop_map(|(part, times)| part.repeat(times)),
    ]
}
