//! An adoption while the app goes on: nobody waits longer than the lock timeout, nothing fails, nothing is lost.
//! `EXT_REGISTRY_ONLINE_VERSIONS` says how many versions the large database has.

mod traffic;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use ext_registry_tests::old_schema::old_schema;
use ext_registry_tests::{Database, Outcome, Server, ext_migrate, soak_size};
use postgres::Client;
use traffic::{Traffic, Way};

/// What a statement may take on a busy machine, besides the wait that the lock timeout allows.
const SLACK: Duration = Duration::from_secs(20);

/// The old schema with so many versions, one bundle each.
fn old_database(versions: usize) -> Database<'static> {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    client.batch_execute(&old_schema(&[])).unwrap();
    client
        .batch_execute(&format!(
            "INSERT INTO extension_registry (id, publisher, name)
             SELECT md5('extension ' || n)::uuid, 'acme', 'extension ' || n FROM generate_series(0, 9) n;
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry)
             SELECT md5('version ' || n)::uuid, md5('extension ' || n % 10)::uuid,
                    '1.' || n / 1000 || '.' || n % 1000, 'node@18', 'main'
             FROM generate_series(0, {versions} - 1) n;
             INSERT INTO extension_bundle (id, version_id, content_hash, signature)
             SELECT md5('bundle ' || n)::uuid, md5('version ' || n)::uuid,
                    'sha256:' || md5('a' || n) || md5('b' || n), 'old'
             FROM generate_series(0, {versions} - 1) n;"
        ))
        .unwrap();
    client.batch_execute("VACUUM ANALYZE").unwrap();
    db
}

/// Number and content of the rows that were there first, with place and writing transaction.
fn old_rows(client: &mut Client) -> Vec<(i64, String)> {
    let columns = |prefix: &str, names: &str| {
        let names: Vec<_> = names
            .split(' ')
            .map(|name| format!("{prefix}.{name}"))
            .collect();
        names.join(", ")
    };
    let digest = |rows: &str, columns: &str| {
        format!(
            "SELECT count(*), md5(string_agg(md5(concat_ws(' ', o.ctid, o.xmin, ROW({columns}))), '' ORDER BY o.id))
             FROM {rows}"
        )
    };
    let queries = [
        digest(
            "extension_version o WHERE o.version LIKE '1.%'",
            &columns(
                "o",
                "id registry_id version runtime main_entry api ui capabilities created_at",
            ),
        ),
        digest(
            "extension_bundle o WHERE o.signature = 'old'",
            &columns(
                "o",
                "id version_id content_hash signature precompiled storage_url size_bytes created_at",
            ),
        ),
    ];
    queries
        .iter()
        .map(|query| {
            let row = client.query_one(query, &[]).unwrap();
            (row.get(0), row.get(1))
        })
        .collect()
}

/// Every acknowledged version is there with its bundle. Per writer, those that count as adopted come first: whoever
/// wrote before the guards stood; what `up` no longer saw never does.
fn assert_new_rows(client: &mut Client, traffic: &Traffic) {
    for writer in &traffic.writers {
        let versions: Vec<_> = writer
            .published
            .iter()
            .map(|new| new.version.as_str())
            .collect();
        let rows = client
            .query(
                "SELECT v.version, b.content_hash, v.adopted, b.adopted
                 FROM unnest($1::text[]) WITH ORDINALITY AS new (version, number)
                 JOIN extension_version v USING (version)
                 JOIN extension_bundle b ON b.version_id = v.id
                 ORDER BY number",
                &[&versions],
            )
            .unwrap();
        assert_eq!(rows.len(), versions.len());
        let mut last = (true, true);
        for (row, new) in rows.iter().zip(&writer.published) {
            assert_eq!(row.get::<_, &str>(0), new.version);
            assert_eq!(row.get::<_, &str>(1), new.hash);
            let adopted: (bool, bool) = (row.get(2), row.get(3));
            assert!(
                adopted.0 <= last.0 && adopted.1 <= last.1,
                "{new:?} is marked as old after one that is not"
            );
            if new.afterwards || new.way == Way::Finalize {
                assert_eq!(adopted, (false, false), "{new:?}");
            }
            last = adopted;
        }
    }
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM extension_version WHERE version LIKE '2.%'),
                    (SELECT bool_and(adopted) FROM extension_version WHERE version LIKE '1.%'),
                    (SELECT bool_and(adopted) FROM extension_bundle WHERE signature = 'old')",
            &[],
        )
        .unwrap();
    assert_eq!(
        usize::try_from(row.get::<_, i64>(0)).unwrap(),
        traffic.published().count()
    );
    assert_eq!((row.get(1), row.get(2)), (true, true));
}

#[test]
fn an_app_goes_on_while_a_large_database_is_adopted() {
    let versions = soak_size("ONLINE_VERSIONS", 30_000, 500_000);
    let db = old_database(versions);
    let mut client = db.client();
    let before = old_rows(&mut client);
    let lock_timeout = Duration::from_secs(2);
    let ((up, took), traffic) = Traffic::during(&db, || {
        let begin = Instant::now();
        let up = db.ext_migrate(&["up", "--format", "json"]);
        (up, begin.elapsed())
    });
    traffic.report(&format!("adopting {versions} versions"), took);
    let _ = up.succeeded();

    assert!(
        traffic.worst() <= lock_timeout + SLACK,
        "{:?}",
        traffic.worst()
    );
    assert_eq!(old_rows(&mut client), before);
    assert_new_rows(&mut client, &traffic);
    for way in [Way::TwoStatements, Way::Transaction, Way::Finalize] {
        assert!(traffic.published().any(|new| new.way == way), "{way:?}");
    }
    for afterwards in [false, true] {
        assert!(traffic.published().any(|new| new.afterwards == afterwards));
    }
    let _ = db.ext_migrate(&["check"]).succeeded();
}

/// Starts `up` and gives it with the lines it logs.
fn start(db: &Database, lock_timeout: &str) -> (Child, impl Iterator<Item = String>) {
    let mut child = ext_migrate()
        .args([
            "up",
            "--lock-timeout",
            lock_timeout,
            "--database-url",
            &db.url(),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    (child, log.lines().map(Result::unwrap))
}

#[test]
fn a_long_transaction_holds_up_nobody_but_the_migrator() {
    let db = old_database(2_000);
    let mut client = db.client();
    let before = old_rows(&mut client);
    let mut holder = db.client();
    let mut holding = holder.transaction().unwrap();
    holding
        .query("SELECT FROM extension_version LIMIT 1", &[])
        .unwrap();
    let (steps_back, traffic) = Traffic::during(&db, || {
        let begin = Instant::now();
        let (mut child, mut log) = start(&db, "300ms");
        let mut steps_back = 0;
        for line in log.by_ref() {
            steps_back += usize::from(line.contains("stepped back"));
            if steps_back == 3 {
                break;
            }
        }
        holding.commit().unwrap();
        let rest = log.collect::<Vec<_>>();
        assert!(child.wait().unwrap().success(), "{rest:?}");
        (steps_back, begin.elapsed())
    });
    traffic.report("adopting behind an open transaction", steps_back.1);
    assert_eq!(steps_back.0, 3);
    // Three times everybody stood behind the migrator in the queue, and three times it made way.
    assert!(
        traffic.worst() >= Duration::from_millis(200),
        "{:?}",
        traffic.worst()
    );
    assert!(
        traffic.worst() <= Duration::from_millis(300) + SLACK,
        "{:?}",
        traffic.worst()
    );
    assert_eq!(old_rows(&mut client), before);
    assert_new_rows(&mut client, &traffic);
}

#[test]
fn a_transaction_that_never_ends_leaves_nothing_half_done() {
    let db = old_database(2_000);
    let mut client = db.client();
    let before = old_rows(&mut client);
    let mut holder = db.client();
    let mut holding = holder.transaction().unwrap();
    holding
        .query("SELECT FROM extension_bundle LIMIT 1", &[])
        .unwrap();
    let up = || -> Outcome { db.ext_migrate(&["up", "--lock-timeout", "20ms"]) };
    let ((refused, took), traffic) = Traffic::during(&db, || {
        let begin = Instant::now();
        (up(), begin.elapsed())
    });
    traffic.report("giving up behind a transaction that never ends", took);
    let refused = refused.exited(5);
    assert!(
        refused.stderr.contains("V3__bundle_columns.sql"),
        "{refused:?}"
    );
    assert!(traffic.worst() <= SLACK, "{:?}", traffic.worst());
    let row = client
        .query_one(
            "SELECT (SELECT max(version) FROM ext_registry_schema_history),
                    EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'extension_bundle'::regclass
                            AND attname = 'adopted')",
            &[],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), (2, false));
    assert_eq!(old_rows(&mut client), before);

    holding.commit().unwrap();
    let _ = up().succeeded();
    assert_eq!(old_rows(&mut client), before);
    let row = client
        .query_one(
            "SELECT bool_and(v.adopted AND b.adopted), count(*)
             FROM extension_version v JOIN extension_bundle b ON b.version_id = v.id",
            &[],
        )
        .unwrap();
    let rows = 2_000 + traffic.published().count();
    assert_eq!(
        (row.get(0), usize::try_from(row.get::<_, i64>(1)).unwrap()),
        (true, rows)
    );
}
