//! The schema that holds the registry, and quoting.

use std::fmt;

use crate::error::Error;

/// Longest name that PostgreSQL does not cut short.
pub const MAX_NAME_BYTES: usize = 63;

/// The name of a schema that an extension script can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(String);

impl Schema {
    /// Errors with [`Error::UnusableName`] (exit 2).
    pub fn new(name: &str) -> Result<Self, Error> {
        if name.is_empty() {
            return Err(Error::Usage("the schema name is empty".to_owned()));
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(Error::Usage(format!(
                "schema name {name:?} is longer than PostgreSQL's {MAX_NAME_BYTES} bytes"
            )));
        }
        extension_script_can_carry("schema", name)?;
        if name.starts_with("pg_") || name == "information_schema" {
            return Err(Error::Usage(format!(
                "schema name {name:?} is reserved for the system"
            )));
        }
        Ok(Self(name.to_owned()))
    }

    /// The bare name, as the catalogs hold it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name as SQL carries it; always in quotes, so that no keyword list is needed.
    pub fn quoted(&self) -> String {
        quote_ident(&self.0)
    }

    /// A table, index or type of it.
    pub fn qualified(&self, name: &str) -> String {
        format!("{}.{}", self.quoted(), quote_ident(name))
    }

    /// A function of it, given with the types of its arguments.
    pub fn qualified_function(&self, signature: &str) -> String {
        match signature.split_once('(') {
            Some((name, arguments)) => format!("{}({arguments}", self.qualified(name)),
            None => self.qualified(signature),
        }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `what` is "schema" or "owner". PostgreSQL refuses these in @extschema@ and @extowner@, its newest releases also
/// comment marks and the script's own placeholders.
pub fn extension_script_can_carry(what: &'static str, name: &str) -> Result<(), Error> {
    let refused = [
        "\"",
        "$",
        "'",
        "\\",
        "--",
        "/*",
        "*/",
        "@extowner@",
        "@extschema",
        "MODULE_PATHNAME",
    ];
    match refused.iter().any(|part| name.contains(part)) || name.chars().any(char::is_control) {
        true => Err(Error::UnusableName {
            what,
            name: name.to_owned(),
        }),
        false => Ok(()),
    }
}

/// An identifier in double quotes.
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
