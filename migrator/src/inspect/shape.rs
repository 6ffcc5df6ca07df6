//! What tables must look like for the registry to live in them: columns, keys by their columns (whatever their
//! names are), foreign keys.

use super::facts::{BUNDLE, Column, INSTALL, LOG_TABLES, REGISTRY, Relation, VERSION};
use super::finding::Finding;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Uuid,
    /// `text`, or `varchar` of at least this length.
    Text(u32),
    Jsonb,
    Smallint,
    Bigint,
    Bytea,
    Boolean,
    Timestamp,
}

/// Whether tables of the old schema have the column already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    Old,
    /// A migration adds it.
    Migrated,
}

struct ColumnRule {
    name: &'static str,
    data_type: Type,
    since: Since,
    /// Part of what identifies a row.
    not_null: bool,
    /// Finalize writes NULL into it where the publisher gives nothing.
    takes_null: bool,
}

const fn column(name: &'static str, data_type: Type) -> ColumnRule {
    ColumnRule {
        name,
        data_type,
        since: Since::Old,
        not_null: false,
        takes_null: false,
    }
}

const fn key(name: &'static str, data_type: Type) -> ColumnRule {
    ColumnRule {
        not_null: true,
        ..column(name, data_type)
    }
}

const fn nullable(name: &'static str, data_type: Type) -> ColumnRule {
    ColumnRule {
        takes_null: true,
        ..column(name, data_type)
    }
}

const fn migrated(rule: ColumnRule) -> ColumnRule {
    ColumnRule {
        since: Since::Migrated,
        ..rule
    }
}

struct TableRule {
    name: &'static str,
    columns: &'static [ColumnRule],
    /// Each a choice of column sets, sorted by name.
    keys: &'static [&'static [&'static [&'static str]]],
    /// Column and the table it points at.
    foreign_keys: &'static [(&'static str, &'static str)],
    /// Finalize inserts here.
    published: bool,
}

const NAME: Type = Type::Text(255);

const TABLES: [TableRule; 8] = [
    TableRule {
        name: REGISTRY,
        columns: &[
            key("id", Type::Uuid),
            key("publisher", NAME),
            key("name", NAME),
            nullable("display_name", Type::Text(1)),
            nullable("description", Type::Text(1)),
            column("created_at", Type::Timestamp),
            column("updated_at", Type::Timestamp),
        ],
        keys: &[&[&["id"]], &[&["name", "publisher"]]],
        foreign_keys: &[],
        published: true,
    },
    TableRule {
        name: VERSION,
        columns: &[
            key("id", Type::Uuid),
            key("registry_id", Type::Uuid),
            key("version", NAME),
            column("runtime", NAME),
            column("main_entry", NAME),
            column("api", Type::Jsonb),
            migrated(column("api_endpoints", Type::Jsonb)),
            nullable("ui", Type::Jsonb),
            column("capabilities", Type::Jsonb),
            migrated(nullable("assets", Type::Jsonb)),
            column("created_at", Type::Timestamp),
            migrated(key("adopted", Type::Boolean)),
        ],
        keys: &[&[&["id"]], &[&["registry_id", "version"]]],
        foreign_keys: &[("registry_id", REGISTRY)],
        published: true,
    },
    TableRule {
        name: BUNDLE,
        columns: &[
            key("id", Type::Uuid),
            key("version_id", Type::Uuid),
            // sha256: and 64 digits
            key("content_hash", Type::Text(71)),
            nullable("signature", Type::Text(255)),
            nullable("precompiled", Type::Jsonb),
            migrated(nullable("storage_url", Type::Text(255))),
            migrated(nullable("size_bytes", Type::Bigint)),
            column("created_at", Type::Timestamp),
            migrated(key("adopted", Type::Boolean)),
        ],
        keys: &[&[&["id"]], &[&["content_hash", "version_id"]]],
        foreign_keys: &[("version_id", VERSION)],
        published: true,
    },
    TableRule {
        name: INSTALL,
        columns: &[
            key("id", Type::Uuid),
            key("tenant_id", Type::Text(1)),
            key("registry_id", Type::Uuid),
            key("version_id", Type::Uuid),
            column("status", Type::Text(1)),
            column("granted_caps", Type::Jsonb),
            column("config", Type::Jsonb),
            column("is_enabled", Type::Boolean),
            column("created_at", Type::Timestamp),
            column("updated_at", Type::Timestamp),
        ],
        keys: &[
            &[&["id"], &["id", "tenant_id"]],
            &[&["registry_id", "tenant_id"]],
        ],
        foreign_keys: &[("registry_id", REGISTRY), ("version_id", VERSION)],
        published: false,
    },
    TableRule {
        name: LOG_TABLES[0],
        columns: &[
            key("leaf_index", Type::Bigint),
            key("version_id", Type::Uuid),
            column("bundle_id", Type::Uuid),
            column("label", Type::Text(1)),
            key("leaf_hash", Type::Bytea),
        ],
        keys: &[&[&["leaf_index"]], &[&["bundle_id", "version_id"]]],
        foreign_keys: &[],
        published: false,
    },
    TableRule {
        name: LOG_TABLES[1],
        columns: &[
            key("level", Type::Smallint),
            key("index", Type::Bigint),
            key("hashes", Type::Bytea),
            key("root", Type::Bytea),
        ],
        keys: &[&[&["index", "level"]]],
        foreign_keys: &[],
        published: false,
    },
    TableRule {
        name: LOG_TABLES[2],
        columns: &[
            key("tree_size", Type::Bigint),
            key("root", Type::Bytea),
            key("origin", Type::Text(1)),
            key("sealed_at", Type::Timestamp),
        ],
        keys: &[&[&["tree_size"]]],
        foreign_keys: &[],
        published: false,
    },
    TableRule {
        name: LOG_TABLES[3],
        columns: &[
            key("tree_size", Type::Bigint),
            key("line", Type::Text(1)),
            key("created_at", Type::Timestamp),
        ],
        keys: &[&[&["line", "tree_size"]]],
        foreign_keys: &[("tree_size", LOG_TABLES[2])],
        published: false,
    },
];

impl Type {
    fn accepts(self, data_type: &str) -> bool {
        match self {
            Self::Uuid => data_type == "uuid",
            Self::Jsonb => data_type == "jsonb",
            Self::Smallint => data_type == "smallint",
            Self::Bigint => data_type == "bigint",
            Self::Bytea => data_type == "bytea",
            Self::Boolean => data_type == "boolean",
            Self::Timestamp => data_type == "timestamp with time zone",
            Self::Text(shortest) => match data_type.strip_prefix("character varying") {
                Some("") => true,
                Some(length) => length
                    .trim_matches(['(', ')'])
                    .parse()
                    .is_ok_and(|length: u32| length >= shortest),
                None => data_type == "text",
            },
        }
    }

    fn name(self) -> String {
        match self {
            Self::Uuid => "uuid".to_owned(),
            Self::Jsonb => "jsonb".to_owned(),
            Self::Smallint => "smallint".to_owned(),
            Self::Bigint => "bigint".to_owned(),
            Self::Bytea => "bytea".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Timestamp => "timestamp with time zone".to_owned(),
            Self::Text(1) => "text or character varying".to_owned(),
            Self::Text(shortest) => format!("text or character varying({shortest}) or longer"),
        }
    }
}

/// The columns that callers may rely on.
pub fn column_names(table: &str) -> Vec<&'static str> {
    TABLES
        .iter()
        .filter(|rule| rule.name == table)
        .flat_map(|rule| rule.columns)
        .map(|column| column.name)
        .collect()
}

/// What does not fit in `relation`, which has the name of one of the tables.
///
/// `migrated`: the columns that migrations add must be there too.
pub fn misfits(relation: &Relation, migrated: bool) -> Vec<Finding> {
    let Some(rule) = TABLES.iter().find(|rule| rule.name == relation.name) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if let Some(finding) = one_step_older(relation) {
        findings.push(finding);
    }
    for column in rule.columns {
        findings.extend(column_misfit(relation, column, migrated));
    }
    for choice in rule.keys {
        let found = relation.indexes.iter().any(|index| {
            index.valid
                && index.arbiter
                && choice.iter().any(|columns| same(&index.columns, columns))
        });
        if !found {
            let columns = choice
                .iter()
                .map(|columns| format!("({})", columns.join(", ")));
            findings.push(Finding::error(
                "KEY_MISSING",
                &relation.name,
                format!(
                    "no unique key over {}",
                    columns.collect::<Vec<_>>().join(" or ")
                ),
            ));
        }
    }
    for (column, target) in rule.foreign_keys {
        let keys = relation.constraints.iter().filter(|constraint| {
            constraint.kind == "f"
                && same(&constraint.columns, &[column])
                && constraint.references.as_deref() == Some(target)
        });
        let enforced: Vec<bool> = keys.map(|key| key.enforced).collect();
        if !enforced.contains(&true) {
            let what = if enforced.is_empty() {
                "no foreign key"
            } else {
                "no foreign key that is enforced"
            };
            findings.push(Finding::error(
                "FOREIGN_KEY_MISSING",
                &relation.name,
                format!("{what} from {column} to {target}"),
            ));
        }
    }
    findings
}

fn column_misfit(relation: &Relation, rule: &ColumnRule, migrated: bool) -> Option<Finding> {
    let Some(column) = relation.column(rule.name) else {
        let required = migrated || rule.since == Since::Old;
        return required.then(|| {
            Finding::error(
                "COLUMN_MISSING",
                &relation.name,
                format!("no column {} ({})", rule.name, rule.data_type.name()),
            )
        });
    };
    let object = || format!("{}.{}", relation.name, rule.name);
    if !rule.data_type.accepts(&column.data_type) {
        return Some(Finding::error(
            "COLUMN_TYPE",
            object(),
            format!(
                "is {} instead of {}",
                column.data_type,
                rule.data_type.name()
            ),
        ));
    }
    if column.generated {
        return Some(Finding::error(
            "COLUMN_GENERATED",
            object(),
            "is GENERATED ALWAYS: nothing can be inserted into it",
        ));
    }
    (rule.not_null && !column.not_null).then(|| {
        Finding::error(
            "COLUMN_NULLABLE",
            object(),
            "may be NULL, and identifies rows",
        )
    })
}

/// The schema before the one that can be adopted.
fn one_step_older(relation: &Relation) -> Option<Finding> {
    let has = |name| relation.column(name).is_some();
    let older = relation.name == INSTALL
        && ((has("enabled") && !has("is_enabled")) || (has("installed_at") && !has("created_at")));
    older.then(|| {
        Finding::error(
            "OLDER_SCHEMA",
            INSTALL,
            "is one step older than what can be adopted: it has enabled or installed_at instead of is_enabled \
             and created_at; run the app's own migrations first",
        )
    })
}

/// Columns that make finalize fail although the table can be adopted.
pub fn refuses_publishing(relation: &Relation) -> Vec<Finding> {
    let Some(rule) = TABLES
        .iter()
        .find(|rule| rule.name == relation.name && rule.published)
    else {
        return Vec::new();
    };
    let fails = |column: &&Column| match rule.columns.iter().find(|known| known.name == column.name)
    {
        Some(known) => known.takes_null && column.not_null,
        None => column.not_null && column.default.is_none() && !column.generated,
    };
    relation
        .columns
        .iter()
        .filter(fails)
        .map(|column| {
            Finding::note(
                "COLUMN_REQUIRED",
                format!("{}.{}", relation.name, column.name),
                "is NOT NULL and finalize has no value for it: publishing will fail with 23502",
            )
        })
        .collect()
}

fn same(left: &[String], right: &[&str]) -> bool {
    left.iter().map(String::as_str).eq(right.iter().copied())
}
