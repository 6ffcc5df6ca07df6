//! What the DDL guard consists of: its schema, its function and its event triggers, by owner and definition.

use super::DdlGuard;
use super::code::Code;
use super::compare::Comparison;
use super::finding::Finding;
use super::object::Kind;
use crate::schema::quote_ident;
use crate::situation::facts::{EventTrigger, Owner};

const SCHEMA: &str = "ext_registry_ddl_guard";

impl Comparison<'_> {
    /// Whether the DDL guard is there, and whole.
    pub fn ddl_guard(&self) -> DdlGuard {
        match (self.has_traces(), self.broken_ddl_guard()) {
            (false, _) => DdlGuard::Off,
            (true, None) => DdlGuard::On,
            (true, Some(_)) => DdlGuard::Broken,
        }
    }

    fn has_traces(&self) -> bool {
        self.facts.ddl_guard_schema_owner.is_some() || !self.facts.event_triggers.is_empty()
    }

    pub(super) fn broken_ddl_guard(&self) -> Option<Finding> {
        if !self.has_traces() {
            return None;
        }
        let mut broken: Vec<_> = self
            .ddl_guard
            .iter()
            .filter(|wanted| {
                let found = self.found.iter().find(|found| found.is(wanted));
                !found.is_some_and(|found| wanted.same(found))
            })
            .map(|wanted| format!("{} is missing or another", wanted.name))
            .collect();
        let silent = self.facts.event_triggers.iter();
        broken.extend(
            silent
                .filter(|trigger| trigger.enabled != "A")
                .map(|trigger| format!("{} is not ENABLE ALWAYS", trigger.name)),
        );
        // Where a provider lets others than superusers create event triggers, all of it belongs to one of them.
        let makers = &self.facts.event_triggers;
        broken.extend(self.of_others(|role| {
            !makers.is_empty() && makers.iter().all(|trigger| trigger.owner.owner == role)
        }));
        (!broken.is_empty()).then(|| {
            Finding::new(
                Code::DdlGuardBroken,
                SCHEMA,
                format!("the DDL guard is not whole: {}", broken.join(", ")),
            )
            .with_mend(format!(
                "ext-migrate up --ddl-guard, or {}",
                self.without_ddl_guard()
            ))
        })
    }

    /// What stands under the names of the DDL guard and would run, as part of it, the code of another role with the
    /// rights of whoever gives a command. Empty where it is ours, by owner and definition, or not there.
    pub fn not_ours_in_ddl_guard(&self) -> Vec<String> {
        let mut found = self.of_others(|_| false);
        let triggers = self.facts.event_triggers.iter();
        found.extend(
            triggers
                .filter(|trigger| !self.is_wanted(trigger))
                .map(|trigger| format!("not ours: {}", trigger.definition)),
        );
        found
    }

    /// Drops what there is of it, in an order in which nobody's code runs: DDL on event triggers fires none.
    pub fn without_ddl_guard(&self) -> String {
        let triggers = self.facts.event_triggers.iter();
        let mut drops: Vec<_> = triggers
            .filter(|trigger| !self.is_wanted(trigger) || !self.of_others(|_| false).is_empty())
            .map(|trigger| format!("DROP EVENT TRIGGER {}", quote_ident(&trigger.name)))
            .collect();
        if self.facts.ddl_guard_schema_owner.is_some() {
            drops.push(format!("DROP SCHEMA {SCHEMA} CASCADE"));
        }
        drops.join("; ")
    }

    fn is_wanted(&self, trigger: &EventTrigger) -> bool {
        self.ddl_guard.iter().any(|wanted| {
            wanted.kind == Kind::EventTrigger
                && wanted.name == trigger.name
                && wanted.definition == trigger.definition
        })
    }

    /// What belongs neither to a superuser, nor to the connected role, nor to one that is `trusted`.
    fn of_others(&self, trusted: impl Fn(&str) -> bool) -> Vec<String> {
        let other = |owner: &str, superuser: bool| {
            !superuser && owner != self.facts.role && !trusted(owner)
        };
        let belongs = |what: &str, owner: &str| format!("{what} belongs to {owner:?}");
        let mut found = Vec::new();
        if let Some(Owner { owner, superuser }) = &self.facts.ddl_guard_schema_owner
            && other(owner, *superuser)
        {
            found.push(belongs(&format!("schema {SCHEMA}"), owner));
        }
        for function in &self.facts.functions {
            if function.ddl_guard && other(&function.owner, function.owner_superuser) {
                let name = format!("function {SCHEMA}.{}", function.signature);
                found.push(belongs(&name, &function.owner));
            }
        }
        for EventTrigger { name, owner, .. } in &self.facts.event_triggers {
            if other(&owner.owner, owner.superuser) {
                found.push(belongs(&format!("event trigger {name}"), &owner.owner));
            }
        }
        found
    }
}
