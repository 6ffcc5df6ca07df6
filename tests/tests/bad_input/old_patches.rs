//! Wildcards beside adopted rows that are nearly SemVer.

use ext_registry_tests::{Database, Server, old_schema};

use crate::call::Call;
use crate::ground::Ground;

/// A database of the old schema with these versions of p/n, adopted.
fn adopted(versions: &[&str]) -> Ground {
    let db: Database<'static> = Server::shared().empty_database();
    db.client()
        .batch_execute(&old_schema::old_schema(&[]))
        .unwrap();
    let mut client = db.client();
    client
        .batch_execute("INSERT INTO extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'p', 'n')")
        .unwrap();
    for version in versions {
        client
            .execute(
                "INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, api)
                 SELECT gen_random_uuid(), id, $1, 'a@b', 'main', '{}' FROM extension_registry",
                &[version],
            )
            .unwrap();
    }
    db.ext_migrate(&["up"]).succeeded();
    Ground::on(db)
}

fn next(ground: &mut Ground, series: &str) -> String {
    let text = format!(r#"{{"publisher":"p","name":"n","version":"{series}.*","runtime":"a@b"}}"#);
    ground.call(&Call::of(text)).published()
}

#[test]
fn only_versions_count() {
    let mut ground = adopted(&[
        "1.2.7",
        "1.2.18446744073709551616",
        "1.2.99999999999999999999999999",
        "1.2.9.9",
        "1.2.08",
        "v1.2.50",
        "1.2.60-x",
        "1.2.70+",
        "1.2.71+a..b",
        "1.2.72+.a",
        "1.2.73+a.",
        "1.2.74+a+b",
        "1.3.18446744073709551616",
        " 1.2.80",
    ]);
    assert_eq!(next(&mut ground, "1.2"), "1.2.8");
    assert_eq!(next(&mut ground, "1.3"), "1.3.0");
}

#[test]
fn the_last_number_of_a_series_counts_and_higher_ones_do_not() {
    let mut ground = adopted(&[
        "1.2.9007199254740991",
        "1.3.9007199254740990",
        "1.3.9007199254740992",
        "1.3.18446744073709551615",
        "1.3.18446744073709551617",
    ]);
    let text = r#"{"publisher":"p","name":"n","version":"1.2.*","runtime":"a@b"}"#;
    ground.call(&Call::of(text)).with_issues(&["version"]);
    assert_eq!(next(&mut ground, "1.3"), "1.3.9007199254740991");
}

/// Many such rows cost nothing: the index is entered below them.
#[test]
fn numbers_from_2_to_the_53_on_are_not_read() {
    let mut ground = adopted(&["1.2.7"]);
    ground
        .client
        .batch_execute(
            "SET session_replication_role = replica;
             INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, api, adopted)
             SELECT gen_random_uuid(), r.id, '1.2.' || 9007199254740991::numeric + n, 'a@b', 'main', '{}', true
             FROM extension_registry r, generate_series(1, 20000) n;
             SET session_replication_role = origin;
             ANALYZE extension_version",
        )
        .unwrap();
    let read = |ground: &mut Ground| {
        ground
            .client
            .batch_execute("SELECT pg_stat_force_next_flush()")
            .unwrap();
        let sql = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'extension_version_release_idx'";
        ground.client.query_one(sql, &[]).unwrap().get::<_, i64>(0)
    };
    let before = read(&mut ground);
    for patch in 8..18 {
        assert_eq!(next(&mut ground, "1.2"), format!("1.2.{patch}"));
    }
    let after = read(&mut ground);
    assert!(
        after - before < 200,
        "read {} index entries for ten wildcards",
        after - before
    );
}
