//! What a text that is no content hash seems to be instead.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ContentHash;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Hashes and how many bytes they have, ours first.
const HASHES: [(&str, usize); 6] = [
    ("SHA-256", 32),
    ("SHA-512", 64),
    ("SHA-384", 48),
    ("SHA-224", 28),
    ("SHA-1", 20),
    ("MD5", 16),
];

/// Words to end the sentence that says what is expected; None where there is nothing to say.
pub(super) fn on(text: &str) -> Option<String> {
    /// A hash, and the name of a file.
    const LONGEST: usize = 8192;
    if text.len() > LONGEST {
        return None;
    }
    // White space around it, or what sha256sum prints: `hash  file`, `\hash *file`, `SHA256 (file) = hash`.
    let mut words = text.split_whitespace();
    if let Some(hash) = words.find_map(|word| ContentHash::read(word.trim_start_matches('\\'))) {
        return Some(format!("pass {hash} alone"));
    }
    let (named, digest) = algorithm(text.trim());
    let hex = digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let decoded = if hex { None } else { base64(digest) };
    let size = if hex {
        digest.len() / 2
    } else {
        decoded.as_ref().map_or(0, Vec::len)
    };
    let (name, size) = named.or_else(|| HASHES.into_iter().find(|hash| hash.1 == size))?;
    if size != HASHES[0].1 {
        return Some(format!("this is {name}, not SHA-256"));
    }
    let hash = match decoded {
        None => ContentHash::read(digest)?,
        Some(bytes) if bytes.len() == size => ContentHash::written(&bytes),
        Some(_) => return None,
    };
    Some(format!("pass {hash}"))
}

/// The hash that is named before `:`, `-` or `=`, and what comes after.
fn algorithm(text: &str) -> (Option<(&'static str, usize)>, &str) {
    for (name, size) in HASHES {
        for written in [name, &name.replace('-', "")] {
            let (Some(start), Some(rest)) = (text.get(..written.len()), text.get(written.len()..))
            else {
                continue;
            };
            if start.eq_ignore_ascii_case(written)
                && let Some(digest) = rest.strip_prefix([':', '-', '='])
            {
                return (Some((name, size)), digest);
            }
        }
    }
    (None, text)
}

/// The bytes of a hash in base64: of 32 or 64, as other lengths may be hex digits with a slip of the pen.
fn base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = match text.contains(['-', '_']) {
        true => &alphabet::URL_SAFE,
        false => &alphabet::STANDARD,
    };
    let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()?;
    [32, 64].contains(&bytes.len()).then_some(bytes)
}
