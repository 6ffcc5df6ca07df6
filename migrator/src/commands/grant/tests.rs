use super::*;

#[test]
fn names_cannot_break_out_of_their_quotes() {
    let schema = Schema::new("s").unwrap();
    for statement in reader(&schema, &quote_ident("a\" TO b; --")) {
        assert!(statement.ends_with("TO \"a\"\" TO b; --\""), "{statement}");
    }
}

#[test]
fn nobody_is_everybody() {
    for role in ["", "public", "PUBLIC", &"x".repeat(64)] {
        assert!(matches!(refuse_misleading(role), Err(Error::Usage(_))));
    }
}
