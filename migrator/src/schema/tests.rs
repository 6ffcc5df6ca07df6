use super::*;

#[test]
fn names_an_extension_script_cannot_carry_are_refused() {
    for name in [
        "a\"b",
        "a$b",
        "a'b",
        "a\\b",
        "a--b",
        "a/*b",
        "a*/b",
        "a\nb",
        "@extschema@",
    ] {
        assert!(matches!(
            Schema::new(name),
            Err(Error::UnusableName { what: "schema", .. })
        ));
    }
    for name in ["", "pg_temp", "information_schema"] {
        assert!(matches!(Schema::new(name), Err(Error::Usage(_))));
    }
    assert_eq!(
        Schema::new("Ünïcode Space").unwrap().quoted(),
        "\"Ünïcode Space\""
    );
}

#[test]
fn identifiers_are_quoted() {
    assert_eq!(quote_ident("a\"b"), "\"a\"\"b\"");
}
