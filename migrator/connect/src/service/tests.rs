use super::*;

#[test]
fn a_section_ends_at_the_next() {
    let text = "[a]\nhost=x\n# port=1\n port = 2\n[b]\nhost=y\n";
    let expected = [("host", "x"), ("port", "2")]
        .map(|(keyword, value)| (keyword.to_owned(), value.to_owned()));
    assert_eq!(section(text, "a"), Some(expected.to_vec()));
    assert_eq!(section(text, "c"), None);
}
