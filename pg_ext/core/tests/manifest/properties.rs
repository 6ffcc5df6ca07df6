//! Manifests by the thousand: valid ones pass, one mistake gives one issue at its place, and nothing panics.

use ext_registry_core::{MAX_NESTING, Manifest};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];

/// A publisher, name or runtime, with or without white space around it.
fn name() -> impl Strategy<Value = String> {
    "[A-Za-zäß0-9_ /\"\\\\\u{a0}😀]{0,12}[a-z]\n?"
}

/// Short enough for every column, and never a path that climbs.
fn text() -> impl Strategy<Value = String> {
    "[A-Za-zäß0-9_ /\"\\\\\u{200b}😀]{0,12}[a-z]"
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(field_name(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A name with a meaning, or any other.
fn field_name() -> impl Strategy<Value = String> {
    let known = select(vec![
        "publisher",
        "name",
        "version",
        "runtime",
        "capabilities",
        "ui",
        "api",
        "assets",
        "precompiled",
        "type",
        "entry",
        "hooks",
        "endpoints",
        "method",
        "path",
        "handler",
        "$serde_json::private::Number",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn method() -> impl Strategy<Value = String> {
    (select(&METHODS[..]), any::<u8>()).prop_map(|(method, lower)| {
        let letter = |(i, c): (usize, char)| {
            if lower >> i & 1 == 1 {
                c.to_ascii_lowercase()
            } else {
                c
            }
        };
        method.chars().enumerate().map(letter).collect()
    })
}

fn endpoint() -> impl Strategy<Value = Value> {
    (method(), text(), text(), option::of(any_json())).prop_map(|(method, path, handler, extra)| {
        let mut endpoint =
            json!({"method": method, "path": format!("/{path}"), "handler": handler});
        if let Some(extra) = extra {
            endpoint["extra"] = extra;
        }
        endpoint
    })
}

fn required() -> impl Strategy<Value = Value> {
    (
        name(),
        name(),
        r" {0,2}(0|[1-9][0-9]{0,18})\.(0|[1-9][0-9]?)\.(\*|[1-9][0-9]?(-rc\.[1-9])?(\+[0-9a-z]{1,4})?)\n?",
        (name(), select(vec!["@", "-"])),
    )
        .prop_map(|(publisher, name, version, (runtime, mark))| {
            json!({"publisher": publisher, "name": name, "version": version, "runtime": runtime.trim_end().to_owned() + mark})
        })
}

/// A valid manifest with all its parts.
fn full_manifest() -> impl Strategy<Value = Value> {
    let ui = (text(), btree_map(text(), text(), 1..3), any_json())
        .prop_map(|(entry, hooks, extra)| json!({"type": "iframe", "entry": entry, "hooks": hooks, "extra": extra}));
    let api = (vec(endpoint(), 1..4), any_json())
        .prop_map(|(endpoints, extra)| json!({"endpoints": endpoints, "extra": extra}));
    (
        required(),
        vec(text(), 1..3),
        ui,
        api,
        vec(text(), 1..3),
        btree_map(text(), text(), 1..3),
    )
        .prop_map(
            |(mut manifest, capabilities, ui, api, assets, precompiled)| {
                manifest["capabilities"] = capabilities.into();
                manifest["ui"] = ui;
                manifest["api"] = api;
                manifest["assets"] = assets.into();
                manifest["precompiled"] = precompiled.into_iter().collect();
                manifest
            },
        )
}

/// A valid manifest with some of the optional parts, absent or null.
fn manifest() -> impl Strategy<Value = Value> {
    let optional = vec!["capabilities", "ui", "api", "assets", "precompiled"];
    (full_manifest(), subsequence(optional, 0..=5), any::<bool>()).prop_map(
        |(mut manifest, without, null)| {
            for field in without {
                if null {
                    manifest[field] = Value::Null;
                } else {
                    manifest.as_object_mut().unwrap().remove(field);
                }
            }
            manifest
        },
    )
}

fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn issue_paths(text: &str) -> Vec<String> {
    let issues = Manifest::parse(text.as_bytes()).err().unwrap_or_default();
    issues
        .first()
        .iter()
        .map(|issue| issue.path.clone())
        .collect()
}

/// The mistakes that can be made at a place: a JSON pointer, a wrong value (None: left out), the path of the issue.
fn mistakes(manifest: &Value) -> Vec<(String, Option<Value>, String)> {
    let mut all = Vec::new();
    let mut add = |pointer: &str, path: &str, wrong: &[Value]| {
        all.extend(
            wrong
                .iter()
                .map(|value| (pointer.to_owned(), Some(value.clone()), path.to_owned())),
        );
    };
    let no_string = [json!(1), json!(false), json!([]), json!({}), json!(["a"])];
    let no_list = [json!(1), json!("a"), json!({})];
    let no_object = [json!(1), json!("a"), json!([])];
    for field in ["publisher", "name", "version", "runtime"] {
        let pointer = format!("/{field}");
        add(&pointer, field, &no_string);
        add(&pointer, field, &[json!(""), json!(null)]);
    }
    for field in ["publisher", "name", "runtime"] {
        let texts = [
            json!("a-\u{7}b"),
            json!("a-\u{2060}"),
            json!("a-".repeat(128)),
        ];
        add(&format!("/{field}"), field, &texts);
    }
    add(
        "/version",
        "version",
        &[json!("1.2"), json!("1.*"), json!("1.0.0-\u{7}")],
    );
    add("/runtime", "runtime", &[json!("plain")]);
    add("/capabilities", "capabilities", &no_list);
    add("/capabilities/0", "capabilities[0]", &no_string);
    add("/assets", "assets", &no_list);
    add("/assets/0", "assets[0]", &no_string);
    add("/ui", "ui", &no_object);
    // The fields of an object in the order in which the rules name them.
    add("/ui", "ui", &[json!(["iframe", "entry", null])]);
    add("/api", "api", &[json!([[]])]);
    add("/ui/type", "ui.type", &no_string);
    add("/ui/type", "ui.type", &[json!("frame"), json!(null)]);
    add("/ui/entry", "ui.entry", &no_string);
    add(
        "/ui/entry",
        "ui.entry",
        &[json!(""), json!(null), json!("e".repeat(256))],
    );
    add("/ui/hooks", "ui.hooks", &no_object);
    add("/api", "api", &no_object);
    add("/api/endpoints", "api.endpoints", &no_list);
    add("/precompiled", "precompiled", &no_object);
    for climbing in [json!(".."), json!("a/../b"), json!("\\..\\")] {
        add("/ui/entry", "ui.entry", std::slice::from_ref(&climbing));
        add("/assets/0", "assets[0]", &[climbing]);
    }
    for index in 0..manifest["api"]["endpoints"].as_array().unwrap().len() {
        let at = |field: &str| {
            (
                format!("/api/endpoints/{index}{field}"),
                format!("api.endpoints[{index}]{}", field.replace('/', ".")),
            )
        };
        let (pointer, path) = at("");
        add(&pointer, &path, &no_object);
        add(&pointer, &path, &[json!(["GET", "/", "h"])]);
        for (field, wrong) in [
            ("/method", "TRACE"),
            ("/path", "no-slash"),
            ("/handler", "../x"),
        ] {
            let (pointer, path) = at(field);
            add(&pointer, &path, &no_string);
            add(&pointer, &path, &[json!(null), json!(wrong)]);
        }
        let (pointer, path) = at("/path");
        add(&pointer, &path, &[json!("/a/%2E./b")]);
    }
    for field in [
        "publisher",
        "name",
        "version",
        "runtime",
        "ui/type",
        "ui/entry",
    ] {
        all.push((format!("/{field}"), None, field.replace('/', ".")));
    }
    all
}

fn make(manifest: &Value, (pointer, wrong, _): &(String, Option<Value>, String)) -> Value {
    let mut manifest = manifest.clone();
    match wrong {
        Some(wrong) => *manifest.pointer_mut(pointer).unwrap() = wrong.clone(),
        None => {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            let parent = manifest.pointer_mut(parent).unwrap();
            parent.as_object_mut().unwrap().remove(field);
        }
    }
    manifest
}

/// The manifest as text, its fields in the given order.
fn in_order(manifest: &Map<String, Value>, order: &[usize]) -> String {
    let fields: Vec<_> = manifest.iter().collect();
    let members: Vec<_> = order
        .iter()
        .map(|i| format!("{}:{}", json!(fields[*i].0), fields[*i].1))
        .collect();
    format!("{{{}}}", members.join(","))
}

proptest! {
    // Each case is a hundred of them.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_mistake_gives_an_issue_at_its_place_and_nowhere_else(manifest in full_manifest()) {
        for mistake in mistakes(&manifest) {
            let mut paths = issue_paths(&make(&manifest, &mistake).to_string());
            paths.dedup();
            prop_assert_eq!(paths, vec![mistake.2.clone()], "{:?}", mistake);
        }
    }
}

proptest! {
    #[test]
    fn valid_manifests_pass(manifest in manifest()) {
        let text = manifest.to_string();
        let parsed = Manifest::parse(text.as_bytes());
        prop_assert!(parsed.is_ok(), "{:?}\n{}", parsed, text);
        let parsed = parsed.unwrap();
        prop_assert_eq!(manifest["publisher"].as_str().unwrap().trim(), &*parsed.publisher);
        prop_assert_eq!(manifest["name"].as_str().unwrap().trim(), &*parsed.name);
        prop_assert_eq!(manifest["version"].as_str().unwrap().trim(), parsed.version.to_string());
        prop_assert_eq!(manifest["runtime"].as_str().unwrap().trim(), &*parsed.runtime);
        prop_assert_eq!(manifest["ui"]["entry"].as_str().unwrap_or("main"), &*parsed.main_entry);
    }

    #[test]
    fn the_stored_api_has_upper_case_methods_and_is_else_the_same(manifest in manifest()) {
        let text = manifest.to_string();
        let given = manifest.get("api").unwrap_or(&Value::Null);
        let mut expected = given.clone();
        if let Some(endpoints) = expected.get_mut("endpoints").and_then(Value::as_array_mut) {
            for endpoint in endpoints {
                endpoint["method"] = endpoint["method"].as_str().unwrap().to_uppercase().into();
            }
        }
        match Manifest::parse(text.as_bytes()).unwrap().normalised_api {
            Some(api) => {
                prop_assert_ne!(given, &expected);
                // As text: what is not a method keeps every digit and space.
                prop_assert_eq!(api, expected.to_string());
            }
            None => prop_assert_eq!(given, &expected),
        }
    }

    #[test]
    fn two_mistakes_give_the_issues_of_both(manifest in full_manifest(), first: Index, second: Index) {
        let all = mistakes(&manifest);
        let (first, second) = (first.get(&all), second.get(&all));
        // A mistake inside a part that is another mistake is gone with it.
        prop_assume!(!first.0.starts_with(&second.0) && !second.0.starts_with(&first.0));
        let mut paths = issue_paths(&make(&make(&manifest, first), second).to_string());
        paths.sort();
        paths.dedup();
        let mut expected = vec![first.2.clone(), second.2.clone()];
        expected.sort();
        prop_assert_eq!(paths, expected);
    }

    #[test]
    fn an_unknown_field_is_one_issue(manifest in manifest(), name in "[xyz]{1,8}", value in any_json()) {
        let mut manifest = manifest;
        manifest[&name] = value;
        prop_assert_eq!(issue_paths(&manifest.to_string()), vec![name]);
    }

    #[test]
    fn the_order_of_fields_does_not_matter(
        manifest in full_manifest(),
        mistake: Index,
        order in Just((0..9).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let all = mistakes(&manifest);
        let wrong = make(&manifest, mistake.get(&all));
        for manifest in [manifest, wrong] {
            let text = manifest.to_string();
            let fields = manifest.as_object().unwrap();
            let order: Vec<_> = order.iter().copied().filter(|i| *i < fields.len()).collect();
            let shuffled = in_order(fields, &order);
            prop_assert_eq!(Manifest::parse(text.as_bytes()), Manifest::parse(shuffled.as_bytes()));
        }
    }

    #[test]
    fn white_space_does_not_matter(manifest in manifest()) {
        let (compact, pretty) = (manifest.to_string(), serde_json::to_string_pretty(&manifest).unwrap());
        let pretty = format!("\r\n\t {pretty} ");
        let (mut one, mut other) = (
            Manifest::parse(compact.as_bytes()).unwrap(),
            Manifest::parse(pretty.as_bytes()).unwrap(),
        );
        let api = |manifest: &mut Manifest| {
            manifest.normalised_api.take().map(|api| serde_json::from_str::<Value>(&api).unwrap())
        };
        prop_assert_eq!(api(&mut one), api(&mut other));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn any_bytes_give_an_answer(bytes: Vec<u8>) {
        let _ = Manifest::parse(&bytes);
    }

    #[test]
    fn any_json_gives_an_answer_fit_to_show(value in any_json()) {
        let issues = Manifest::parse(value.to_string().as_bytes()).err().unwrap_or_default();
        for issue in issues.first() {
            prop_assert!(!issue.to_string().contains(breaks_lines), "{:?}", issue);
            prop_assert!(!issue.message.is_empty() && issue.message.chars().count() <= 255);
            prop_assert!(issue.path.chars().count() <= 255);
        }
    }

    #[test]
    fn a_manifest_with_bytes_changed_gives_an_answer(manifest in manifest(), at: Index, byte: u8, cut: Index) {
        let mut bytes = manifest.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Manifest::parse(&bytes);
        let cut = cut.index(bytes.len());
        prop_assert!(Manifest::parse(&bytes[..cut]).is_err());
    }

    #[test]
    fn nesting_is_counted_as_it_is(manifest in full_manifest(), extra in any_json(), levels in 0..2 * MAX_NESTING) {
        fn depth(value: &Value) -> usize {
            match value {
                Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
                Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
                _ => 0,
            }
        }
        let mut manifest = manifest;
        manifest["ui"]["extra"] = (0..levels).fold(extra, |inner, level| {
            if level % 2 == 0 { json!([inner]) } else { json!({"[": inner, "}\"": "]"}) }
        });
        let too_deep = depth(&manifest) > MAX_NESTING;
        let paths = issue_paths(&manifest.to_string());
        prop_assert_eq!(paths, if too_deep { vec![""] } else { vec![] });
    }
}
