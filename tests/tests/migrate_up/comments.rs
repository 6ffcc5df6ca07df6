//! `\d+` explains the tables: everything has a comment, and nobody's own is replaced.

use ext_registry_tests::{Database, Server, old_schema};

/// Tables, their columns, checks, unique constraints, triggers and other indexes that have no comment.
fn unexplained(db: &Database) -> Vec<String> {
    let rows = db.client().query(
        "WITH tables AS (
             SELECT c.oid
             FROM pg_class c
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'ext_registry_schema_history'
         ),
         objects (classid, objid, objsubid) AS (
             SELECT 'pg_class'::regclass, oid, 0 FROM tables
             UNION ALL
             SELECT 'pg_class'::regclass, t.oid, a.attnum
             FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
             -- What these are, their names say.
             WHERE a.attname NOT IN ('id', 'created_at', 'updated_at')
             UNION ALL
             SELECT 'pg_constraint'::regclass, k.oid, 0
             FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid
             WHERE k.contype = 'u' OR k.contype = 'c' AND k.conname NOT LIKE 'tenant_extension_install%'
             UNION ALL
             SELECT 'pg_trigger'::regclass, g.oid, 0
             FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
             UNION ALL
             SELECT 'pg_class'::regclass, i.indexrelid, 0
             FROM tables t JOIN pg_index i ON i.indrelid = t.oid
             WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
         )
         SELECT pg_describe_object(o.classid, o.objid, o.objsubid)
         FROM objects o
         WHERE NOT EXISTS (
             SELECT FROM pg_description d
             WHERE (d.classoid, d.objoid, d.objsubid) = (o.classid, o.objid, o.objsubid)
         )
         ORDER BY 1",
        &[],
    );
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn everything_in_a_fresh_database_has_one() {
    let db = Server::shared().migrated_database();
    assert_eq!(unexplained(&db), Vec::<String>::new());
}

#[test]
fn those_of_an_old_database_stay_and_the_others_are_added() {
    let db = Server::shared().empty_database();
    let sql = old_schema::old_schema(&[]) + old_schema::old_rows();
    let mut client = db.client();
    client
        .batch_execute(&format!(
            "{sql};
             COMMENT ON TABLE extension_bundle IS 'ours';
             COMMENT ON COLUMN extension_version.runtime IS 'our runtime';"
        ))
        .unwrap();
    let _ = db.ext_migrate(&["up"]).succeeded();
    let row = client
        .query_one(
            "SELECT obj_description('extension_bundle'::regclass, 'pg_class'),
                    col_description(a.attrelid, a.attnum)
             FROM pg_attribute a
             WHERE a.attrelid = 'extension_version'::regclass AND a.attname = 'runtime'",
            &[],
        )
        .unwrap();
    let found: (String, String) = (row.get(0), row.get(1));
    assert_eq!(found, ("ours".to_owned(), "our runtime".to_owned()));
    // Its own indexes stay as they are.
    let ours = |object: &String| !object.starts_with("index ");
    let unexplained: Vec<_> = unexplained(&db).into_iter().filter(ours).collect();
    assert_eq!(unexplained, Vec::<String>::new());
}

/// What a dump without comments has lost comes back with the next `up`; where nothing is missing, nothing is written.
#[test]
fn the_missing_ones_alone_are_written() {
    let db = Server::shared().migrated_database();
    let mut client = db.client();
    client
        .batch_execute(
            "COMMENT ON TRIGGER extension_version_immutable ON extension_version IS NULL",
        )
        .unwrap();
    let mut rows = || {
        let rows = client.query(
            "SELECT xmin::text || objoid FROM pg_description ORDER BY 1",
            &[],
        );
        let rows = rows.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    let before = rows();
    let _ = db.ext_migrate(&["up"]).succeeded();
    let after = rows();
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|row| after.contains(row)));
    let _ = db.ext_migrate(&["up"]).succeeded();
    assert_eq!(rows(), after);
}
