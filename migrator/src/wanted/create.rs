//! The statements that make an object again: its own definition.

use super::compare::Comparison;
use super::object::{Kind, Object};
use crate::schema::quote_ident;

impl Comparison<'_> {
    /// The statement that takes it away.
    pub(super) fn drop(&self, object: &Object) -> String {
        let (table, name) = (
            self.schema.qualified(&object.table),
            quote_ident(&object.name),
        );
        match object.kind {
            Kind::Index => {
                format!(
                    "DROP INDEX CONCURRENTLY {}",
                    self.schema.qualified(&object.name)
                )
            }
            Kind::Trigger => format!("DROP TRIGGER {name} ON {table}"),
            Kind::Default => format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"),
            _ => format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        }
    }

    pub(super) fn always(&self, trigger: &Object) -> String {
        format!(
            "ALTER TABLE {} ENABLE ALWAYS TRIGGER {}",
            self.schema.qualified(&trigger.table),
            quote_ident(&trigger.name)
        )
    }

    /// The statements that make the object.
    pub(super) fn create(&self, wanted: &Object) -> Vec<String> {
        let table = self.schema.qualified(&wanted.table);
        let name = quote_ident(&wanted.name);
        let definition = &wanted.definition;
        match wanted.kind {
            Kind::NotNull => vec![format!(
                "ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL"
            )],
            Kind::Default => vec![format!(
                "ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {definition}"
            )],
            Kind::Constraint if wanted.is_key() => {
                vec![format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
                )]
            }
            // Proven for the rows that exist in a step of its own, which lets writers go on.
            Kind::Constraint => vec![format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"
            )],
            Kind::Index => {
                vec![definition.replacen(" INDEX ", " INDEX CONCURRENTLY IF NOT EXISTS ", 1)]
            }
            Kind::Trigger => vec![definition.clone(), self.always(wanted)],
            Kind::Function => {
                let function = self.schema.qualified_function(&wanted.name);
                let mut statements = vec![
                    wanted.whole(),
                    format!("REVOKE ALL ON FUNCTION {function} FROM PUBLIC"),
                ];
                statements.extend(wanted.comment.as_ref().map(|comment| {
                    format!(
                        "COMMENT ON FUNCTION {function} IS '{}'",
                        comment.replace('\'', "''")
                    )
                }));
                statements
            }
            Kind::Table | Kind::Column | Kind::EventTrigger => Vec::new(),
        }
    }
}
