//! Plans are kept for the life of a session: one made on tables that were empty must not scan them as they grow.

use ext_registry_tests::{Refusal, Server, finalize, hash, manifest, publish};

#[test]
fn a_bulk_import_into_analyzed_empty_tables_scans_none_of_them() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client.batch_execute("VACUUM ANALYZE").unwrap();
    let mut import = client.transaction().unwrap();
    for patch in 0..100 {
        publish(&mut import, &format!("1.0.{patch}"));
        publish(&mut import, "1.1.*");
    }
    let mut again = import.savepoint("again").unwrap();
    finalize(&mut again, &manifest("1.0.7"), &hash(1))
        .refused()
        .with_sqlstate("23505");
    drop(again);
    let scanned = import
        .query(
            "SELECT relname::text, seq_tup_read FROM pg_stat_xact_user_tables
             WHERE relname LIKE 'extension%' AND seq_tup_read > 0",
            &[],
        )
        .unwrap();
    let scanned: Vec<(String, i64)> = scanned.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(scanned, []);
}
