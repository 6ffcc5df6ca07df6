use std::fmt::{self, Display, Write};

use crate::characters::is_invisible;

/// Longest part of a given text that a message repeats, in characters.
const SHOWN_CHARS: usize = 60;

/// Text from outside as a message shows it: in quotes, cut short, without control characters.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.char_indices().nth(SHOWN_CHARS).map(|(at, _)| at);
        write_quoted(f, &self.0[..end.unwrap_or(self.0.len())])?;
        f.write_str(if end.is_some() { "..." } else { "" })
    }
}

/// The same, not cut: whoever shows it cuts what comes of it.
pub(crate) struct QuotedWhole<'a>(pub(crate) &'a str);

impl Display for QuotedWhole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quoted(f, self.0)
    }
}

/// Writes `text` as a JSON string. Escapes what JSON would let pass and nobody would see, or what breaks a line: DEL,
/// the C1 controls, the characters of [`is_invisible`].
pub(crate) fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() || is_invisible(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::Quoted;

    #[test]
    fn quotes_escapes_and_cuts() {
        for (given, shown) in [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("größe", r#""größe""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\n\r\t\0\u{7f}\u{9f}", r#""\n\r\t\u0000\u007f\u009f""#),
            ("\u{2028}\u{200b}\u{e0041}", r#""\u2028\u200b\udb40\udc41""#),
        ] {
            assert_eq!(Quoted(given).to_string(), shown);
        }
        assert_eq!(
            Quoted(&"é".repeat(60)).to_string(),
            format!("\"{}\"", "é".repeat(60))
        );
        assert_eq!(
            Quoted(&"é".repeat(61)).to_string(),
            format!("\"{}\"...", "é".repeat(60))
        );
    }
}
