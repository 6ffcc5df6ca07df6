//! Read-only transactions, parallel plans, two-phase commit.

use ext_registry_tests::{
    Database, Options, Refusal, Server, backend_pid, finalize, hash, list, manifest, row_counts,
    wait_until_blocked,
};
use postgres::Client;

#[test]
fn a_read_only_transaction_reads_and_does_not_publish() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    let published = finalize(&mut client, &manifest("1.0.0"), &hash(1)).unwrap();
    for read_only in [
        "BEGIN READ ONLY",
        "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE",
    ] {
        client.batch_execute(read_only).unwrap();
        let row = client
            .query_one("SELECT ext_extension_id('acme', 'widget')", &[])
            .unwrap();
        assert_eq!(row.get::<_, uuid::Uuid>(0), published.extension_id);
        assert_eq!(
            list(&mut client, published.extension_id, None)
                .unwrap()
                .len(),
            1
        );
        for version in ["1.0.0", "2.0.0", "1.0.*"] {
            client.batch_execute("SAVEPOINT here").unwrap();
            finalize(&mut client, &manifest(version), &hash(1))
                .refused()
                .with_sqlstate("25006");
            client.batch_execute("ROLLBACK TO SAVEPOINT here").unwrap();
        }
        client.batch_execute("COMMIT").unwrap();
    }
    assert_eq!(row_counts(&mut client), (1, 1, 1));
    finalize(&mut client, &manifest("2.0.0"), &hash(1)).unwrap();
}

/// Every plan that may be parallel is, and the answers are the same.
#[test]
fn parallel_plans_give_the_same_answers() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    publish_many(&mut client, 2_000);
    let tenant = "INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id)
                  SELECT gen_random_uuid(), 't', registry_id, id FROM extension_version WHERE version = '1.0.77'";
    client.batch_execute(tenant).unwrap();
    let questions = [
        "SELECT count(*)::text || sum(bundle_count) || max(version) || min(version) FILTER (WHERE installed)
         FROM ext_list_versions(ext_extension_id('acme', 'widget'), 't')",
        "SELECT count(*)::text || count(DISTINCT ext_extension_id('acme', 'widget')) FROM extension_version",
        "SELECT string_agg(l.version, ' ') FROM extension_registry r, ext_list_versions(r.id, 't') l WHERE l.installed",
        "SELECT count(*)::text FROM extension_version v
         WHERE v.id IN (SELECT version_id FROM ext_list_versions(v.registry_id, 't') WHERE version = v.version)
           AND v.version < '1.0.2'",
    ];
    let mut answers = |settings: &str| -> Vec<String> {
        client.batch_execute(settings).unwrap();
        questions
            .iter()
            .map(|question| client.query_one(*question, &[]).unwrap().get(0))
            .collect()
    };
    let alone = answers("SET max_parallel_workers_per_gather = 0");
    assert!(alone[0].starts_with("20002000"), "{alone:?}");
    let together = answers(
        "SET max_parallel_workers_per_gather = 4; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
         SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0",
    );
    assert_eq!(together, alone);
    let plan: Vec<String> = client
        .query(&format!("EXPLAIN (COSTS OFF) {}", questions[1]), &[])
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(plan.iter().any(|line| line.contains("Gather")), "{plan:#?}");

    // Forced: a function that were wrongly labelled as safe would fail in the worker.
    force_parallel(&mut client);
    let forced: Vec<String> = questions
        .iter()
        .map(|question| client.query_one(*question, &[]).unwrap().get(0))
        .collect();
    assert_eq!(forced, alone);
    finalize(&mut client, &manifest("3.0.0"), &hash(1)).unwrap();
    finalize(&mut client, &manifest("3.0.*"), &hash(1)).unwrap();
    finalize(&mut client, &manifest("3.0.1"), &hash(1))
        .refused()
        .with_sqlstate("23505");
}

fn publish_many(client: &mut Client, count: usize) {
    client
        .execute(
            "SELECT count(f.version) FROM generate_series(1, $1::integer) i, LATERAL ext_finalize_version(
                 jsonb_build_object('publisher', 'acme', 'name', 'widget', 'runtime', 'node@20', 'version', '1.0.' || i),
                 repeat('ab', 32)) f",
            &[&i32::try_from(count).unwrap()],
        )
        .unwrap();
    client.batch_execute("ANALYZE").unwrap();
}

/// The setting has another name since PostgreSQL 16.
fn force_parallel(client: &mut Client) {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::integer >= 160000",
            &[],
        )
        .unwrap();
    let setting = if row.get(0) {
        "debug_parallel_query"
    } else {
        "force_parallel_mode"
    };
    client
        .batch_execute(&format!("SET {setting} = on"))
        .unwrap();
}

/// A prepared publish holds its version until somebody decides.
#[test]
fn a_publish_takes_part_in_two_phase_commit() {
    let server = Server::start(&Options {
        conf: vec!["max_prepared_transactions = 5".to_owned()],
        ..Options::default()
    });
    let db = server.migrated_database();
    let mut client = db.client();
    finalize(&mut client, &manifest("0.1.0"), &hash(0)).unwrap();
    for version in ["1.0.0", "2.0.*"] {
        prepare(&mut client, version);
        let told = decide_while_waiting(&db, version, "COMMIT PREPARED 'publish'");
        match told {
            // A wildcard takes the next number.
            Ok(taken) => assert_eq!(taken, "2.0.1"),
            refused => {
                assert_eq!(version, "1.0.0");
                refused
                    .refused()
                    .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
                    .with_detail("same_content", true);
            }
        }
    }
    prepare(&mut client, "3.0.0");
    let told = decide_while_waiting(&db, "3.0.0", "ROLLBACK PREPARED 'publish'");
    assert_eq!(told.unwrap(), "3.0.0");
    assert_eq!(row_counts(&mut client), (1, 5, 5));
}

fn prepare(client: &mut Client, version: &str) {
    client.batch_execute("BEGIN").unwrap();
    finalize(client, &manifest(version), &hash(1)).unwrap();
    client
        .batch_execute("PREPARE TRANSACTION 'publish'")
        .unwrap();
}

/// Publishes the same once more, which has to wait, decides, and gives what the waiting one was told.
fn decide_while_waiting(
    db: &Database<'_>,
    version: &str,
    decision: &str,
) -> Result<String, postgres::Error> {
    let mut waiter = db.client();
    let pid = backend_pid(&mut waiter);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            finalize(&mut waiter, &manifest(version), &hash(1)).map(|published| published.version)
        });
        let mut decider = db.client();
        wait_until_blocked(&mut decider, pid);
        decider.batch_execute(decision).unwrap();
        waiting.join().unwrap()
    })
}
