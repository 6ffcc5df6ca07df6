//! Names that need care, in every place that takes one, up to the longest that fits.

use ext_registry_tests::list;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::Call;
use crate::ground::Ground;

const STRANGE: &[&str] = &[
    "'",
    "\"",
    "\\",
    "$$",
    "$1",
    "';--",
    "\"; DROP TABLE extension_version; --",
    "%s%n",
    "{}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "x\u{301}",
    "NULL",
    "null",
    "*",
    "a/b",
    "public",
    "@schema@",
    "@extschema@",
    "\u{10ffff}",
    "\u{fffd}",
    " y ",
    "x\u{3000}\u{85}\u{2028}",
];

/// No names of extensions, but names of other things.
const HIDDEN: &[&str] = &[
    "a\u{301}",
    "\u{202e}abc",
    "👩‍👩‍👧‍👦",
    "\u{feff}x",
    "x\u{2028}x",
    "x\u{2029}x",
    "\u{e0041}x",
    "\u{2800}",
    "\u{3164}x",
    "\u{fe0f}",
];

fn manifest(field: &str, text: &str) -> Value {
    let mut manifest = json!({
        "publisher": "p", "name": "n", "version": "1.0.*", "runtime": "a@b",
        "ui": {"type": "iframe", "entry": "e"},
    });
    match field {
        "ui.entry" => manifest["ui"]["entry"] = text.into(),
        _ => manifest[field] = text.into(),
    }
    manifest
}

#[test]
fn strange_names_are_names() {
    let mut ground = Ground::in_encoding("UTF8");
    for name in STRANGE {
        for field in ["publisher", "name", "runtime", "ui.entry"] {
            let text = if field == "runtime" {
                format!("@{name}")
            } else {
                (*name).to_owned()
            };
            ground
                .call(&Call::of(manifest(field, &text).to_string()))
                .published();
        }
        // And in the duplicate's own words.
        let mut again = manifest("name", name);
        again["version"] = "7.0.0".into();
        ground.call(&Call::of(again.to_string())).published();
        let refused = ground.call(&Call::of(again.to_string())).refused();
        assert_eq!(refused.detail["name"], name.trim());
    }
}

#[test]
fn hidden_names_are_no_names() {
    let mut ground = Ground::in_encoding("UTF8");
    for name in HIDDEN {
        for field in ["publisher", "name", "runtime", "ui.entry"] {
            let text = format!("{name}@");
            let call = Call::of(manifest(field, &text).to_string());
            match field {
                "ui.entry" => drop(ground.call(&call).published()),
                // Only what makes an extension has to be in NFC.
                "runtime" if *name == "a\u{301}" => drop(ground.call(&call).published()),
                _ => ground.call(&call).with_issues(&[field]),
            }
        }
    }
}

#[test]
fn the_longest_name_and_one_character_more() {
    let mut ground = Ground::in_encoding("UTF8");
    for letter in ["x", "é", "😀", "\"", "'", "\\", "\u{301}"] {
        for field in ["publisher", "name", "runtime", "ui.entry"] {
            let text = |count: usize| format!("{}-", letter.repeat(count - 1));
            ground
                .call(&Call::of(manifest(field, &text(255)).to_string()))
                .published();
            ground
                .call(&Call::of(manifest(field, &text(256)).to_string()))
                .with_issues(&[field]);
        }
    }
    let version = |count: usize| format!("1.0.0-{}", "x".repeat(count - 6));
    assert_eq!(
        ground
            .call(&Call::of(manifest("version", &version(255)).to_string()))
            .published(),
        version(255)
    );
    ground
        .call(&Call::of(manifest("version", &version(256)).to_string()))
        .with_issues(&["version"]);
    // Everything at its longest at once: the row still fits its indexes.
    let longest = "😀".repeat(254) + "-";
    let all = json!({"publisher": longest, "name": longest, "version": version(255), "runtime": longest,
        "ui": {"type": "iframe", "entry": longest}});
    ground.call(&Call::of(all.to_string())).published();
    let refused = ground.call(&Call::of(all.to_string())).refused();
    assert_eq!(refused.detail["publisher"], longest);
}

/// A field's name can be as long as the manifest: message and DETAIL stay such that they can be shown.
#[test]
fn a_message_does_not_repeat_a_name_without_end() {
    let mut ground = Ground::in_encoding("UTF8");
    let name = "é".repeat(400_000);
    for wrong in [
        json!({&name: 1}),
        json!({"precompiled": {&name: 1}}),
        json!({"ui": {"hooks": {&name: {&name[..800]: ".."}}}}),
    ] {
        let refused = ground.call(&Call::of(wrong.to_string())).refused();
        assert!(refused.message.chars().count() < 2000);
        let issues = refused.detail["issues"].as_array().unwrap();
        let paths = issues.iter().map(|issue| issue["path"].as_str().unwrap());
        let path = paths.max_by_key(|path| path.len()).unwrap();
        assert_eq!(path.chars().count(), 255);
        assert!(path.contains("éé") && path.ends_with("..."), "{path}");
    }
}

#[test]
fn tenants_of_every_name() {
    let mut ground = Ground::in_encoding("UTF8");
    ground
        .call(&Call::of(manifest("name", "n").to_string()))
        .published();
    let row = ground
        .client
        .query_one("SELECT v.registry_id, v.id FROM extension_version v", &[])
        .unwrap();
    let (extension, version): (Uuid, Uuid) = (row.get(0), row.get(1));
    let longest = ["x", "é", "😀", "'"].map(|letter| letter.repeat(255));
    for tenant in STRANGE
        .iter()
        .chain(HIDDEN)
        .copied()
        .chain(longest.iter().map(String::as_str))
        .chain([""])
    {
        let before = list(&mut ground.client, extension, Some(tenant)).unwrap();
        assert!(!before[0].installed, "{tenant:?}");
        ground
            .client
            .execute(
                "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
                 VALUES (gen_random_uuid(), $1, $2, $3)",
                &[&tenant, &extension, &version],
            )
            .unwrap();
        assert!(
            list(&mut ground.client, extension, Some(tenant)).unwrap()[0].installed,
            "{tenant:?}"
        );
    }
    // Nobody's name, and longer than any: no error, no mark.
    let endless = "x".repeat(100_000);
    for nobody in [None, Some("X"), Some(" x"), Some(endless.as_str())] {
        assert!(!list(&mut ground.client, extension, nobody).unwrap()[0].installed);
    }
    assert!(
        ground
            .client
            .query_one("SELECT ext_extension_id($1, $1)", &[&endless])
            .unwrap()
            .get::<_, Option<Uuid>>(0)
            .is_none()
    );
}
