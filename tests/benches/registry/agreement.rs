//! That the baselines do the same work: they leave the same rows, and the PL/pgSQL function refuses what the
//! extension refuses. Comes before every measurement.

use ext_registry_tests::{Database, Server};
use postgres::Client;
use serde_json::{Value, json};

use crate::baselines::{CLIENT_FLOW, FINALIZE, PLPGSQL, RAW, Tables};
use crate::databases::empty;
use crate::publication::{Json, Publication};
use crate::sessions::connect;

const FUNCTIONS: [&str; 2] = ["ext_finalize_version", "baseline_finalize"];

/// # Panics
/// When a baseline does something else.
pub fn check(server: &Server) {
    let database = empty(server, Tables::Guarded);
    the_same_rows(&database);
    let mut client = connect(&database);
    the_same_answers(&mut client);
}

fn the_same_rows(database: &Database<'_>) {
    let mut publication = Publication::of_new_version(0, true);
    let rows: Vec<_> = [FINALIZE, PLPGSQL, RAW, CLIENT_FLOW]
        .into_iter()
        .map(|lane| {
            publication.name = lane.name.to_owned();
            (lane.open)(connect(database)).publish(&publication);
            stored(&mut connect(database), lane.name)
        })
        .collect();
    for row in &rows[1..] {
        assert_eq!(row, &rows[0]);
    }
}

/// Manifests that are no trouble, with and without everything optional, and manifests with every kind of issue.
fn the_same_answers(client: &mut Client) {
    let whole: Value =
        serde_json::from_str(&Publication::of_new_version(0, true).manifest()).expect("it is JSON");
    let endpoint = |method: &str, path: &str| json!({"api": {"endpoints": [{"method": method, "path": path, "handler": "h.js"}]}});
    let changes = [
        json!({}),
        json!({"capabilities": null, "ui": null, "api": null, "assets": null, "precompiled": null}),
        json!({"version": " 1.2.3-rc.1+build.5 "}),
        json!({"version": "3.4.*"}),
        json!({"api": {}}),
        endpoint("delete", "/a"),
        // From here on refused.
        json!({"publisher": null, "name": "", "version": "1.2", "runtime": "node"}),
        json!({"publisher": "a\u{7f}b", "name": "n".repeat(256), "version": 1, "runtime": " "}),
        json!({"version": "01.2.3"}),
        json!({"version": "1.2.18446744073709551616"}),
        json!({"version": "1.*"}),
        json!({"capabilities": [1, "a", null], "more": 1, "further": 2}),
        json!({"capabilities": "a", "assets": {}, "precompiled": [], "ui": 1, "api": []}),
        json!({"assets": ["../a", "a/%2e%2E/b", "a\\..", "a..b", 1]}),
        json!({"precompiled": {"a/..": "../x", "b": 2}}),
        json!({"ui": {"type": "window", "entry": "../index.html", "hooks": []}}),
        json!({"ui": {"hooks": {"a": {"b": ["x", "../y"]}}}}),
        json!({"api": {"endpoints": {}}}),
        json!({"api": {"endpoints": [1, {}, {"method": 1, "path": [], "handler": "../h"}]}}),
        endpoint("FETCH", "a"),
        endpoint("GET", "/a/../b"),
    ];
    for (number, change) in changes.iter().enumerate() {
        let [ours, theirs] = FUNCTIONS.map(|function| {
            let mut manifest = whole.clone();
            manifest["name"] = format!("{function}-{number}").into();
            for (field, value) in change.as_object().expect("it is one") {
                manifest[field] = value.clone();
            }
            answer(client, function, &manifest)
        });
        assert_eq!(ours, theirs, "{change}");
    }
    for function in FUNCTIONS {
        let mut manifest = whole.clone();
        manifest["name"] = format!("{function}-0").into();
        let again = answer(client, function, &manifest);
        assert!(matches!(again, Answer::Refused(code, _) if code == "23505"));
    }
}

#[derive(Debug, PartialEq)]
enum Answer {
    /// The rows.
    Published(Value),
    /// SQLSTATE, and the paths of the issues.
    Refused(String, Vec<String>),
}

fn answer(client: &mut Client, function: &str, manifest: &Value) -> Answer {
    let hash = "2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0F98A5E886266E7AE";
    let query = format!("SELECT * FROM {function}($1, $2)");
    let parameters: &[&(dyn postgres::types::ToSql + Sync)] = &[&Json(manifest.to_string()), &hash];
    let Err(error) = client.query_one(&query, parameters) else {
        let name = manifest["name"].as_str().unwrap_or_default();
        return Answer::Published(stored(client, name));
    };
    let error = error.as_db_error().expect("the server answers");
    let detail: Value = serde_json::from_str(error.detail().unwrap_or("null")).unwrap_or_default();
    let issues = detail["issues"].as_array().cloned().unwrap_or_default();
    let mut paths: Vec<_> = issues.iter().map(path).collect();
    paths.sort();
    Answer::Refused(error.code().code().to_owned(), paths)
}

/// What is inside a hook, or in a name with dots, the function does not spell out.
fn path(issue: &Value) -> String {
    let path = issue["path"].as_str().unwrap_or_default();
    ["ui.hooks", "precompiled"]
        .into_iter()
        .find(|prefix| path.starts_with(prefix))
        .unwrap_or(path)
        .to_owned()
}

/// The rows of an extension without what differs between any two: keys that grow with time, and times.
fn stored(client: &mut Client, name: &str) -> Value {
    let row = client.query_one(
        "SELECT jsonb_agg(jsonb_build_array(
             to_jsonb(r) - '{id,name,created_at,updated_at}'::text[],
             to_jsonb(v) - '{id,registry_id,created_at}'::text[],
             to_jsonb(b) - '{id,version_id,created_at}'::text[],
             substr(v.id::text, 15, 1) || substr(b.id::text, 15, 1),
             v.created_at = b.created_at))
         FROM extension_registry r
         JOIN extension_version v ON v.registry_id = r.id
         LEFT JOIN extension_bundle b ON b.version_id = v.id
         WHERE r.name = $1",
        &[&name],
    );
    row.expect("the app may read").get(0)
}
