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
    let created_at = created_at.map(unix_microseconds);
    let created_at = created_at.as_deref().map_or(Value::Null, Value::Text);
    let names = fields.iter().map(|(name, _)| *name);
    let mut all: Vec<_> = names.zip(values).collect();
    all.push(("created_at", created_at));
    leaf_data(&all)
}

/// The data of a leaf: RFC 8785 canonical JSON of its fields, whose names are distinct.
///
/// A string where the value is text, null where it is NULL, and `{"hex":"…"}` where it has no UTF-8 form. Published
/// rows hold neither numbers nor booleans nor anything nested: jsonb enters as its text.
pub fn leaf_data(fields: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    let mut json = b"{".to_vec();
    for (position, (name, value)) in fields.into_iter().enumerate() {
        if position > 0 {
            json.push(b',');
        }
        push_string(&mut json, name);
        json.push(b':');
        match value {
            Value::Null => json.extend_from_slice(b"null"),
            Value::Text(text) => push_string(&mut json, text),
            Value::Bytes(bytes) => {
                json.extend_from_slice(b"{\"hex\":\"");
                bytes.iter().for_each(|byte| push_hex(&mut json, *byte));
                json.extend_from_slice(b"\"}");
            }
        }
    }
    json.push(b'}');
    json
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
fn push_string(json: &mut Vec<u8>, text: &str) {
    json.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(plain) = rest
        .iter()
        .position(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\'))
    {
        json.extend_from_slice(&rest[..plain]);
        let byte = rest[plain];
        match byte {
            b'"' | b'\\' => json.extend_from_slice(&[b'\\', byte]),
            0x08 => json.extend_from_slice(b"\\b"),
            b'\t' => json.extend_from_slice(b"\\t"),
            b'\n' => json.extend_from_slice(b"\\n"),
            0x0c => json.extend_from_slice(b"\\f"),
            b'\r' => json.extend_from_slice(b"\\r"),
            _ => {
                json.extend_from_slice(b"\\u00");
                push_hex(json, byte);
            }
        }
        rest = &rest[plain + 1..];
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}

fn push_hex(json: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    json.push(DIGITS[usize::from(byte >> 4)]);
    json.push(DIGITS[usize::from(byte & 0xf)]);
}
