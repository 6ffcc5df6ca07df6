//! What locks too long or breaks clients, as squawk sees it: a second pair of eyes, with a parser of its own.

use squawk_linter::{Linter, Rule};
use squawk_syntax::SourceFile;

/// squawk's rules about locks, rewrites and transactions. Left out: those about style, those about SET lock_timeout
/// (`ext-migrate` sets it) and those that the list of additive statements holds already, only stricter.
const RULES: &[Rule] = &[
    Rule::AddingForeignKeyConstraint,
    Rule::AddingNotNullableField,
    Rule::AddingRequiredField,
    Rule::AddingSerialPrimaryKeyField,
    Rule::BanConcurrentIndexCreationInTransaction,
    Rule::BanTruncateCascade,
    Rule::BanUncommittedTransaction,
    Rule::ChangingColumnType,
    Rule::ConstraintMissingNotValid,
    Rule::DisallowedUniqueConstraint,
    Rule::IdentifierTooLong,
    Rule::RequireConcurrentIndexCreation,
    Rule::RequireConcurrentIndexDeletion,
    Rule::RequireConcurrentPartitionDetach,
    Rule::RequireConcurrentReindex,
    Rule::TransactionNesting,
];

/// Byte offset and message of everything found. `transactional` as the migration will run.
pub fn findings(sql: &str, transactional: bool) -> Vec<(usize, String)> {
    let file = SourceFile::parse(sql);
    let mut linter = Linter::from(RULES.iter().copied());
    linter.settings.assume_in_transaction = transactional;
    let violations = linter.lint(&file, sql);
    violations
        .into_iter()
        .map(|v| {
            (
                usize::from(v.text_range.start()),
                format!("squawk {}: {}", v.code, v.message),
            )
        })
        .collect()
}
