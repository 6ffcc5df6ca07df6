use super::*;

#[test]
fn pieces_are_the_whole_and_hold_one_statement_each() {
    let schema = Schema::new("odd; name").unwrap();
    for migration in Migrations::embedded().in_schema(&schema).unwrap() {
        let pieces = migration.each_statement();
        assert_eq!(pieces.concat(), migration.sql);
        assert_eq!(pieces.len(), migration.statements.len());
    }
}

#[test]
fn the_first_line_says_what_runs_outside_a_transaction() {
    let built = Kind::Concurrent {
        index: "some_idx".to_owned(),
        table: "some".to_owned(),
    };
    let line = "-- outside a transaction: some_idx on some\n-- Why.\nCREATE INDEX …";
    assert_eq!(kind("V13__some_index", line), built);
    for other in [
        "-- Why.\n-- outside a transaction: a on b",
        "-- outside a transaction: a",
        "",
    ] {
        assert_eq!(kind("V13__some_index", other), Kind::Transactional);
    }
}
