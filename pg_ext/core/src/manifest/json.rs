//! JSON looked at where it stands in the text: nothing is copied, converted or read deeper than asked for.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The text of one JSON value. Its syntax is checked when the value around it is read.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(&'a str);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    String,
    Array,
    Object,
    /// A number or a boolean, which no rule asks for.
    Other,
}

impl<'a> Json<'a> {
    pub(super) fn document(text: &'a str) -> Self {
        Self(text.trim_ascii())
    }

    pub(super) fn text(self) -> &'a str {
        self.0
    }

    pub(super) fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'n') => Kind::Null,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            _ => Kind::Other,
        }
    }

    /// Where the value stands in the text of one that holds it.
    pub(super) fn range_in(self, outer: Self) -> Range<usize> {
        let start = self.0.as_ptr().addr() - outer.0.as_ptr().addr();
        start..start + self.0.len()
    }

    /// The string that this value is. Fails on other values, and on a lone surrogate (`"\ud800"`).
    pub(super) fn string(self) -> serde_json::Result<Cow<'a, str>> {
        // Most strings have no escapes, and their syntax has been checked.
        if let Some(text) = self
            .0
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            && !text.as_bytes().contains(&b'\\')
        {
            return Ok(Cow::Borrowed(text));
        }
        serde_json::from_str(self.0).map(|Text(text)| text)
    }

    /// Calls `member` with the name and value of each, in the order of the text. Fails on other values than
    /// objects, and where the text is no JSON.
    pub(super) fn members(self, member: impl FnMut(Cow<'a, str>, Self)) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(self.0);
        deserializer.deserialize_map(Members(member))?;
        deserializer.end()
    }

    /// Calls `item` with each value of an array; fails as [`Json::members`] does.
    pub(super) fn items(self, item: impl FnMut(Self)) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(self.0);
        deserializer.deserialize_seq(Items(item))?;
        deserializer.end()
    }

    /// Whether objects and arrays are nested deeper than `limit`. Reads brackets only, in any text.
    pub(super) fn is_deeper_than(self, limit: usize) -> bool {
        let bytes = self.0.as_bytes();
        // The usual manifest has fewer brackets than it may have levels, and counting them is quicker. The two
        // differ in one bit only, and sums of bytes add up in parallel.
        let opening = |byte: &u8| u8::from(byte | 0x20 == b'{');
        let count = |bytes: &[u8]| usize::from(bytes.iter().map(opening).sum::<u8>());
        if bytes.chunks(usize::from(u8::MAX)).map(count).sum::<usize>() <= limit {
            return false;
        }
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        for byte in bytes {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = in_string,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' if depth == limit => return true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        false
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, Json<'de>)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            (self.0)(name, Json(value.get()));
        }
        Ok(())
    }
}

struct Items<F>(F);

impl<'de, F: FnMut(Json<'de>)> Visitor<'de> for Items<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<&'de RawValue>()? {
            (self.0)(Json(value.get()));
        }
        Ok(())
    }
}
