//! EXECUTE is all that a caller of the log needs, and without it nobody gets anything.

use ext_registry_tests::{Refusal, Server, publish};

use crate::world::seal;

const CALLS: [(&str, &str); 8] = [
    (
        "ext_version_leaf(uuid)",
        "SELECT * FROM ext_version_leaf((SELECT gen_random_uuid()))",
    ),
    ("ext_seal_log(text)", "SELECT * FROM ext_seal_log()"),
    (
        "ext_sign_checkpoint(bigint, text)",
        "SELECT ext_sign_checkpoint(2, 'key AAAAAAAA')",
    ),
    (
        "ext_log_checkpoint(bigint)",
        "SELECT * FROM ext_log_checkpoint()",
    ),
    (
        "ext_inclusion_proof(bigint, bigint)",
        "SELECT ext_inclusion_proof(0)",
    ),
    (
        "ext_consistency_proof(bigint, bigint)",
        "SELECT ext_consistency_proof(2)",
    ),
    (
        "ext_log_tile(integer, bigint, integer)",
        "SELECT ext_log_tile(0, 0)",
    ),
    ("ext_verify_log()", "SELECT * FROM ext_verify_log()"),
];

#[test]
fn execute_is_the_gate() {
    let db = Server::shared().migrated_database();
    let mut admin = db.client();
    publish(&mut admin, "1.0.0");
    seal(&mut admin);
    let role = db.create_role("nobody");
    let mut client = db.client_as(&role);
    for (signature, call) in CALLS {
        client.query(call, &[]).refused().with_sqlstate("42501");
        admin
            .batch_execute(&format!("GRANT EXECUTE ON FUNCTION {signature} TO {role}"))
            .unwrap();
        client.query(call, &[]).unwrap();
    }
    for table in [
        "extension_version",
        "extension_log_leaf",
        "extension_log_tile",
        "extension_log_checkpoint",
        "extension_log_signature",
    ] {
        client
            .query(&format!("SELECT 1 FROM {table}"), &[])
            .refused()
            .with_sqlstate("42501");
    }
}

/// What `grant` gives to whom.
#[test]
fn sealers_auditors_and_publishers() {
    let db = Server::shared().migrated_database();
    let mut admin = db.client();
    publish(&mut admin, "1.0.0");
    seal(&mut admin);
    let may = [
        (
            "publisher",
            [true, false, false, true, true, true, true, false],
            [false; 4],
        ),
        (
            "sealer",
            [false, true, true, true, true, true, true, false],
            [false, false, true, true],
        ),
        (
            "auditor",
            [true, false, false, true, true, true, true, true],
            [true; 4],
        ),
        ("reader", [false; 8], [false; 4]),
    ];
    for (kind, calls, tables) in may {
        let role = db.create_role(kind);
        db.ext_migrate(&["grant", &format!("--{kind}"), &role])
            .succeeded();
        let mut client = db.client_as(&role);
        for ((signature, call), allowed) in CALLS.iter().zip(calls) {
            let outcome = client.query(*call, &[]);
            assert_eq!(outcome.is_ok(), allowed, "{kind} {signature} {outcome:?}");
            if !allowed {
                outcome.refused().with_sqlstate("42501");
            }
        }
        let names = [
            "extension_log_leaf",
            "extension_log_tile",
            "extension_log_checkpoint",
            "extension_log_signature",
        ];
        for (table, allowed) in names.into_iter().zip(tables) {
            let outcome = client.query(&format!("SELECT 1 FROM {table}"), &[]);
            assert_eq!(outcome.is_ok(), allowed, "{kind} {table}");
        }
    }
}

/// A registry whose owner is no superuser: nothing runs with more rights than the owner has.
#[test]
fn the_owner_of_the_tables_does_the_work() {
    let db = Server::shared().empty_database();
    let owner = db.create_role("owner");
    db.client()
        .batch_execute(&format!(
            "GRANT CREATE ON DATABASE {} TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}",
            db.name()
        ))
        .unwrap();
    ext_registry_tests::ext_migrate()
        .args(["up", "--database-url", &db.url_as(&owner)])
        .output()
        .map(|output| assert!(output.status.success(), "{output:?}"))
        .unwrap();
    let mut client = db.client_as(&owner);
    publish(&mut client, "1.0.0");
    // Superusers come in handy for an attacker: the trigger must not run as one.
    client
        .batch_execute(
            "CREATE TABLE who (name text);
             CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN INSERT INTO public.who VALUES (current_user); RETURN NEW; END$$;
             CREATE TRIGGER spy BEFORE INSERT ON extension_log_leaf FOR EACH ROW EXECUTE FUNCTION spy()",
        )
        .unwrap();
    assert_eq!(seal(&mut db.client()).appended, 2);
    let names: String = client
        .query_one("SELECT string_agg(DISTINCT name, ' ') FROM who", &[])
        .unwrap()
        .get(0);
    assert_eq!(names, owner);
}

/// Whoever has INSERT on the tables of the log, or on everything: only the owner's rows get in.
#[test]
fn rows_come_from_the_owner_alone() {
    let db = Server::shared().migrated_database();
    let mut admin = db.client();
    publish(&mut admin, "1.0.0");
    let [writer, granted, owner, member] =
        ["writer", "granted", "owner", "member"].map(|suffix| db.create_role(suffix));
    admin
        .batch_execute(&format!(
            "GRANT pg_write_all_data TO {writer};
             GRANT ALL ON ALL TABLES IN SCHEMA public TO {granted};
             GRANT SET ON PARAMETER session_replication_role TO {granted};
             GRANT EXECUTE ON FUNCTION ext_seal_log, ext_sign_checkpoint TO {granted};
             GRANT pg_read_server_files TO {writer}, {granted};
             GRANT {owner} TO {member};
             GRANT CREATE ON SCHEMA public TO {owner};
             DO $$
             DECLARE name text;
             BEGIN
                 FOR name IN SELECT relname FROM pg_class
                             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                 LOOP
                     EXECUTE format('ALTER TABLE %I OWNER TO {owner}', name);
                 END LOOP;
                 FOR name IN SELECT proname FROM pg_proc p
                             WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype
                 LOOP
                     EXECUTE format('ALTER FUNCTION %I() OWNER TO {owner}', name);
                 END LOOP;
             END $$"
        ))
        .unwrap();
    let inserts = [
        (
            "extension_log_leaf",
            "(leaf_index, version_id, leaf_hash) VALUES (1000, gen_random_uuid(), sha256(''))",
        ),
        (
            "extension_log_tile",
            "(level, index, hashes, root) VALUES (0, 1000, decode(repeat('00', 8192), 'hex'), sha256(''))",
        ),
        (
            "extension_log_checkpoint",
            "(tree_size, root, origin) VALUES (1000, sha256(''), 'evil')",
        ),
        (
            "extension_log_signature",
            "(tree_size, line) VALUES (1000, 'key AAAAAAAA')",
        ),
        ("ext_registry_schema_history", "(version) VALUES (1000)"),
    ];
    for (role, session) in [
        (&writer, ""),
        (&granted, ""),
        (&granted, "SET session_replication_role = replica"),
    ] {
        let mut client = db.client_as(role);
        client.batch_execute(session).unwrap();
        for (table, row) in inserts {
            for statement in [
                format!("INSERT INTO {table} {row}"),
                format!("INSERT INTO {table} {row} ON CONFLICT DO NOTHING"),
                format!("COPY {table} FROM '/dev/null'"),
            ] {
                client
                    .batch_execute(&statement)
                    .refused()
                    .with_sqlstate("42501")
                    .with_code("NOT_OWNER")
                    .with_detail("operation", "INSERT")
                    .with_table("public", table);
            }
        }
        for (statement, operation) in [
            ("DELETE FROM ext_registry_schema_history", "DELETE"),
            (
                "UPDATE ext_registry_schema_history SET version = 0",
                "UPDATE",
            ),
        ] {
            client
                .batch_execute(statement)
                .refused()
                .with_sqlstate("42501")
                .with_code("NOT_OWNER")
                .with_detail("operation", operation);
        }
    }
    // The functions write as the owner.
    let mut client = db.client_as(&granted);
    assert_eq!(seal(&mut client).appended, 2);
    client
        .batch_execute("SELECT ext_sign_checkpoint(2, 'key AAAAAAAA')")
        .unwrap();
    // Who has the owner's rights needs none of it: the owner, a member that inherits them, a superuser.
    for role in [owner.as_str(), &member, "postgres"] {
        let mut client = db.client_as(role);
        for (_, insert) in inserts.map(|(table, row)| (table, format!("INSERT INTO {table} {row}")))
        {
            let mut transaction = client.transaction().unwrap();
            transaction
                .batch_execute(
                    "INSERT INTO extension_log_checkpoint (tree_size, root, origin) VALUES (999, sha256(''), 'x')",
                )
                .unwrap();
            transaction
                .batch_execute(&insert.replace("VALUES (1000, 'key", "VALUES (999, 'key"))
                .unwrap_or_else(|error| panic!("{role}: {insert}: {error:?}"));
            transaction.rollback().unwrap();
        }
    }
}
