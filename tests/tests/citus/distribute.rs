//! `distribute`: tables that hold rows and were made before Citus.

use std::collections::BTreeMap;

use ext_registry_tests::old_schema::{old_rows, old_schema};
use ext_registry_tests::{Refusal, Server, hash, list, publish};
use postgres::Client;
use serde_json::json;
use uuid::Uuid;

use crate::cluster::Cluster;

/// All rows of the four tables, by id, as text.
fn contents(client: &mut Client) -> BTreeMap<(String, Uuid), String> {
    let mut contents = BTreeMap::new();
    for table in ext_registry_tests::old_schema::TABLES {
        // As JSON: the tables' columns may come in another order.
        let rows = client
            .query(
                &format!("SELECT t.id, to_jsonb(t)::text FROM {table} t"),
                &[],
            )
            .unwrap();
        contents.extend(
            rows.iter()
                .map(|row| ((table.to_owned(), row.get(0)), row.get(1))),
        );
    }
    contents
}

#[test]
fn tables_with_rows_are_distributed_when_told_so() {
    let Some(mut cluster) = Cluster::without_citus() else {
        return;
    };
    let app = cluster.create_role("app");
    let mut client = cluster.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client.batch_execute(old_rows()).unwrap();
    client
        .batch_execute(&format!(
            "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {app}"
        ))
        .unwrap();
    cluster.ext_migrate(&["up"]).succeeded();
    let published = publish(&mut client, "9.0.0");
    let before = contents(&mut client);

    let missing = cluster.ext_migrate(&["distribute", "--yes"]).exited(1);
    assert!(
        missing.stderr.contains("CREATE EXTENSION citus"),
        "{}",
        missing.stderr
    );
    cluster.add_citus();
    // `up` leaves them where they are.
    let up = cluster
        .ext_migrate(&["up", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(up["citus"]["layout"], "local");
    let check = cluster
        .ext_migrate(&["check", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(check["findings"][0]["code"], "CITUS_LOCAL", "{check}");

    let plan = cluster.ext_migrate(&["distribute"]).succeeded();
    for part in [
        "create_reference_table",
        "PRIMARY KEY (tenant_id, id)",
        "REVOKE INSERT",
        "nothing was changed",
    ] {
        assert!(plan.stdout.contains(part), "no {part:?} in {}", plan.stdout);
    }
    let plan = cluster
        .ext_migrate(&["distribute", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&plan["done"], &plan["citus"]["layout"]),
        (&json!(false), &json!("local"))
    );

    let done = cluster
        .ext_migrate(&["distribute", "--yes", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&done["done"], &done["citus"]["layout"]),
        (&json!(true), &json!("distributed"))
    );
    assert_eq!(done["rows"]["extension_version"], 201);
    let mut client = cluster.client();
    assert_eq!(contents(&mut client), before);
    cluster.assert_replicas_agree();
    let check = cluster
        .ext_migrate(&["check", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(check["findings"], json!([]), "{check}");

    // What was there before the guards is as final as what comes after.
    let (version, bundles): (Uuid, i64) = {
        let row = client
            .query_one(
                "SELECT version_id, count(*) FROM extension_bundle GROUP BY version_id ORDER BY count(*) DESC LIMIT 1",
                &[],
            )
            .unwrap();
        (row.get(0), row.get(1))
    };
    assert!(bundles > 1);
    for old in [version, published.version_id] {
        client
            .execute(
                "INSERT INTO extension_bundle (id, version_id, content_hash) VALUES ($1, $2, $3)",
                &[&Uuid::new_v4(), &old, &hash(77)],
            )
            .refused()
            .with_sqlstate("23001");
    }
    client
        .batch_execute("DELETE FROM extension_version")
        .refused()
        .with_sqlstate("23001");
    let next = publish(&mut client, "9.1.0");
    assert_eq!(
        list(&mut client, next.extension_id, None).unwrap()[0].version,
        "9.1.0"
    );
    // On the workers, whose extension came with the tables.
    assert_eq!(
        list(&mut cluster.node(1), next.extension_id, Some("t")).unwrap()[0].version,
        "9.1.0"
    );
    let mut client = cluster.client_as(&app);
    let insert =
        "INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'a', 'b')";
    client
        .batch_execute(insert)
        .refused()
        .with_sqlstate("42501");
}

#[test]
fn what_does_not_fit_is_refused_with_every_reason() {
    let Some(cluster) = Cluster::without_citus() else {
        return;
    };
    let mut client = cluster.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client.batch_execute(old_rows()).unwrap();
    cluster.ext_migrate(&["up"]).succeeded();
    cluster.add_citus();
    client
        .batch_execute(
            "CREATE TABLE downloads (version_id uuid REFERENCES extension_version (id));
             CREATE UNIQUE INDEX one_config ON tenant_extension_install (config) WHERE config ? 'only';
             CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER noted AFTER INSERT ON extension_version FOR EACH ROW EXECUTE FUNCTION noted()",
        )
        .unwrap();
    let plan = cluster
        .ext_migrate(&["distribute", "--format", "json"])
        .exited(1)
        .json();
    let codes: Vec<_> = plan["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["code"])
        .collect();
    assert_eq!(
        codes,
        ["FOREIGN_KEY", "KEY_WITHOUT_TENANT", "FOREIGN_TRIGGER"],
        "{plan}"
    );
    cluster.ext_migrate(&["distribute", "--yes"]).exited(1);
    let row = client
        .query_one("SELECT count(*) FROM citus_tables", &[])
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

/// Needs no cluster.
#[test]
fn without_citus_there_is_nothing_to_distribute() {
    let db = Server::shared().migrated_database();
    for arguments in [&["distribute"][..], &["distribute", "--yes"]] {
        let refused = db.ext_migrate(arguments).exited(1);
        assert!(
            refused.stderr.contains("Citus is not installed"),
            "{}",
            refused.stderr
        );
    }
    // And nobody else hears of it.
    let status = db
        .ext_migrate(&["status", "--format", "json"])
        .succeeded()
        .json();
    assert!(status.get("citus").is_none(), "{status}");
}
