use super::*;
use crate::migrations::Migrations;

fn files() -> Vec<Migration> {
    Migrations::embedded()
        .in_schema(&Schema::new("public").unwrap())
        .unwrap()
}

fn row(migration: &Migration) -> Applied {
    Applied {
        version: migration.version,
        name: migration.name.clone(),
        applied_on: String::new(),
        checksum: migration.checksum.to_string(),
    }
}

#[test]
fn a_history_that_fits() {
    let files = files();
    let applied: Vec<_> = files.iter().take(3).map(row).collect();
    assert_eq!(problems(&applied, &files), Vec::<String>::new());
    assert_eq!(problems(&[], &files), Vec::<String>::new());
}

#[test]
fn changed_missing_newer_skipped() {
    let files = files();
    let mut applied: Vec<_> = files.iter().map(row).collect();
    applied[0].checksum = "1".to_owned();
    applied[1].name = "other".to_owned();
    applied.remove(2);
    applied.push(Applied {
        version: 999,
        ..applied[0].clone()
    });
    let found = problems(&applied, &files);
    assert_eq!(found.len(), 4, "{found:?}");
    for (problem, word) in found.iter().zip(["changed", "called", "newer", "missing"]) {
        assert!(problem.contains(word), "{problem}");
    }
    let missing = problems(&[row(&files[1])], &files[2..]);
    assert!(missing[0].contains("its file is missing"), "{missing:?}");
}
