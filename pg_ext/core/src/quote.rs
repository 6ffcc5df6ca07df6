use std::fmt::{self, Display, Write};

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

/// Writes `text` as a JSON string. Escapes DEL and the C1 controls too, which JSON would let pass.
pub(crate) fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
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
