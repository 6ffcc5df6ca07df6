//! The functions are those of the contract, name by name and type by type.

use ext_registry_tests::Server;

const TABLE: &str = "TABLE(extension_id uuid, version_id uuid, version text, content_hash text, \
                     published_at timestamp with time zone)";

#[test]
fn the_signatures_are_those_of_the_contract() {
    let db = Server::shared().migrated_database();
    let rows = db
        .client()
        .query(
            "SELECT p.proname::text, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)
             FROM pg_depend d
             JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ext_registry'
             JOIN pg_proc p ON p.oid = d.objid
             WHERE d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
             ORDER BY p.proname",
            &[],
        )
        .unwrap();
    let found: Vec<(String, String, String)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        (
            "ext_consistency_proof",
            "old_size bigint, new_size bigint DEFAULT NULL::bigint",
            "bytea[]",
        ),
        ("ext_extension_id", "publisher text, name text", "uuid"),
        (
            "ext_finalize_bundle",
            "manifest jsonb, bundle bytea, declared_hash text DEFAULT NULL::text, signature text DEFAULT NULL::text, \
             storage_url text DEFAULT NULL::text",
            TABLE,
        ),
        (
            "ext_finalize_version",
            "manifest jsonb, content_hash text, signature text DEFAULT NULL::text, storage_url text DEFAULT NULL::text, \
             size_bytes bigint DEFAULT NULL::bigint",
            TABLE,
        ),
        (
            "ext_inclusion_proof",
            "leaf_index bigint, tree_size bigint DEFAULT NULL::bigint",
            "bytea[]",
        ),
        (
            "ext_list_versions",
            "extension_id uuid, tenant_id text DEFAULT NULL::text",
            "TABLE(version_id uuid, version text, published_at timestamp with time zone, content_hash text, \
             installed boolean, bundle_count integer)",
        ),
        (
            "ext_log_checkpoint",
            "tree_size bigint DEFAULT NULL::bigint",
            "TABLE(origin text, tree_size bigint, root bytea, sealed_at timestamp with time zone, note text)",
        ),
        (
            "ext_log_tile",
            "level integer, index bigint, width integer DEFAULT NULL::integer",
            "bytea",
        ),
        (
            "ext_seal_log",
            "origin text DEFAULT NULL::text",
            "TABLE(origin text, tree_size bigint, root bytea, appended bigint, note text)",
        ),
        (
            "ext_sign_checkpoint",
            "tree_size bigint, line text",
            "void",
        ),
        (
            "ext_verify_log",
            "",
            "TABLE(finding text, leaf_index bigint, version_id uuid, bundle_id uuid, message text)",
        ),
        (
            "ext_version_leaf",
            "version_id uuid",
            "TABLE(bundle_id uuid, leaf_hash bytea, leaf_index bigint)",
        ),
    ]
    .map(|(name, arguments, result)| (name.to_owned(), arguments.to_owned(), result.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn the_extension_has_nothing_but_its_functions_and_all_have_comments() {
    let db = Server::shared().migrated_database();
    let row = db
        .client()
        .query_one(
            "SELECT count(*), count(*) FILTER (WHERE d.classid = 'pg_proc'::regclass),
                    bool_and(obj_description(d.objid, 'pg_proc') IS NOT NULL),
                    min(obj_description(e.oid, 'pg_extension'))
             FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ext_registry'
             WHERE d.deptype = 'e'",
            &[],
        )
        .unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (12_i64, 12_i64, true));
    assert!(row.get::<_, Option<String>>(3).is_some());
    let output = db
        .program("psql")
        .args(["-XAt", "-c", r"\dx+ ext_registry"])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    for function in [
        "function ext_extension_id(text,text)",
        "function ext_finalize_bundle(jsonb,bytea,text,text,text)",
        "function ext_finalize_version(jsonb,text,text,text,bigint)",
        "function ext_list_versions(uuid,text)",
    ] {
        assert!(printed.contains(function), "{printed}");
    }
}

#[test]
fn the_constraints_have_the_names_of_the_contract() {
    let db = Server::shared().migrated_database();
    for (table, name, definition) in [
        (
            "extension_registry",
            "extension_registry_publisher_name_unique",
            "UNIQUE (publisher, name)",
        ),
        (
            "extension_version",
            "extension_version_registry_id_version_unique",
            "UNIQUE (registry_id, version)",
        ),
        (
            "extension_bundle",
            "extension_bundle_version_id_content_hash_unique",
            "UNIQUE (version_id, content_hash)",
        ),
        (
            "tenant_extension_install",
            "tenant_extension_install_tenant_id_registry_id_unique",
            "UNIQUE (tenant_id, registry_id)",
        ),
    ] {
        let row = db
            .client()
            .query_one(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint
                 WHERE conrelid = $1::text::regclass AND conname = $2::text",
                &[&table, &name],
            )
            .unwrap();
        assert_eq!(row.get::<_, String>(0), definition);
    }
}
