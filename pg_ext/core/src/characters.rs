//! Characters that nobody sees, and how a message names a character.

use std::fmt::{self, Display};

/// Ranges, in order, of what cannot be seen in a name: the general categories Cf, Zl and Zp, what has the property
/// Default_Ignorable_Code_Point, and U+2800, the Braille pattern without dots. Of Unicode 16; a test compares it.
pub const INVISIBLE: [(char, char); 26] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether it is in [`INVISIBLE`]. White space other than line and paragraph separator is not, nor are controls.
pub(crate) fn is_invisible(c: char) -> bool {
    // The usual text has no character beyond the first of them.
    if c < INVISIBLE[0].0 {
        return false;
    }
    let next = INVISIBLE.partition_point(|(first, _)| *first <= c);
    next.checked_sub(1)
        .is_some_and(|range| c <= INVISIBLE[range].1)
}

/// The characters of a text by their numbers, `U+0065 U+0301`: the first of them where there are many.
pub(crate) struct CodePoints<'a>(pub(crate) &'a str);

impl Display for CodePoints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (position, c) in self.0.chars().enumerate() {
            match position {
                0 => write!(f, "U+{:04X}", u32::from(c))?,
                SHOWN => return f.write_str(" ..."),
                _ => write!(f, " U+{:04X}", u32::from(c))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CodePoints, is_invisible};

    #[test]
    fn code_points() {
        for (text, shown) in [
            ("", "nothing"),
            ("e\u{301}", "U+0065 U+0301"),
            ("\u{e0041}", "U+E0041"),
            (
                "abcdefgh",
                "U+0061 U+0062 U+0063 U+0064 U+0065 U+0066 U+0067 U+0068",
            ),
            (
                "abcdefghi",
                "U+0061 U+0062 U+0063 U+0064 U+0065 U+0066 U+0067 U+0068 ...",
            ),
        ] {
            assert_eq!(CodePoints(text).to_string(), shown);
        }
    }

    #[test]
    fn some_are_seen_and_some_are_not() {
        for c in "\u{ad}\u{200b}\u{200d}\u{2028}\u{2029}\u{202e}\u{feff}\u{3164}\u{fe0f}\u{2800}\u{e0001}\u{e0fff}\u{115f}".chars() {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in " a~\u{a0}é\u{301}\u{3000}日😀\u{fffd}\u{10ffff}\u{2801}\u{ac}\u{ae}".chars() {
            assert!(!is_invisible(c), "{c:?}");
        }
    }
}
