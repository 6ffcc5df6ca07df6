use super::without_casts;

#[test]
fn a_cast_of_a_plain_column_makes_no_difference() {
    let same = |left, right| without_casts(left) == without_casts(right);
    assert!(same(
        r#"WHEN (((old.name)::text COLLATE "C") = 'a'::text)"#,
        r#"WHEN ((old.name COLLATE "C") = 'a'::text)"#,
    ));
    assert!(!same("(lower(name))::text", "lower(name)"));
    assert!(!same("CHECK (adopted)", "CHECK ((NOT adopted))"));
}
