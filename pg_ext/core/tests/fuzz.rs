//! Whatever comes as manifest, version or hash: an answer within the bounds, and never a panic. `make soak` tries ten
//! million inputs.

use std::env;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ext_registry_core::{
    ContentHash, Encoding, INVISIBLE, Issues, MAX_ISSUES, MAX_TEXT_CHARS, Manifest, Requested,
};
use unicode_normalization::UnicodeNormalization;

/// Manifests to begin with. `@` stands for a text that is made anew each time.
const SEEDS: &[&str] = &[
    r#"{"publisher":"@p","name":"n@","version":"1.2.3","runtime":"a-@"}"#,
    r#"{"publisher":"p","name":"@n","version":"1.0.0-@","runtime":"node-20","capabilities":["@","net"],"assets":["@"]}"#,
    r#"{"name": "n", "publisher": "p", "runtime": " a-b ", "version": " 1.2.* ", "ui": {"type": "iframe", "entry": "e@",
        "hooks": {"@": "@", "deep": [{"x": ["@", 1e400, null]}]}}, "precompiled": {"@": "@"}}"#,
    r#"{"publisher":"p","name":"n","version":"2026.02.10","runtime":"a-b","api":{"endpoints":[{"method":"get",
        "path":"/@","handler":"@"},{"method":"@","path":"@","handler":"@"},{}]},"@":1}"#,
    r#"{"publisher":"p","name":"n","version":"@","runtime":"a-b"}"#,
    r#"["p","n","1.2.3","a-b"]"#,
    "@",
];

/// How many of the parts are nothing special.
const PLAIN: usize = 8;

/// Parts of texts, and of JSON where a mutation puts them outside of one.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "a", "Z", "0", "é", "日", "😀", " ", ".",
    "01", "e\u{301}", "\u{212b}", "\t", "\u{a0}", "\u{3000}", "\u{85}", "\u{200b}", "\u{2028}", "\u{2029}",
    "\u{feff}", "\u{e0041}", "\u{2800}", "\u{7f}", "\u{10ffff}", "..", "/../", "%2e%2e", "\\\\", "\\n", "\\u0000",
    "\\u2028", "\\ud800", "\\ud83d\\ude00", "\\", "\"", "{", "}", "[", "]", ",", ":", "null", "1e400", "-", "@", "+",
    "*", "v", "x", "1.2.3", "18446744073709551616", "sha256:", "sha256-", "sha512-", "=", "==",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
    "\"publisher\":", "\"api\":{\"endpoints\":[", "\"$serde_json::private::RawValue\":", "{},", "1,", "\"\":1,",
];

/// Numbers that look random: SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound.max(1) as u64).unwrap()
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// A text of some parts, now and then one that is as long as may be, or much longer.
    fn text(&mut self) -> String {
        let mut text = String::new();
        let parts = if self.one_in(3) {
            PARTS
        } else {
            &PARTS[..PLAIN]
        };
        for _ in 0..self.below(5) {
            text.push_str(self.of(parts));
        }
        if self.one_in(30) {
            text = self.of(PARTS).repeat(250 + self.below(10)) + &text;
        }
        if self.one_in(20_000) {
            text = self.of(PARTS).repeat(self.below(60_000)) + &text;
        }
        text
    }

    fn manifest(&mut self) -> Vec<u8> {
        let mut text = String::new();
        for (position, part) in self.of(SEEDS).split('@').enumerate() {
            if position > 0 {
                text.push_str(&self.text());
            }
            text.push_str(part);
        }
        let mut bytes = text.into_bytes();
        // Most stay as they are: what is changed here is seldom JSON.
        for _ in 0..self.below(6).saturating_sub(3) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(20)).min(bytes.len());
            match self.below(5) {
                0 => drop(bytes.drain(at..end)),
                1 => bytes.extend_from_within(at..end),
                2 if at < bytes.len() => bytes[at] = self.roll().to_le_bytes()[0],
                3 => bytes.truncate(at),
                _ => drop(bytes.splice(at..at, self.text().into_bytes())),
            }
        }
        bytes
    }
}

/// Says which input it was when a check fails.
struct Input<'a>(&'a [u8], u64);

impl Drop for Input<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: {}", self.1, self.0.escape_ascii());
        }
    }
}

fn nfc(text: &str) -> Option<String> {
    let nfc: String = text.nfc().collect();
    (nfc != text).then_some(nfc)
}

fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn check_issues(issues: &Issues) {
    assert!((1..=MAX_ISSUES).contains(&issues.first().len()));
    assert_eq!(issues.first().len(), issues.count().min(MAX_ISSUES));
    for issue in issues.first() {
        for text in [&issue.path, &issue.message] {
            assert!(
                text.chars().count() <= MAX_TEXT_CHARS && !text.contains(breaks_lines),
                "{text}"
            );
        }
    }
    let line = issues.to_string();
    assert!(
        line.chars().count() < 1300 && !line.contains(breaks_lines),
        "{line}"
    );
}

fn check_name(name: &str, encoding: Encoding) {
    let hidden = |c: char| {
        INVISIBLE
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
    };
    assert!(!name.is_empty() && name == name.trim());
    assert!(
        !name.contains(|c: char| c.is_control() || hidden(c)),
        "{name:?}"
    );
    match encoding {
        Encoding::SqlAscii => assert!(name.len() <= MAX_TEXT_CHARS),
        _ => assert!(name.chars().count() <= MAX_TEXT_CHARS),
    }
}

/// Whether it is a manifest.
fn check_manifest(text: &[u8], encoding: Encoding) -> bool {
    let manifest = match Manifest::parse_for(text, encoding) {
        Ok(manifest) => manifest,
        Err(issues) => {
            check_issues(&issues);
            return false;
        }
    };
    for name in [&manifest.publisher, &manifest.name, &manifest.runtime] {
        check_name(name, encoding);
    }
    if matches!(encoding, Encoding::Utf8(_)) {
        assert!(nfc(&manifest.publisher).is_none() && nfc(&manifest.name).is_none());
    }
    assert_eq!(manifest.trimmed.is_empty(), manifest.names().is_none());
    check_issues_of_old_entry(&manifest);
    // What is stored would be taken again, as it is.
    let again = serde_json::json!({
        "publisher": manifest.publisher, "name": manifest.name, "version": manifest.version.to_string(),
        "runtime": manifest.runtime, "ui": {"type": "iframe", "entry": manifest.main_entry},
    })
    .to_string();
    let again = Manifest::parse_for(again.as_bytes(), encoding).expect("it was one");
    assert_eq!(
        (&again.publisher, &again.name),
        (&manifest.publisher, &manifest.name)
    );
    assert_eq!(
        (&again.runtime, &again.version),
        (&manifest.runtime, &manifest.version)
    );
    assert!(again.trimmed.is_empty());
    true
}

fn check_issues_of_old_entry(manifest: &Manifest<'_>) {
    let issues = manifest.old_entry();
    if !issues.is_empty() {
        check_issues(&issues);
    }
}

/// Whether it is one or the other.
fn check_text(text: &str) -> bool {
    let hash = text.parse::<ContentHash>();
    let version = Requested::parse(text);
    for error in [hash.as_ref().err(), version.as_ref().err()]
        .into_iter()
        .flatten()
    {
        let message = error.to_string();
        assert!(
            message.chars().count() < 1000 && !message.contains(breaks_lines),
            "{message}"
        );
    }
    hash.is_ok() || version.is_ok()
}

#[test]
fn any_input_gets_an_answer_within_the_bounds() {
    let soak = env::var_os("EXT_REGISTRY_SOAK").is_some();
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse().ok());
    let inputs = number("EXT_REGISTRY_INPUTS").unwrap_or(if soak { 10_000_000 } else { 20_000 });
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let seed = number("EXT_REGISTRY_SEED").unwrap_or(now);
    let began = Instant::now();
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let valid: u64 = thread::scope(|scope| {
        let share = |thread| scope.spawn(move || valid_of(inputs / threads, seed ^ thread << 48));
        let started: Vec<_> = (0..threads).map(share).collect();
        started
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    println!(
        "{inputs} inputs, {valid} of them valid, in {:?}; seed {seed}",
        began.elapsed()
    );
    assert!(
        valid > inputs / 100 && valid < inputs / 2,
        "{valid} of {inputs} are valid"
    );
}

/// Checks so many inputs and counts the valid ones.
fn valid_of(inputs: u64, seed: u64) -> u64 {
    let mut dice = Dice(seed);
    let mut valid = 0;
    for _ in 0..inputs {
        let taken = if dice.one_in(4) {
            let text = dice.text();
            let _input = Input(text.as_bytes(), seed);
            check_text(&text)
        } else {
            let manifest = dice.manifest();
            let encodings = [Encoding::Utf8(nfc), Encoding::SqlAscii, Encoding::Other];
            let encoding = encodings[dice.below(encodings.len())];
            let _input = Input(&manifest, seed);
            check_manifest(&manifest, encoding)
        };
        valid += u64::from(taken);
    }
    valid
}
