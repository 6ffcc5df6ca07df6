//! What the planner makes of the list: EXPLAIN shows the caller's query on the indexes, without the function.

use postgres::Client;
use serde_json::Value;

use crate::cost::{BIG, SMALL, large};

/// The plan as JSON.
fn explain(client: &mut Client, statement: &str) -> Value {
    let statement = format!("EXPLAIN (FORMAT JSON) {statement}");
    let row = client
        .query_one(&statement, &[])
        .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    row.get::<_, Value>(0)[0]["Plan"].take()
}

/// Every node of a plan with all nodes below it, from the top down.
fn nodes(plan: &Value) -> Vec<&Value> {
    let below = plan["Plans"].as_array().into_iter().flatten();
    std::iter::once(plan).chain(below.flat_map(nodes)).collect()
}

fn reads_versions(node: &Value) -> bool {
    node["Relation Name"] == "extension_version"
}

/// The one node that reads versions, which must be an index scan that no function hides, and that nothing sorts
/// unless it finds one row at most.
#[track_caller]
fn scan<'p>(plan: &'p Value, statement: &str) -> &'p Value {
    let all = nodes(plan);
    for node in &all {
        let kind = node["Node Type"].as_str().unwrap();
        assert_ne!(kind, "Function Scan", "not inlined: {statement}\n{plan:#}");
        if kind.contains("Sort") && node["Plan Rows"] != 1 {
            assert!(
                !nodes(node).into_iter().any(reads_versions),
                "versions are sorted: {statement}\n{plan:#}"
            );
        }
    }
    let scans: Vec<&Value> = all
        .into_iter()
        .filter(|node| reads_versions(node))
        .collect();
    let [scan] = scans[..] else {
        panic!("{} scans: {statement}\n{plan:#}", scans.len())
    };
    assert!(
        matches!(
            scan["Node Type"].as_str(),
            Some("Index Scan" | "Index Only Scan")
        ),
        "{statement}\n{plan:#}"
    );
    scan
}

/// Condition on the list, the index it reaches, and what that index is asked.
const QUERIES: [(&str, &str, &[&str]); 8] = [
    ("LIMIT 20", "extension_version_list_idx", &["registry_id"]),
    (
        "ORDER BY published_at DESC NULLS LAST, version_id DESC LIMIT 20",
        "extension_version_list_idx",
        &["registry_id"],
    ),
    (
        "WHERE (published_at, version_id) < ($2::timestamptz, $3::uuid)
         ORDER BY published_at DESC NULLS LAST, version_id DESC LIMIT 20",
        "extension_version_list_idx",
        &["registry_id", "ROW(created_at, id) <"],
    ),
    (
        "LIMIT 20 OFFSET 40",
        "extension_version_list_idx",
        &["registry_id"],
    ),
    (
        "WHERE (published_at, version_id) < ($2::timestamptz, $3::uuid) LIMIT 20",
        "extension_version_list_idx",
        &["registry_id", "ROW(created_at, id) <"],
    ),
    (
        "WHERE published_at IS NULL AND version_id < $3::uuid LIMIT 20",
        "extension_version_list_idx",
        &["registry_id", "created_at IS NULL", "id <"],
    ),
    (
        "WHERE version = '1.0.77'",
        "extension_version_registry_id_version_unique",
        &["registry_id", "version"],
    ),
    (
        "WHERE version_id = $3::uuid",
        "extension_version_pkey",
        &["id"],
    ),
];

const EXTENSIONS: [&str; 2] = [SMALL, BIG];
const ARGUMENTS: [&str; 3] = ["", ", 'tenant-7'", ", NULL"];
const TIME: &str = "'2021-01-01'";
const ID: &str = "'00000000-0000-7000-8000-000000000309'";

#[test]
fn a_page_and_an_equality_reach_their_indexes() {
    let mut client = large().client();
    for extension in EXTENSIONS {
        for tenant in ARGUMENTS {
            for (condition, index, asked) in QUERIES {
                let condition = condition.replace("$2", TIME).replace("$3", ID);
                let statement =
                    format!("SELECT * FROM ext_list_versions('{extension}'{tenant}) {condition}");
                let plan = explain(&mut client, &statement);
                assert_reaches(&plan, &statement, index, asked);
            }
        }
    }
}

#[track_caller]
fn assert_reaches(plan: &Value, statement: &str, index: &str, asked: &[&str]) {
    let scan = scan(plan, statement);
    assert_eq!(scan["Index Name"], index, "{statement}\n{plan:#}");
    let condition = scan["Index Cond"].as_str().unwrap_or_default();
    for part in asked {
        assert!(condition.contains(part), "no {part}: {statement}\n{plan:#}");
    }
}

#[test]
fn prepared_statements_reach_the_same_indexes() {
    for mode in ["force_generic_plan", "force_custom_plan"] {
        let mut client = large().client();
        client
            .batch_execute(&format!("SET plan_cache_mode = {mode}"))
            .unwrap();
        let mut number = 0;
        for (call, arguments) in [
            ("ext_list_versions($1::uuid, $4::text)", "'tenant-7'"),
            ("ext_list_versions($1::uuid, $4::text)", "NULL"),
        ] {
            for (condition, index, asked) in QUERIES {
                number += 1;
                let setup = format!(
                    "PREPARE list_{number} (uuid, timestamptz, uuid, text) AS
                     SELECT * FROM {call} {condition}"
                );
                client.batch_execute(&setup).unwrap();
                for extension in EXTENSIONS {
                    let statement =
                        format!("EXECUTE list_{number} ('{extension}', {TIME}, {ID}, {arguments})");
                    let plan = explain(&mut client, &statement);
                    assert_reaches(&plan, &format!("{mode} {setup}"), index, asked);
                }
            }
        }
    }
}

/// Sorting may still be estimated to cost less where all rows are wanted: the index has their order all the same.
#[test]
fn the_whole_list_in_its_default_order_needs_no_sort() {
    let mut client = large().client();
    client.batch_execute("SET enable_sort = off").unwrap();
    for extension in EXTENSIONS {
        for tenant in ARGUMENTS {
            for order in ["", "ORDER BY published_at DESC NULLS LAST, version_id DESC"] {
                let statement =
                    format!("SELECT * FROM ext_list_versions('{extension}'{tenant}) {order}");
                let plan = explain(&mut client, &statement);
                assert_eq!(
                    scan(&plan, &statement)["Index Name"],
                    "extension_version_list_idx"
                );
            }
        }
    }
}

#[test]
fn a_lateral_call_is_inlined_too() {
    let mut client = large().client();
    let statement = format!(
        "SELECT l.* FROM (VALUES ('{BIG}'::uuid), ('{SMALL}'::uuid)) e (id),
             LATERAL (SELECT * FROM ext_list_versions(e.id, 'tenant-7') LIMIT 3) l"
    );
    let plan = explain(&mut client, &statement);
    assert_eq!(
        scan(&plan, &statement)["Index Name"],
        "extension_version_list_idx"
    );
    assert_eq!(client.query(&statement, &[]).unwrap().len(), 6);
}

#[test]
fn the_install_and_the_bundle_come_from_their_unique_indexes() {
    let mut client = large().client();
    let statement = format!("SELECT * FROM ext_list_versions('{BIG}', 'tenant-7') LIMIT 20");
    let plan = explain(&mut client, &statement);
    for (table, index) in [
        (
            "tenant_extension_install",
            "tenant_extension_install_tenant_id_registry_id_unique",
        ),
        ("extension_bundle", "extension_bundle_version_id"),
    ] {
        let scans: Vec<&Value> = nodes(&plan)
            .into_iter()
            .filter(|node| node["Relation Name"] == table)
            .collect();
        assert!(!scans.is_empty(), "{plan:#}");
        for scan in scans {
            let name = scan["Index Name"].as_str().unwrap_or_default();
            assert!(name.starts_with(index), "{table}: {plan:#}");
        }
    }
}
