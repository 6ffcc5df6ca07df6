//! The quick way through a valid manifest: one pass, half the time of the reader's walk. It says nothing about
//! what is wrong; whatever it does not take, the reader looks at.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::issue::{Found, Path};
use super::json::Text;
use super::rules::{self, Rule};
use super::{Encoding, Manifest};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(borrow)]
    publisher: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    runtime: Cow<'a, str>,
    #[serde(borrow)]
    #[expect(dead_code, reason = "that these are strings is all there is to check")]
    capabilities: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    ui: Option<Object<Ui<'a>>>,
    #[serde(borrow)]
    api: Option<Object<Api<'a>>>,
    #[serde(borrow)]
    assets: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    precompiled: Option<Named<'a>>,
}

#[derive(Deserialize)]
struct Ui<'a> {
    // Usually strings; hooks of other kinds are left to the reader.
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    entry: Cow<'a, str>,
    #[serde(borrow)]
    hooks: Option<Named<'a>>,
}

#[derive(Deserialize)]
struct Api<'a> {
    #[serde(borrow)]
    endpoints: Option<Vec<Object<Endpoint<'a>>>>,
}

#[derive(Deserialize)]
struct Endpoint<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    handler: Cow<'a, str>,
}

/// Derived structs take arrays too, with the fields in order; here only objects will do.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Strings by name, in the order of the text.
struct Named<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Named<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Named<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Named(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Gives a manifest only when it is valid and nothing in it has to be stored in another way.
pub(super) fn read(text: &str, encoding: Encoding) -> Option<Manifest<'_>> {
    let Object(document): Object<Document<'_>> = serde_json::from_str(text).ok()?;

    let mut trimmed = Vec::new();
    let publisher = rules::trimmed("publisher", document.publisher, &mut trimmed);
    let name = rules::trimmed("name", document.name, &mut trimmed);
    let runtime = rules::trimmed("runtime", document.runtime, &mut trimmed);

    let mut found = Found::nothing(encoding);
    let mut check = |text: &str, rules: &[Rule]| found.check(Path::Root, text, rules);
    check(&publisher, rules::NAME);
    check(&name, rules::NAME);
    check(&runtime, rules::RUNTIME);
    for Text(asset) in document.assets.iter().flatten() {
        check(asset, rules::PATH);
    }
    for (Text(name), Text(file)) in document.precompiled.iter().flat_map(|named| &named.0) {
        check(name, rules::PATH);
        check(file, rules::PATH);
    }
    if let Some(Object(ui)) = &document.ui {
        check(&ui.kind, rules::UI_TYPE);
        check(&ui.entry, rules::ENTRY);
        for (_, Text(hook)) in ui.hooks.iter().flat_map(|named| &named.0) {
            check(hook, rules::PATH);
        }
    }
    let endpoints = document.api.iter().flat_map(|Object(api)| &api.endpoints);
    for Object(endpoint) in endpoints.flatten() {
        if !rules::METHODS.contains(&endpoint.method.as_ref()) {
            return None;
        }
        check(&endpoint.path, rules::ENDPOINT_PATH);
        check(&endpoint.handler, rules::PATH);
    }
    let version = rules::version(&mut found, Path::Root, &document.version)?;

    found.is_empty().then_some(Manifest {
        publisher,
        name,
        version,
        runtime,
        main_entry: document
            .ui
            .map_or(Cow::Borrowed("main"), |Object(ui)| ui.entry),
        trimmed,
        normalised_api: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Manifest};

    fn read(text: &str) -> Option<Manifest<'_>> {
        super::read(text, Encoding::Other)
    }

    /// The reader would take these too, only slower: that is why it has to be tested here.
    #[test]
    fn the_usual_manifest_takes_the_quick_way() {
        for rest in [
            "",
            r#", "capabilities": ["net"], "assets": ["a.svg"], "precompiled": {"x": "y"}"#,
            r#", "ui": {"type": "iframe", "entry": "e", "hooks": {"a": "b"}, "more": 1e400}"#,
            r#", "api": {"endpoints": [{"method": "GET", "path": "/", "handler": "h", "more": [{}]}]}"#,
            r#", "api": null, "ui": {"type": "iframe", "entry": "e", "hooks": null}, "assets": null"#,
        ] {
            assert!(read(&with(rest)).is_some(), "{rest}");
        }
    }

    #[test]
    fn what_is_wrong_or_stored_in_another_way_is_left_to_the_reader() {
        for rest in [
            r#", "more": 1"#,
            r#", "ui": {"type": "iframe"}"#,
            r#", "ui": ["iframe", "e", null]"#,
            r#", "ui": {"type": "iframe", "entry": "e", "hooks": {"a": {"b": "c"}}}"#,
            r#", "ui": {"type": "iframe", "entry": "e", "hooks": ["a", "b"]}"#,
            r#", "api": [null]"#,
            r#", "api": {"endpoints": [["GET", "/", "h"]]}"#,
            r#", "assets": [".."]"#,
            r#", "api": {"endpoints": [{"method": "get", "path": "/", "handler": "h"}]}"#,
        ] {
            assert!(read(&with(rest)).is_none(), "{rest}");
        }
        assert!(read(r#"["p", "n", "1.2.3", "a@b", null, null, null, null, null]"#).is_none());
    }

    fn with(rest: &str) -> String {
        format!(r#"{{"publisher": "p", "name": "n", "version": "1.2.*", "runtime": "a@b"{rest}}}"#)
    }
}
