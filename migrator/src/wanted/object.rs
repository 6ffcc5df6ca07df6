//! The objects of the registry, each by its whole definition as the server prints it.

use serde::{Deserialize, Serialize};

use crate::situation::facts::{Facts, Function, Relation};

/// In the file, `"@schema@"` stands for the schema of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub kind: Kind,
    /// Of a column, constraint, index or trigger.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// Of a function with the types of its arguments.
    pub name: String,
    /// Of a function with `@body@` for its body.
    pub definition: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Table,
    /// Type and collation.
    Column,
    NotNull,
    Default,
    Constraint,
    /// One that belongs to no constraint.
    Index,
    Trigger,
    Function,
    EventTrigger,
}

impl Object {
    pub fn new(kind: Kind, table: &str, name: &str, definition: impl Into<String>) -> Self {
        Self {
            kind,
            table: table.to_owned(),
            name: name.to_owned(),
            definition: definition.into(),
            body: None,
            comment: None,
        }
    }

    /// The same thing, whatever its definition.
    pub fn is(&self, other: &Self) -> bool {
        self.kind == other.kind && self.table == other.table && self.name == other.name
    }

    /// For people.
    pub fn label(&self) -> String {
        match self.kind {
            Kind::Trigger | Kind::Constraint => format!("{} on {}", self.name, self.table),
            Kind::Column | Kind::NotNull | Kind::Default => format!("{}.{}", self.table, self.name),
            _ => self.name.clone(),
        }
    }

    /// With the real names: in definitions as the server prints it, in bodies as they were written.
    pub fn in_schema(&self, schema: &str, printed: &str, written: &str) -> Self {
        let fill = |text: &String, name: &str| {
            text.replace("\"@schema@\"", name)
                .replace("'@schema@'", &format!("'{schema}'"))
        };
        Self {
            definition: fill(&self.definition, printed),
            body: self.body.as_ref().map(|body| fill(body, written)),
            ..self.clone()
        }
    }

    /// A primary or unique key.
    pub fn is_key(&self) -> bool {
        self.kind == Kind::Constraint
            && ["PRIMARY KEY", "UNIQUE"]
                .iter()
                .any(|key| self.definition.starts_with(key))
    }

    /// A function with its body.
    pub fn whole(&self) -> String {
        match &self.body {
            Some(body) => self.definition.replace("@body@", body),
            None => self.definition.clone(),
        }
    }

    /// Both say the same.
    pub fn same(&self, found: &Self) -> bool {
        self.prints_as(&found.definition) && self.body == found.body
    }

    /// The same for columns of type `varchar` and `text`, which the server prints with and without a cast.
    pub fn prints_as(&self, definition: &str) -> bool {
        match self.kind {
            Kind::Constraint | Kind::Index | Kind::Trigger => {
                without_casts(&self.definition) == without_casts(definition)
            }
            _ => self.definition == definition,
        }
    }

    fn of_relation(relation: &Relation) -> Vec<Self> {
        let table = relation.name.as_str();
        let mut objects = vec![Self::new(Kind::Table, "", table, "TABLE")];
        for column in &relation.columns {
            objects.push(Self::new(Kind::Column, table, &column.name, column.shape()));
            if column.not_null {
                objects.push(Self::new(Kind::NotNull, table, &column.name, "NOT NULL"));
            }
            if let Some(default) = &column.default {
                objects.push(Self::new(Kind::Default, table, &column.name, default));
            }
        }
        objects.extend(relation.constraints.iter().map(|constraint| {
            Self::new(
                Kind::Constraint,
                table,
                &constraint.name,
                &constraint.definition,
            )
        }));
        let indexes = relation
            .indexes
            .iter()
            .filter(|index| index.constraint.is_none());
        objects.extend(
            indexes.map(|index| Self::new(Kind::Index, table, &index.name, &index.definition)),
        );
        objects.extend(
            relation
                .triggers
                .iter()
                .map(|trigger| Self::new(Kind::Trigger, table, &trigger.name, &trigger.definition)),
        );
        objects
    }

    fn of_function(function: &Function) -> Self {
        let name = match function.ddl_guard {
            true => format!("ext_registry_ddl_guard.{}", function.signature),
            false => function.signature.clone(),
        };
        Self {
            body: Some(function.body.clone()),
            comment: function.comment.clone(),
            ..Self::new(Kind::Function, "", &name, &function.definition)
        }
    }

    /// All that there is.
    pub fn all(facts: &Facts) -> Vec<Self> {
        let tables = facts
            .relations
            .iter()
            .filter(|relation| relation.is_table());
        let mut objects: Vec<_> = tables.flat_map(Self::of_relation).collect();
        objects.extend(facts.functions.iter().map(Self::of_function));
        objects.extend(
            facts.event_triggers.iter().map(|trigger| {
                Self::new(Kind::EventTrigger, "", &trigger.name, &trigger.definition)
            }),
        );
        objects
    }
}

/// `(name)::text` becomes `name`.
fn without_casts(definition: &str) -> String {
    let mut result = String::with_capacity(definition.len());
    let mut rest = definition;
    while let Some((before, after)) = rest.split_once(")::text") {
        match before.rsplit_once('(') {
            Some((start, name))
                if name
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '.') =>
            {
                result.push_str(start);
                result.push_str(name);
            }
            _ => {
                result.push_str(before);
                result.push_str(")::text");
            }
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests;
