//! The table of characters that cannot be seen, against another implementation of Unicode's tables.

use std::fmt::Write;

use ext_registry_core::INVISIBLE;
use regex_syntax::hir::{Class, HirKind};

/// Where this fails after an update of `regex-syntax`, Unicode has changed: the panic prints the table to put in.
#[test]
fn the_table_is_that_of_unicode() {
    let class = r"[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\x{2800}]";
    let parsed = regex_syntax::parse(class).unwrap();
    let HirKind::Class(Class::Unicode(class)) = parsed.kind() else {
        panic!("no class: {parsed:?}")
    };
    let ranges: Vec<_> = class
        .iter()
        .map(|range| (range.start(), range.end()))
        .collect();
    let table = ranges
        .iter()
        .fold(String::new(), |mut table, (first, last)| {
            let _ = writeln!(
                table,
                "    ({}, {}),",
                first.escape_unicode(),
                last.escape_unicode()
            );
            table
        });
    let table = table
        .replace("(\\", "('\\")
        .replace(", \\", "', '\\")
        .replace("),", "'),");
    assert!(ranges == INVISIBLE, "{} ranges:\n{table}", ranges.len());
}
