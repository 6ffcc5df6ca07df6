#[test]
fn the_key_is_the_documented_one() {
    assert_eq!(super::KEY, 7_311_721_948_242_339_698);
}
