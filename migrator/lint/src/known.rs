//! What the statements so far have created: new tables may be locked, and own functions replaced.

use std::collections::HashSet;

use pg_query::NodeEnum;
use pg_query::protobuf::ObjectWithArgs;

use super::names::{Name, type_text};

/// A function, with its argument types where overloading matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    pub name: Name,
    pub arguments: Vec<String>,
}

impl Signature {
    /// As GRANT and COMMENT name a function: with its arguments, else `None`.
    pub fn of(object: &ObjectWithArgs) -> Option<Self> {
        let arguments = object.objargs.iter().map(|node| match &node.node {
            Some(NodeEnum::TypeName(argument)) => Some(type_text(argument)),
            _ => None,
        });
        if object.args_unspecified {
            return None;
        }
        Some(Self {
            name: Name::of(&object.objname)?,
            arguments: arguments.collect::<Option<_>>()?,
        })
    }
}

/// Grows from statement to statement, over all files of a set.
#[derive(Debug, Default)]
pub struct Known {
    /// Created by this file for certain: not where IF NOT EXISTS may have found one.
    tables_of_file: HashSet<Name>,
    functions_of_file: HashSet<Signature>,
    functions: HashSet<Signature>,
    triggers: HashSet<(Name, String)>,
    /// Own triggers that this file dropped and has not both created again and set to ENABLE ALWAYS.
    dropped_of_file: Vec<(Name, String)>,
    remade_of_file: HashSet<(Name, String)>,
    /// SECURITY DEFINER functions of this file that PUBLIC may still call.
    open_to_public: Vec<Signature>,
    closed_to_public: HashSet<Signature>,
}

impl Known {
    pub fn begin_file(&mut self) {
        self.tables_of_file.clear();
        self.functions_of_file.clear();
        self.open_to_public.clear();
        self.dropped_of_file.clear();
        self.remade_of_file.clear();
    }

    pub fn add_table(&mut self, table: Name) {
        self.tables_of_file.insert(table);
    }

    pub fn is_new_table(&self, table: &Name) -> bool {
        self.tables_of_file.contains(table)
    }

    pub fn add_function(&mut self, function: Signature, security_definer: bool) {
        if security_definer && !self.closed_to_public.contains(&function) {
            self.open_to_public.push(function.clone());
        }
        self.functions_of_file.insert(function.clone());
        self.functions.insert(function);
    }

    /// Created by this set, in this file or an earlier one.
    pub fn is_own_function(&self, function: &Signature) -> bool {
        self.functions.contains(function)
    }

    pub fn is_new_function(&self, function: &Signature) -> bool {
        self.functions_of_file.contains(function)
    }

    /// Created by this set, whatever its arguments.
    pub fn has_function(&self, schema: &str, name: &str) -> bool {
        self.functions
            .iter()
            .any(|f| f.name.schema == schema && f.name.name == name)
    }

    pub fn add_trigger(&mut self, table: Name, trigger: &str) {
        let trigger = (table, trigger.to_owned());
        if self.dropped_of_file.contains(&trigger) {
            self.remade_of_file.insert(trigger.clone());
        }
        self.triggers.insert(trigger);
    }

    /// Until [`Known::enabled_always`] finds it made anew, its file is refused.
    pub fn drop_trigger(&mut self, table: Name, trigger: &str) {
        let trigger = (table, trigger.to_owned());
        self.remade_of_file.remove(&trigger);
        self.dropped_of_file.push(trigger);
    }

    pub fn enabled_always(&mut self, table: &Name, trigger: &str) {
        let trigger = (table.clone(), trigger.to_owned());
        if self.remade_of_file.contains(&trigger) {
            self.dropped_of_file.retain(|dropped| *dropped != trigger);
        }
    }

    /// The first trigger that this file drops and does not make anew.
    pub fn left_dropped(&self) -> Option<&str> {
        let first = self.dropped_of_file.first();
        first.map(|(_, trigger)| trigger.as_str())
    }

    pub fn is_own_trigger(&self, table: &Name, trigger: &str) -> bool {
        self.triggers.contains(&(table.clone(), trigger.to_owned()))
    }

    pub fn revoked_from_public(&mut self, function: &Signature) {
        self.open_to_public.retain(|open| open != function);
        self.closed_to_public.insert(function.clone());
    }

    /// The first SECURITY DEFINER function that this file leaves open to PUBLIC.
    pub fn left_open(&self) -> Option<&Signature> {
        self.open_to_public.first()
    }
}
