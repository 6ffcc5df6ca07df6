use super::*;

#[test]
fn a_message_is_one_line() {
    assert_eq!(one_line("a\n  b\r\nc"), "a b c");
}
