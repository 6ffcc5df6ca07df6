//! Databases that have run the old schema for years become current in place, and every old row stays as it is.

mod refusals;

use ext_registry_tests::old_schema::{Rows, old_rows, old_schema};
use ext_registry_tests::{Database, Refusal, Server};
use postgres::Client;
use serde_json::{Value, json};

/// A shape that the old schema is found in: texts replaced in its SQL, and what was done to it since.
struct Shape {
    name: &'static str,
    replaced: &'static [(&'static str, &'static str)],
    since: &'static str,
}

const ID_DEFAULTS: (&str, &str) = (
    "id uuid PRIMARY KEY",
    "id uuid PRIMARY KEY DEFAULT gen_random_uuid()",
);
const NO_ENDPOINTS: (&str, &str) = (
    "  created_at timestamptz DEFAULT CURRENT_TIMESTAMP,\n  api_endpoints jsonb NOT NULL DEFAULT '[]',",
    "  created_at timestamptz DEFAULT CURRENT_TIMESTAMP,",
);
const NO_URL: (&str, &str) = ("  storage_url text,\n", "");
const NO_SIZE: (&str, &str) = ("  size_bytes bigint,\n", "");
const NO_CASCADE: (&str, &str) = (" ON DELETE CASCADE", "");

const GENERATED_NAMES: &[(&str, &str)] = &[
    ("CONSTRAINT extension_registry_publisher_name_unique ", ""),
    (
        "CONSTRAINT extension_version_registry_id_version_unique ",
        "",
    ),
    (
        "CONSTRAINT extension_bundle_version_id_content_hash_unique ",
        "",
    ),
    (
        "CONSTRAINT tenant_extension_install_tenant_id_registry_id_unique ",
        "",
    ),
    ("CONSTRAINT tenant_extension_install_status_chk ", ""),
];

/// Further columns, indexes, triggers and tables that refer to ours.
const SURROUNDINGS: &str = "
    ALTER TABLE tenant_extension_install ADD COLUMN note text, ADD COLUMN billing_plan text NOT NULL DEFAULT 'free';
    ALTER TABLE extension_version ADD COLUMN downloads bigint DEFAULT 0;
    CREATE INDEX ON extension_version (created_at);
    CREATE INDEX ON extension_bundle (version_id);
    CREATE INDEX ON extension_version USING gin (api);
    CREATE UNIQUE INDEX ON extension_bundle (content_hash, version_id, id);
    CREATE TABLE extension_review (id int PRIMARY KEY, version_id uuid REFERENCES extension_version (id) ON DELETE CASCADE);
    CREATE TABLE install_event (id int PRIMARY KEY, install_id uuid REFERENCES tenant_extension_install (id));
    CREATE VIEW newest_version AS SELECT registry_id, max(created_at) FROM extension_version GROUP BY 1;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.updated_at = clock_timestamp(); RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON extension_registry FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE tenant_extension_install ENABLE ROW LEVEL SECURITY;
    ALTER TABLE tenant_extension_install FORCE ROW LEVEL SECURITY;";

const SHAPES: &[Shape] = &[
    Shape {
        name: "as it is in its latest form",
        replaced: &[],
        since: "",
    },
    Shape {
        name: "ids with defaults, no column of the last step",
        replaced: &[ID_DEFAULTS, NO_ENDPOINTS, NO_URL, NO_SIZE],
        since: "",
    },
    Shape {
        name: "no size, and foreign keys that do not cascade",
        replaced: &[NO_SIZE, NO_CASCADE],
        since: "",
    },
    Shape {
        name: "names as PostgreSQL generates them",
        replaced: GENERATED_NAMES,
        since: "",
    },
    Shape {
        name: "further columns, indexes, triggers, policies and tables",
        replaced: &[NO_URL],
        since: SURROUNDINGS,
    },
    Shape {
        name: "columns dropped, keys as indexes alone, texts of any length",
        replaced: &[],
        since: "
            ALTER TABLE extension_version DROP COLUMN api_endpoints;
            ALTER TABLE extension_version DROP CONSTRAINT extension_version_registry_id_version_unique;
            CREATE UNIQUE INDEX version_once ON extension_version (version, registry_id);
            ALTER TABLE extension_registry ALTER publisher TYPE text, ALTER name TYPE text;
            ALTER TABLE extension_version ALTER version TYPE varchar;
            ALTER TABLE extension_bundle ALTER content_hash TYPE text;",
    },
    Shape {
        name: "keys of installs as a fresh database has them",
        replaced: &[],
        since: "
            ALTER TABLE tenant_extension_install DROP CONSTRAINT tenant_extension_install_pkey;
            ALTER TABLE tenant_extension_install ADD PRIMARY KEY (tenant_id, id);",
    },
];

/// What today's rules would say of the rows in `old_rows.sql`.
fn broken_rules(with_sizes: bool) -> Value {
    json!({
        "versions": {"rows": 200, "without_bundle": 50, "several_bundles": 100, "no_publish_time": 28, "not_semver": 83},
        "bundles": {"rows": 300, "odd_hash": 240, "negative_size": if with_sizes { 19 } else { 0 }},
    })
}

/// Fills the schema on the search path.
fn live_for_years(client: &mut Client, shape: &Shape) -> bool {
    client.batch_execute(&old_schema(shape.replaced)).unwrap();
    client.batch_execute(old_rows()).unwrap();
    client.batch_execute(shape.since).unwrap();
    let with_sizes = !shape.replaced.contains(&NO_SIZE);
    if with_sizes {
        client
            .batch_execute(
                "UPDATE extension_bundle SET size_bytes = CASE WHEN (api->>'number')::int % 11 = 0 THEN -1 ELSE 1 END
                 FROM extension_version v WHERE v.id = version_id AND (api->>'number')::int % 2 = 1",
            )
            .unwrap();
    }
    with_sizes
}

#[test]
fn every_odd_shape_is_adopted_and_no_row_touched() {
    for shape in SHAPES {
        eprintln!("old schema: {}", shape.name);
        let db = Server::shared().empty_database();
        let mut client = db.client();
        let with_sizes = live_for_years(&mut client, shape);
        let before = Rows::remember(&mut client, "public");

        let plan = json_of(&db, "plan", &[], 0);
        assert_eq!(plan["state"], "adoptable", "{plan}");
        let check = json_of(&db, "check", &["--rows"], 8);
        assert_eq!(check["old_rows"], broken_rules(with_sizes));
        let _ = db.ext_migrate(&["up"]).succeeded();
        before.assert_untouched(&mut client);

        let report = json_of(&db, "check", &["--rows"], 0);
        assert_eq!(report["state"], "current");
        assert_eq!(report["old_rows"], broken_rules(with_sizes));
        client.batch_execute("ANALYZE").unwrap();
        for command in ["plan", "status", "check"] {
            let about = json_of(&db, command, &[], 0)["old_rows"]["about"].clone();
            assert_eq!(about, json!({"versions": 200, "bundles": 300}), "{command}");
        }
        the_list_shows_every_old_version(&mut client);
        history_is_final_and_goes_on(&mut client);

        // New rows do not count as old ones.
        let counted = json_of(&db, "check", &["--rows"], 0)["old_rows"].clone();
        assert_eq!(counted["versions"]["rows"], 200);
        assert_eq!(counted["bundles"]["rows"], 300);
    }
}

fn json_of(db: &Database, command: &str, further: &[&str], code: i32) -> Value {
    let arguments = [&[command, "--format", "json"], further].concat();
    db.ext_migrate(&arguments).exited(code).json()
}

fn the_list_shows_every_old_version(client: &mut Client) {
    let row = client
        .query_one(
            "SELECT count(*), count(*) FILTER (WHERE content_hash IS NULL), sum(bundle_count)
             FROM extension_registry r, ext_list_versions(r.id)",
            &[],
        )
        .unwrap();
    assert_eq!(
        (
            row.get::<_, i64>(0),
            row.get::<_, i64>(1),
            row.get::<_, i64>(2)
        ),
        (200, 50, 300)
    );
}

fn history_is_final_and_goes_on(client: &mut Client) {
    for change in [
        "UPDATE extension_version SET runtime = 'other' WHERE api->>'number' = '3'",
        "DELETE FROM extension_bundle WHERE version_id = md5('version 3')::uuid",
        "INSERT INTO extension_bundle (id, version_id, content_hash)
         VALUES (gen_random_uuid(), md5('version 1')::uuid, 'sha256:' || repeat('0', 64))",
        "DELETE FROM extension_registry",
    ] {
        client
            .execute(change, &[])
            .refused()
            .with_sqlstate("23001")
            .with_code("VERSION_IMMUTABLE");
    }
    client
        .execute(
            "INSERT INTO extension_bundle (id, version_id, content_hash, adopted)
             VALUES (gen_random_uuid(), md5('version 4')::uuid, 'sha256:' || repeat('0', 64), true)",
            &[],
        )
        .refused()
        .with_sqlstate("23001");
    // A version that has no bundle yet may get its first one, in the form of today.
    let first = "INSERT INTO extension_bundle (id, version_id, content_hash)
                 VALUES (gen_random_uuid(), md5('version 4')::uuid, $1 || repeat('0', 64))";
    client
        .execute(first, &[&"SHA256:"])
        .refused()
        .with_sqlstate("23514");
    client.execute(first, &[&"sha256:"]).unwrap();
    let published = client
        .query_one(
            r#"SELECT version FROM ext_finalize_version(
                 '{"publisher": "publisher 0", "name": "extension 0", "version": "9.0.0", "runtime": "node@18"}',
                 repeat('1', 64))"#,
            &[],
        )
        .unwrap();
    assert_eq!(published.get::<_, String>(0), "9.0.0");
}

#[test]
fn an_owner_who_is_no_superuser_adopts_in_a_schema_of_another_name() {
    let db = Server::shared().empty_database();
    let owner = db.create_role("owner");
    db.client()
        .batch_execute(&format!(
            r#"CREATE SCHEMA "App Data" AUTHORIZATION {owner}"#
        ))
        .unwrap();
    let mut client = db.client_as(&owner);
    client
        .batch_execute(r#"SET search_path = "App Data""#)
        .unwrap();
    live_for_years(&mut client, &SHAPES[0]);
    let before = Rows::remember(&mut client, "App Data");
    let up = |role: &str| {
        let url = db.url_as(role);
        let arguments = [
            "up",
            "--without-extension",
            "--schema",
            "App Data",
            "--database-url",
            &url,
        ];
        let output = ext_registry_tests::ext_migrate().args(arguments).output();
        ext_registry_tests::Outcome::from(output.unwrap())
    };
    let stranger = db.create_role("stranger");
    let refused = up(&stranger).exited(1);
    assert!(refused.stderr.contains("may not act for"), "{refused:?}");
    before.assert_untouched(&mut client);
    let member = db.create_role_with("member", &format!("IN ROLE {owner}"));
    let _ = up(&member).succeeded();
    before.assert_untouched(&mut client);
    // All that the migrations made belongs to the owner of the tables, whoever ran them.
    let others: i64 = client
        .query_one(
            r#"SELECT count(*) FROM (
                 SELECT relowner AS owner FROM pg_class WHERE relnamespace = '"App Data"'::regnamespace
                 UNION ALL
                 SELECT proowner FROM pg_proc WHERE pronamespace = '"App Data"'::regnamespace
               ) made WHERE owner <> $1::text::regrole"#,
            &[&owner],
        )
        .unwrap()
        .get(0);
    assert_eq!(others, 0);
    let _ = up(&owner).succeeded();
}
