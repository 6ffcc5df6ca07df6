//! Walks through a manifest from the outside in and notes every issue on the way.

use std::borrow::Cow;

use super::issue::{Found, Path};
use super::json::{Json, Kind};
use super::rules::{self, Rule};
use super::{Encoding, Issues, MAX_MANIFEST_BYTES, MAX_NESTING, Manifest, typed};

const NO_OBJECT: &str = "must be an object";
const NO_STRING: &str = "must be a string";

pub(super) fn read(text: &[u8], encoding: Encoding) -> Result<Manifest<'_>, Issues> {
    let mut found = Found::nothing(encoding);
    if text.len() > MAX_MANIFEST_BYTES {
        found.add(
            Path::Root,
            format_args!(
                "must not be longer than {MAX_MANIFEST_BYTES} bytes: it has {}",
                text.len()
            ),
        );
        return found.into_result(None);
    }
    let Ok(text) = str::from_utf8(text) else {
        found.add(Path::Root, "must be UTF-8 text");
        return found.into_result(None);
    };
    let document = Json::document(text);
    let too_deep = document.is_deeper_than(MAX_NESTING);
    if too_deep {
        found.add(
            Path::Root,
            format_args!("must not be nested deeper than {MAX_NESTING} levels"),
        );
    } else if let Some(manifest) = typed::read(text, encoding) {
        return Ok(manifest);
    }
    let mut reader = Reader { found, too_deep };
    let manifest = reader.manifest(document);
    reader.found.into_result(manifest)
}

struct Reader {
    found: Found,
    /// Then nothing may be followed down to its end: the stack would not last.
    too_deep: bool,
}

impl Reader {
    fn manifest<'a>(&mut self, document: Json<'a>) -> Option<Manifest<'a>> {
        if document.kind() != Kind::Object {
            self.found.add(Path::Root, NO_OBJECT);
            return None;
        }
        let names = [
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
        let mut unknown = Found::nothing(Encoding::default());
        let fields = fields(document, names, |name| {
            unknown.add(Path::Root.member(name), "is not a field of a manifest");
        });
        let [
            publisher,
            name,
            version,
            runtime,
            capabilities,
            ui,
            api,
            assets,
            precompiled,
        ] = match fields {
            Ok(fields) => fields,
            Err(error) => {
                self.found
                    .add(Path::Root, format_args!("must be JSON: {error}"));
                return None;
            }
        };
        self.found.append(unknown);

        let mut trimmed = Vec::new();
        let publisher = self.trimmed("publisher", publisher, rules::NAME, &mut trimmed);
        let name = self.trimmed("name", name, rules::NAME, &mut trimmed);
        let version_at = Path::Root.member("version");
        let version = self
            .required(version_at, version, &[])
            .and_then(|version| rules::version(&mut self.found, version_at, &version));
        let runtime = self.trimmed("runtime", runtime, rules::RUNTIME, &mut trimmed);
        if let Some(capabilities) = capabilities {
            self.strings(Path::Root.member("capabilities"), capabilities, &[]);
        }
        let entry = ui.and_then(|ui| self.ui(Path::Root.member("ui"), ui));
        let normalised_api = api.and_then(|api| self.api(Path::Root.member("api"), api));
        if let Some(assets) = assets {
            self.strings(Path::Root.member("assets"), assets, rules::PATH);
        }
        if let Some(precompiled) = precompiled {
            self.files_by_name(Path::Root.member("precompiled"), precompiled);
        }

        Some(Manifest {
            publisher: publisher?,
            name: name?,
            version: version?,
            runtime: runtime?,
            main_entry: entry.unwrap_or(Cow::Borrowed("main")),
            trimmed,
            normalised_api,
        })
    }

    /// Gives the entry.
    fn ui<'a>(&mut self, at: Path<'_>, ui: Json<'a>) -> Option<Cow<'a, str>> {
        let [kind, entry, hooks] = self.object(at, ui, ["type", "entry", "hooks"])?;
        self.required(at.member("type"), kind, rules::UI_TYPE);
        let entry = self.required(at.member("entry"), entry, rules::ENTRY);
        if let Some(hooks) = hooks {
            let at = at.member("hooks");
            match hooks.kind() {
                Kind::Object => self.paths_below(at, hooks),
                _ => self.found.add(at, NO_OBJECT),
            }
        }
        entry
    }

    /// Gives the text with the methods in upper case, if one was not.
    fn api(&mut self, at: Path<'_>, api: Json<'_>) -> Option<String> {
        let [endpoints] = self.object(at, api, ["endpoints"])?;
        let mut changes = Vec::new();
        self.array(
            at.member("endpoints"),
            endpoints?,
            |reader, at, endpoint| {
                changes.extend(reader.endpoint(at, endpoint));
            },
        );
        (!changes.is_empty()).then(|| replace(api, &changes))
    }

    /// Gives the method if it has to be written in another way, and how.
    fn endpoint<'a>(
        &mut self,
        at: Path<'_>,
        endpoint: Json<'a>,
    ) -> Option<(Json<'a>, &'static str)> {
        let [method, path, handler] = self.object(at, endpoint, ["method", "path", "handler"])?;
        let method_at = at.member("method");
        let upper = self.required(method_at, method, &[]).and_then(|given| {
            rules::method(&mut self.found, method_at, &given).filter(|upper| *upper != given)
        });
        self.required(at.member("path"), path, rules::ENDPOINT_PATH);
        self.required(at.member("handler"), handler, rules::PATH);
        method.zip(upper)
    }

    fn required<'a>(
        &mut self,
        at: Path<'_>,
        value: Option<Json<'a>>,
        rules: &[Rule],
    ) -> Option<Cow<'a, str>> {
        if value.is_none() {
            self.found.add(at, "is required");
        }
        self.string(at, value?, rules)
    }

    /// A required field of the manifest around which white space does not matter; where there is some, its name is
    /// noted.
    fn trimmed<'a>(
        &mut self,
        field: &'static str,
        value: Option<Json<'a>>,
        rules: &[Rule],
        trimmed: &mut Vec<&'static str>,
    ) -> Option<Cow<'a, str>> {
        let at = Path::Root.member(field);
        let given = self.required(at, value, &[])?;
        let text = rules::trimmed(field, given, trimmed);
        self.found.check(at, &text, rules);
        Some(text)
    }

    fn strings(&mut self, at: Path<'_>, list: Json<'_>, rules: &[Rule]) {
        self.array(at, list, |reader, at, item| {
            reader.string(at, item, rules);
        });
    }

    /// A value of any kind; the strings in it, at any depth, are paths.
    fn paths_below(&mut self, at: Path<'_>, value: Json<'_>) {
        match value.kind() {
            Kind::String => drop(self.string(at, value, rules::PATH)),
            Kind::Array if !self.too_deep => self.array(at, value, Self::paths_below),
            Kind::Object if !self.too_deep => {
                let read = value.members(|name, value| self.paths_below(at.member(&name), value));
                self.unicode(at, read);
            }
            _ => {}
        }
    }

    /// An object whose names and values are paths.
    fn files_by_name(&mut self, at: Path<'_>, object: Json<'_>) {
        if object.kind() != Kind::Object {
            return self.found.add(at, NO_OBJECT);
        }
        let read = object.members(|name, value| {
            let at = at.member(&name);
            self.found.check(at, &name, rules::PATH);
            self.string(at, value, rules::PATH);
        });
        self.unicode(at, read);
    }

    fn string<'a>(
        &mut self,
        at: Path<'_>,
        value: Json<'a>,
        rules: &[Rule],
    ) -> Option<Cow<'a, str>> {
        if value.kind() != Kind::String {
            self.found.add(at, NO_STRING);
            return None;
        }
        let text = self.unicode(at, value.string())?;
        self.found.check(at, &text, rules);
        Some(text)
    }

    fn array<'a>(
        &mut self,
        at: Path<'_>,
        list: Json<'a>,
        mut each: impl FnMut(&mut Self, Path<'_>, Json<'a>),
    ) {
        if list.kind() != Kind::Array {
            return self.found.add(at, "must be an array");
        }
        let mut index = 0;
        let read = list.items(|item| {
            each(self, at.item(index), item);
            index += 1;
        });
        self.unicode(at, read);
    }

    /// The named fields of an object. Those without a name here are kept as they are.
    fn object<'a, const N: usize>(
        &mut self,
        at: Path<'_>,
        object: Json<'a>,
        names: [&str; N],
    ) -> Option<[Option<Json<'a>>; N]> {
        if object.kind() != Kind::Object {
            self.found.add(at, NO_OBJECT);
            return None;
        }
        self.unicode(at, fields(object, names, |_| ()))
    }

    /// The syntax was checked with the document: all that is left to go wrong is half a surrogate pair, which
    /// JSON allows and `jsonb` does not.
    fn unicode<T>(&mut self, at: Path<'_>, read: serde_json::Result<T>) -> Option<T> {
        read.map_err(|_| self.found.add(at, "must be Unicode text"))
            .ok()
    }
}

/// The named fields of an object; null is as good as absent. Names that are not listed go to `other`.
fn fields<'a, const N: usize>(
    object: Json<'a>,
    names: [&str; N],
    mut other: impl FnMut(&str),
) -> serde_json::Result<[Option<Json<'a>>; N]> {
    let mut found = [None; N];
    object.members(
        |name, value| match names.iter().position(|known| *known == name) {
            Some(field) => found[field] = Some(value).filter(|value| value.kind() != Kind::Null),
            None => other(&name),
        },
    )?;
    Ok(found)
}

/// The text of `outer` with strings in it replaced. Everything else stays as it is, numbers to the last digit.
fn replace(outer: Json<'_>, changes: &[(Json<'_>, &str)]) -> String {
    let mut text = String::with_capacity(outer.text().len());
    let mut copied = 0;
    for (inner, string) in changes {
        let range = inner.range_in(outer);
        text.push_str(&outer.text()[copied..range.start]);
        text.push('"');
        text.push_str(string);
        text.push('"');
        copied = range.end;
    }
    text.push_str(&outer.text()[copied..]);
    text
}
