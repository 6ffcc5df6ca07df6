use super::hash::Hash;

/// The value of a leaf's field. Numbers enter as text, so that no reader rounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// Text in UTF-8, whatever the encoding of the database.
    Text(&'a str),
    /// Text that has no UTF-8 form (SQL_ASCII, or a byte without a Unicode character), as it is stored.
    Bytes(&'a [u8]),
}

/// The fields of a row's leaf, each with the column that it comes from. `created_at` comes beside them, as a time.
pub type Fields = &'static [(&'static str, &'static str)];

/// Of a version: columns of `extension_version` as `v` and `extension_registry` as `e`.
pub const VERSION: Fields = &[
    ("api", "v.api"),
    ("api_endpoints", "v.api_endpoints"),
    ("assets", "v.assets"),
    ("capabilities", "v.capabilities"),
    ("id", "v.id"),
    ("main_entry", "v.main_entry"),
    ("name", "e.name"),
    ("publisher", "e.publisher"),
    ("registry_id", "v.registry_id"),
    ("runtime", "v.runtime"),
    ("ui", "v.ui"),
    ("version", "v.version"),
];

/// Of a bundle: columns of `extension_bundle` as `b` besides.
pub const BUNDLE: Fields = &[
    ("content_hash", "b.content_hash"),
    ("id", "b.id"),
    ("name", "e.name"),
    ("precompiled", "b.precompiled"),
    ("publisher", "e.publisher"),
    ("signature", "b.signature"),
    ("size_bytes", "b.size_bytes"),
    ("storage_url", "b.storage_url"),
    ("version_id", "b.version_id"),
];

/// The data of a row's leaf. `values` are those of its fields, in their order; `created_at` is what the server sends:
/// microseconds since 2000.
pub fn row_data<'a>(
    fields: Fields,
    values: impl IntoIterator<Item = Value<'a>>,
    created_at: Option<i64>,
) -> Vec<u8> {
    of_row(fields, values, created_at, leaf_data)
}

/// The hash of the leaf with that data, which is not held as a whole.
pub fn row_hash<'a>(
    fields: Fields,
    values: impl IntoIterator<Item = Value<'a>>,
    created_at: Option<i64>,
) -> Hash {
    of_row(fields, values, created_at, Hash::leaf_of)
}

fn of_row<'a, T>(
    fields: Fields,
    values: impl IntoIterator<Item = Value<'a>>,
    created_at: Option<i64>,
    work: impl FnOnce(&[(&str, Value<'_>)]) -> T,
) -> T {
    let created_at = created_at.map(unix_microseconds);
    let created_at = created_at.as_deref().map_or(Value::Null, Value::Text);
    let names = fields.iter().map(|(name, _)| *name);
    let mut all: Vec<_> = names.zip(values).collect();
    all.push(("created_at", created_at));
    work(&all)
}

/// The data of a leaf: RFC 8785 canonical JSON of its fields, whose names are distinct.
///
/// A string where the value is text, null where it is NULL, and `{"hex":"…"}` where it has no UTF-8 form. Published
/// rows hold neither numbers nor booleans nor anything nested: jsonb enters as its text.
pub fn leaf_data(fields: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut json = Vec::new();
    write_leaf(fields, &mut |part| json.extend_from_slice(part));
    json
}

/// Gives that data in parts: fields may be too large to be held twice.
pub(super) fn write_leaf(fields: &[(&str, Value<'_>)], write: &mut impl FnMut(&[u8])) {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    write(b"{");
    for (position, (name, value)) in fields.into_iter().enumerate() {
        if position > 0 {
            write(b",");
        }
        write_string(name, write);
        write(b":");
        match value {
            Value::Null => write(b"null"),
            Value::Text(text) => write_string(text, write),
            Value::Bytes(bytes) => {
                write(b"{\"hex\":\"");
                bytes.iter().for_each(|byte| write(&hex(*byte)));
                write(b"\"}");
            }
        }
    }
    write(b"}");
}

/// The value of a timestamptz, which Postgres counts in microseconds since 2000: microseconds since 1970, which may
/// need more than 64 bits, or `infinity` or `-infinity`.
pub fn unix_microseconds(since_2000: i64) -> String {
    const YEARS_1970_TO_2000: i128 = 946_684_800_000_000;
    match since_2000 {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        finite => (i128::from(finite) + YEARS_1970_TO_2000).to_string(),
    }
}

/// A string as RFC 8785 has it: only what JSON requires is escaped, in the shortest way.
fn write_string(text: &str, write: &mut impl FnMut(&[u8])) {
    write(b"\"");
    let mut rest = text.as_bytes();
    while let Some(plain) = rest
        .iter()
        .position(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\'))
    {
        write(&rest[..plain]);
        let byte = rest[plain];
        match byte {
            b'"' | b'\\' => write(&[b'\\', byte]),
            0x08 => write(b"\\b"),
            b'\t' => write(b"\\t"),
            b'\n' => write(b"\\n"),
            0x0c => write(b"\\f"),
            b'\r' => write(b"\\r"),
            _ => {
                write(b"\\u00");
                write(&hex(byte));
            }
        }
        rest = &rest[plain + 1..];
    }
    write(rest);
    write(b"\"");
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [byte >> 4, byte & 0xf].map(|digit| DIGITS[usize::from(digit)])
}
