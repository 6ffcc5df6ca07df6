//! Functions: the guards' and the extension's.

use super::code::Code;
use super::compare::Comparison;
use super::finding::{Finding, Phase};
use super::object::{Kind, Object};
use crate::schema::quote_ident;
use crate::situation::extension;
use crate::situation::facts::Function;

impl Comparison<'_> {
    /// A guard's function, or one of the extension: each belongs to somebody else, and is mended by somebody else.
    pub(super) fn function(&self, wanted: &Object, of_extension: bool) -> Vec<Finding> {
        let name = wanted.name.as_str();
        let qualified = self.schema.qualified_function(name);
        let (missing, changed, owner) = match of_extension {
            false => (
                Code::GuardFunctionMissing,
                Code::GuardFunctionChanged,
                Code::GuardFunctionOwner,
            ),
            true => (
                Code::ExtensionFunctionMissing,
                Code::ExtensionFunctionChanged,
                Code::ExtensionFunctionChanged,
            ),
        };
        let repaired = |code, message: &str, statements: Vec<String>| {
            let finding = Finding::new(code, name, message);
            match of_extension {
                true => self.by_superuser(finding, name, statements),
                false => {
                    finding.with_repair(Phase::Function, name, self.table_of(wanted), statements)
                }
            }
        };
        let add = format!(
            "ALTER EXTENSION {} ADD FUNCTION {qualified}",
            extension::NAME
        );
        let found = self.found.iter().find(|found| found.is(wanted));
        let (Some(found), Some(function)) = (found, self.facts.function(name)) else {
            let mut statements = self.create(wanted);
            if of_extension {
                let owner = self.facts.owner().unwrap_or(&self.facts.role);
                statements.extend([add, extension::grant_to(owner)]);
            }
            return vec![repaired(missing, "the function is not there", statements)];
        };
        let of_tables = self.facts.owner().unwrap_or(&function.owner);
        let (belongs, to) = match of_extension {
            true => (function.owner_superuser, "CURRENT_USER".to_owned()),
            false => (function.owner == of_tables, quote_ident(of_tables)),
        };
        if !belongs {
            // Nobody but its owner can replace it: the rest is for the run after that.
            let message = format!(
                "belongs to {:?} instead of the owner of the tables, {of_tables:?}, or of the extension",
                function.owner
            );
            let mend = format!("ALTER FUNCTION {qualified} OWNER TO {to}");
            return vec![Finding::new(owner, name, message).with_mend(mend)];
        }
        let mut findings = Vec::new();
        if !wanted.same(found) {
            let statements = self.create(wanted);
            findings.push(repaired(changed, &difference(wanted, found), statements));
        }
        if of_extension && !function.member {
            let message = "does not belong to the extension any more";
            findings.push(Finding::new(changed, name, message).with_mend(add));
        }
        if function.public_execute {
            let revoke = format!("REVOKE ALL ON FUNCTION {qualified} FROM PUBLIC");
            findings.push(repaired(
                Code::PublicRight,
                "PUBLIC may call it",
                vec![revoke],
            ));
        }
        findings
    }

    /// The functions of a trusted extension belong to the superuser who made the database cluster.
    pub(super) fn by_superuser(
        &self,
        finding: Finding,
        object: &str,
        statements: Vec<String>,
    ) -> Finding {
        let sql = statements.join("; ");
        let finding = finding.with_repair(Phase::Extension, object, extension::NAME, statements);
        match self.facts.superuser {
            true => finding,
            false => Finding {
                mended_by_up: false,
                repairs: Vec::new(),
                ..finding.with_mend(format!("as superuser ext-migrate up, or: {sql}"))
            },
        }
    }

    /// A dump does not say who installed the extension: whoever restores it becomes that, and the grants that the owner
    /// of the tables had made are refused.
    pub fn owner_right(&self) -> Option<Finding> {
        let owner = self.facts.owner()?;
        let locked_out = |function: &&Function| function.member && !function.owner_execute;
        self.facts.functions.iter().find(locked_out)?;
        let finding = Finding::new(
            Code::OwnerRight,
            extension::NAME,
            format!(
                "{owner:?}, the owner of the tables, may not call the extension's functions nor grant them: another role \
                 has installed it, as in a restore"
            ),
        );
        Some(self.by_superuser(finding, extension::NAME, vec![extension::grant_to(owner)]))
    }

    /// The table whose guard it is.
    pub(super) fn table_of(&self, function: &Object) -> &str {
        let called = format!("EXECUTE FUNCTION {}", self.printed(&function.name));
        self.made
            .iter()
            .find(|object| object.kind == Kind::Trigger && object.definition.ends_with(&called))
            .map_or("", |trigger| trigger.table.as_str())
    }

    pub(super) fn printed(&self, name: &str) -> String {
        format!("{}.{name}", self.facts.quoted_schema)
    }
}

/// What is not as shipped: lines of the definition that differ, and the body.
fn difference(wanted: &Object, found: &Object) -> String {
    let mut differences = Vec::new();
    let lines = |one: &Object, other: &Object| -> Vec<String> {
        let has = |line: &&str| !other.definition.lines().any(|l| l == *line);
        one.definition
            .lines()
            .filter(has)
            .map(|line| line.trim().to_owned())
            .collect()
    };
    let (lost, new) = (lines(wanted, found), lines(found, wanted));
    if !lost.is_empty() {
        differences.push(format!("without {}", lost.join(", ")));
    }
    if !new.is_empty() {
        differences.push(format!("with {}", new.join(", ")));
    }
    if wanted.body != found.body {
        differences.push("another body".to_owned());
    }
    format!("is not as shipped: {}", differences.join("; "))
}
