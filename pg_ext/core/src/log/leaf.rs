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
