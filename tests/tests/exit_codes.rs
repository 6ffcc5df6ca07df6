//! Every exit code of the contract, each provoked once. What else leads to a code is tested where it belongs.

use ext_registry_tests::{Database, Folder, Outcome, Server, ext_migrate};

/// Code, what it means, and how it comes about.
type Case = (i32, &'static str, fn(&Database) -> Outcome);

const CASES: &[Case] = &[
    (0, "done", |db| db.ext_migrate(&["up"])),
    (0, "nothing to do", |db| {
        let _ = db.ext_migrate(&["up"]).succeeded();
        db.ext_migrate(&["up"])
    }),
    (1, "the database cannot be adopted", |db| {
        execute(db, "CREATE TABLE extension_version ()");
        db.ext_migrate(&["up"])
    }),
    (1, "a migration fails", |db| {
        up_with(db, "ALTER TABLE @schema@.nowhere ADD COLUMN x int;")
    }),
    (2, "wrong usage", |db| {
        db.ext_migrate(&["up", "--no-such-option"])
    }),
    (2, "a name that an extension script cannot carry", |db| {
        db.ext_migrate(&["up", "--schema", "a$b"])
    }),
    (3, "status: migrations are pending", |db| {
        db.ext_migrate(&["status", "--exit-code"])
    }),
    (3, "plan: migrations are pending", |db| {
        db.ext_migrate(&["plan", "--exit-code"])
    }),
    (4, "history and files disagree", |db| {
        let _ = db.ext_migrate(&["up"]).succeeded();
        execute(
            db,
            "UPDATE ext_registry_schema_history SET checksum = '1' WHERE version = 1",
        );
        db.ext_migrate(&["up"])
    }),
    (5, "another run holds the lock", |db| {
        let mut holder = db.client();
        holder
            .query("SELECT FROM pg_advisory_lock(7311721948242339698)", &[])
            .unwrap();
        db.ext_migrate(&["up", "--wait", "0"])
    }),
    (5, "somebody holds a table", |db| {
        let _ = db.ext_migrate(&["up"]).succeeded();
        execute(
            db,
            "DROP TABLE extension_log_signature, extension_log_checkpoint, extension_log_tile, extension_log_leaf;
             DROP FUNCTION extension_log_immutable;
             DELETE FROM ext_registry_schema_history WHERE version >= 11",
        );
        let mut holder = db.client();
        let mut holding = holder.transaction().unwrap();
        holding
            .batch_execute("LOCK extension_version IN SHARE MODE")
            .unwrap();
        db.ext_migrate(&["up", "--lock-timeout", "5ms"])
    }),
    (6, "a destructive effect", |db| {
        execute(db, "CREATE TABLE mine ()");
        up_with(db, "DROP TABLE @schema@.mine;")
    }),
    (7, "no connection", |_| {
        let arguments = ["up", "--database-url", "postgres://127.0.0.1:1/nowhere"];
        ext_migrate().args(arguments).output().unwrap().into()
    }),
    (8, "a guard is missing", |db| {
        let _ = db.ext_migrate(&["up"]).succeeded();
        execute(
            db,
            "DROP TRIGGER extension_bundle_immutable ON extension_bundle",
        );
        db.ext_migrate(&["check"])
    }),
    (9, "a sealed version was changed", |db| {
        let _ = db.ext_migrate(&["up"]).succeeded();
        execute(
            db,
            r#"SELECT ext_finalize_version(
                   '{"publisher": "acme", "name": "widget", "version": "1.0.0", "runtime": "node@20"}', repeat('a', 64));
               SELECT ext_seal_log();
               ALTER TABLE extension_version DISABLE TRIGGER USER;
               UPDATE extension_version SET runtime = 'deno@1'"#,
        );
        db.ext_migrate(&["audit"])
    }),
];

fn execute(db: &Database, sql: &str) {
    db.client().batch_execute(sql).unwrap();
}

/// Runs `up` with one migration.
fn up_with(db: &Database, sql: &str) -> Outcome {
    let files = [("V1__only.sql".to_owned(), sql.to_owned())];
    Folder::of(&files).up(&db.url())
}

#[test]
fn each_exit_code_means_what_the_contract_says() {
    for (code, meaning, provoke) in CASES {
        eprintln!("{code}: {meaning}");
        let db = Server::shared().empty_database();
        let outcome = provoke(&db).exited(*code);
        // Whatever went wrong is said in words too.
        if [1, 2, 4, 5, 6, 7].contains(code) {
            assert!(!outcome.stderr.trim().is_empty(), "{outcome:?}");
        }
    }
    // None is left out: 9 is reserved.
    for code in 0..=8 {
        assert!(CASES.iter().any(|case| case.0 == code), "{code}");
    }
}
