//! Statements and their verdicts, each in a second file after [`BEFORE`].

mod accepted;
mod refused;

use self::accepted::ACCEPTED;
use self::refused::REFUSED;
use super::*;

/// What the set created before: a table, a guard and its trigger.
const BEFORE: &str = "
CREATE TABLE s.base (id int, note text);
CREATE FUNCTION s.guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION s.pure(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1';
CREATE TRIGGER guard BEFORE INSERT ON s.base FOR EACH ROW EXECUTE FUNCTION s.guard();
";

fn file(name: &str, sql: &str) -> File {
    File {
        name: name.into(),
        sql: sql.into(),
    }
}

fn report(sql: &str) -> MigrationReport {
    let mut reports = classify(&[file("V1__test.sql", BEFORE), file("V2__test.sql", sql)]);
    assert!(reports[0].refusals.is_empty(), "{:?}", reports[0].refusals);
    reports.remove(1)
}

#[test]
fn what_is_on_the_list_is_accepted() {
    for (sql, classes, lock) in ACCEPTED {
        let report = report(sql);
        assert!(report.refusals.is_empty(), "{sql}\n{:?}", report.refusals);
        let last = report.statements.last().expect("a statement");
        assert_eq!(
            last.classes
                .iter()
                .map(Class::to_string)
                .collect::<Vec<_>>(),
            *classes,
            "{sql}"
        );
        assert_eq!(last.lock.name(), *lock, "{sql}");
    }
}

#[test]
fn whatever_else_is_refused() {
    for (sql, words) in REFUSED {
        let refusals = report(sql).refusals;
        assert!(!refusals.is_empty(), "accepted: {sql}");
        let reasons: Vec<&str> = refusals
            .iter()
            .map(|refusal| refusal.reason.as_str())
            .collect();
        assert!(
            reasons.iter().any(|reason| reason.contains(words)),
            "{sql}\n{reasons:?}\nnot {words:?}"
        );
    }
}

#[test]
fn every_class_of_the_list_has_an_example() {
    let prelude = classify(&[file("V1__test.sql", BEFORE)]);
    let examples: Vec<MigrationReport> = ACCEPTED
        .iter()
        .map(|(sql, ..)| report(sql))
        .chain(prelude)
        .collect();
    for row in ADDITIVE {
        let shown = examples
            .iter()
            .flat_map(|r| &r.statements)
            .any(|s| s.classes.contains(&row.class));
        assert!(shown, "{} has no example", row.name);
        assert_eq!(row.class.row().name, row.name);
    }
}

#[test]
fn a_refusal_names_file_and_line() {
    let report = report(
        "-- first\nCREATE TABLE s.t (a int);\n\n/* and\n   then */ DROP TABLE s.base;\nDELETE FROM s.base",
    );
    let lines: Vec<usize> = report.refusals.iter().map(|refusal| refusal.line).collect();
    assert_eq!(lines, [5, 6]);
    assert_eq!(report.statements[0].line, 2);
    assert_eq!(
        report.refusals[0].to_string(),
        "V2__test.sql, line 5: DROP TABLE: it removes what exists"
    );
}

#[test]
fn what_does_not_parse_is_refused_with_its_line() {
    let report = report("CREATE TABLE s.t (a int);\n\nCREATE TABEL s.u (a int);");
    assert_eq!(report.refusals[0].line, 3, "{:?}", report.refusals);
}

#[test]
fn only_an_index_built_concurrently_runs_outside_a_transaction() {
    assert_eq!(report("CREATE TABLE s.t (a int)").concurrent, None);
    assert_eq!(
        report("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s.base (id)").concurrent,
        Some(("i".to_owned(), "base".to_owned()))
    );
}

#[test]
fn the_second_linter_finds_what_locks_too_long() {
    let findings = locks::findings("CREATE INDEX i ON s.base (id)", true);
    assert!(
        findings
            .iter()
            .any(|(_, reason)| reason.contains("require-concurrent-index-creation")),
        "{findings:?}"
    );
}

#[test]
fn names_are_not_touched_by_their_case_or_quotes() {
    // "Base" is another table than base: what holds for one does not hold for the other.
    let report = report("CREATE TABLE s.\"Base2\" (a int); CREATE INDEX i ON s.base2 (a)");
    assert_eq!(report.refusals.len(), 1);
}
