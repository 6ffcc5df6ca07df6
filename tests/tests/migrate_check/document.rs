//! `doc/findings.md` holds one row for each code, made from the table in the source. `UPDATE_FINDINGS=1` writes it anew.

use ext_migrate::wanted::Level;
use ext_migrate::wanted::code::{ROWS, Row};
use ext_registry_tests::workspace_root;

fn table(rows: &[&Row]) -> String {
    let mut text = String::from("| code | about | what mends it |\n|---|---|---|\n");
    for row in rows {
        let note = match row.level {
            Level::Note => "note: ",
            Level::Error => "",
        };
        text.push_str(&format!(
            "| `{}` | {note}{} | {} |\n",
            row.name, row.about, row.mend
        ));
    }
    text.replace("|  |", "| |")
}

#[test]
fn the_document_is_made_from_the_source() {
    let path = workspace_root().join("doc/findings.md");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for citus in [false, true] {
        let rows: Vec<_> = ROWS.iter().filter(|row| row.citus == citus).collect();
        let marks = match citus {
            false => ("<!-- codes -->\n", "<!-- end of codes -->\n"),
            true => (
                "<!-- codes of Citus -->\n",
                "<!-- end of codes of Citus -->\n",
            ),
        };
        let start = text.find(marks.0).expect("the beginning is marked") + marks.0.len();
        let end = text.find(marks.1).expect("the end is marked");
        if std::env::var_os("UPDATE_FINDINGS").is_some() {
            text.replace_range(start..end, &table(&rows));
            std::fs::write(&path, &text).unwrap();
        } else {
            assert_eq!(
                &text[start..end],
                table(&rows),
                "UPDATE_FINDINGS=1 writes it"
            );
        }
    }
}
