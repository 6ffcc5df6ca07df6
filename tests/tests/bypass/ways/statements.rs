use super::{Allowed, BUNDLE, ENTRY, Refused, VERSION, Way, way, writers};

/// Each column with another value than it has anywhere.
const VERSION_COLUMNS: [(&str, &str); 12] = [
    ("id", "gen_random_uuid()"),
    ("registry_id", "'00000000-0000-0000-0000-0000000000e0'"),
    ("version", "version || '0'"),
    ("runtime", "runtime || '0'"),
    ("main_entry", "'other'"),
    ("api", "'{\"endpoints\": []}'"),
    ("api_endpoints", "'[{}]'"),
    ("ui", "'{}'"),
    ("capabilities", "'[\"net\"]'"),
    ("assets", "'[]'"),
    (
        "created_at",
        "coalesce(created_at, now()) - interval '1 microsecond'",
    ),
    ("adopted", "NOT adopted"),
];
const BUNDLE_COLUMNS: [(&str, &str); 9] = [
    ("id", "gen_random_uuid()"),
    ("version_id", "gen_random_uuid()"),
    ("content_hash", "'sha256:' || repeat('e', 64)"),
    ("signature", "''"),
    ("precompiled", "'{}'"),
    ("storage_url", "'https://example.com'"),
    ("size_bytes", "1"),
    ("created_at", "NULL"),
    ("adopted", "NOT adopted"),
];

fn updates(table: &str, columns: &[(&str, &str)]) -> Vec<String> {
    columns
        .iter()
        .map(|(column, value)| format!("UPDATE public.{table} SET {column} = {value}"))
        .collect()
}

/// UPDATE of each column to what it is, and of all of them, as an ORM saves a row.
fn saves(table: &str, columns: &[(&str, &str)]) -> Vec<String> {
    let same: Vec<_> = columns
        .iter()
        .map(|(column, _)| format!("{column} = {column}"))
        .collect();
    same.iter()
        .chain([&same.join(", ")])
        .map(|set| format!("UPDATE public.{table} SET {set}"))
        .collect()
}

pub fn statements() -> Vec<Way> {
    vec![
        way(
            "UPDATE of each column of a version",
            updates("extension_version", &VERSION_COLUMNS),
            writers(VERSION),
        ),
        way(
            "UPDATE of each column of a bundle",
            updates("extension_bundle", &BUNDLE_COLUMNS),
            writers(BUNDLE),
        ),
        way(
            "UPDATE that changes nothing, as ORMs save a row",
            saves("extension_version", &VERSION_COLUMNS)
                .into_iter()
                .chain(saves("extension_bundle", &BUNDLE_COLUMNS))
                .chain([
                    "UPDATE public.extension_registry SET id = id, publisher = publisher, name = name".to_owned(),
                    "UPDATE public.extension_version v SET runtime = v.runtime FROM public.extension_bundle b
                     WHERE b.version_id = v.id".to_owned(),
                    "BEGIN; DECLARE c CURSOR FOR SELECT * FROM public.extension_version FOR UPDATE; FETCH c;
                     UPDATE public.extension_version SET runtime = runtime WHERE CURRENT OF c; COMMIT".to_owned(),
                    "MERGE INTO public.extension_version t USING (VALUES (1)) s ON true
                     WHEN MATCHED THEN UPDATE SET runtime = t.runtime".to_owned(),
                ]),
            writers(Allowed("every row stays what it is, byte for byte")),
        ),
        way(
            "UPDATE of id, publisher or name of an entry",
            [
                "UPDATE public.extension_registry SET id = gen_random_uuid() WHERE name = 'widget'",
                "UPDATE public.extension_registry SET publisher = 'other' WHERE name = 'widget'",
                "UPDATE public.extension_registry SET name = 'other' WHERE name = 'widget'",
                "UPDATE public.extension_registry SET name = 'Widget' WHERE name = 'widget'",
                "UPDATE public.extension_registry SET name = 'other' WHERE name = 'empty'",
            ],
            writers(ENTRY),
        ),
        way(
            "UPDATE of another column of an entry",
            ["UPDATE public.extension_registry SET display_name = 'Widget', updated_at = now() WHERE name = 'widget'"],
            writers(Allowed("the entry keeps its identity")),
        ),
        way(
            "UPDATE … FROM, UPDATE … WHERE CURRENT OF",
            [
                "UPDATE public.extension_version v SET runtime = 'x' FROM public.extension_bundle b WHERE b.version_id = v.id",
                "BEGIN; DECLARE c CURSOR FOR SELECT * FROM public.extension_version FOR UPDATE; FETCH c;
                 UPDATE public.extension_version SET runtime = 'x' WHERE CURRENT OF c",
            ],
            writers(VERSION),
        ),
        way(
            "DELETE of a version, DELETE … WHERE CURRENT OF",
            [
                "DELETE FROM public.extension_version",
                "DELETE FROM public.extension_version WHERE adopted",
                "DELETE FROM ONLY public.extension_version WHERE version = '1.1.0' RETURNING id",
                "BEGIN; DECLARE c CURSOR FOR SELECT * FROM public.extension_version FOR UPDATE; FETCH c;
                 DELETE FROM public.extension_version WHERE CURRENT OF c",
            ],
            writers(VERSION),
        ),
        way(
            "DELETE of a bundle",
            [
                "DELETE FROM public.extension_bundle",
                "DELETE FROM public.extension_bundle WHERE adopted",
                "DELETE FROM public.extension_bundle b USING public.extension_version v WHERE v.id = b.version_id",
            ],
            writers(BUNDLE),
        ),
        way(
            "DELETE of an entry that has versions",
            ["DELETE FROM public.extension_registry WHERE name = 'widget'"],
            writers(ENTRY),
        ),
        way(
            "DELETE of an entry that has none",
            ["BEGIN; DELETE FROM public.extension_registry WHERE name = 'empty'; ROLLBACK"],
            writers(Allowed("nothing was published under it")),
        ),
        way(
            "TRUNCATE extension_version or extension_registry",
            [
                "TRUNCATE public.extension_version",
                "TRUNCATE public.extension_registry",
            ],
            writers(Refused("0A000", None)),
        ),
        way(
            "TRUNCATE extension_bundle",
            [
                "TRUNCATE public.extension_bundle",
                "TRUNCATE public.extension_bundle RESTART IDENTITY CASCADE",
                "TRUNCATE ONLY public.extension_bundle",
            ],
            writers(BUNDLE),
        ),
        way(
            "TRUNCATE extension_version CASCADE",
            [
                "TRUNCATE public.extension_version CASCADE",
                "TRUNCATE public.extension_version, public.extension_bundle, public.tenant_extension_install",
            ],
            writers(VERSION),
        ),
        way(
            "TRUNCATE extension_registry CASCADE",
            [
                "TRUNCATE public.extension_registry CASCADE",
                "TRUNCATE public.extension_registry, public.extension_version, public.extension_bundle,
                    public.tenant_extension_install",
            ],
            writers(ENTRY),
        ),
        way(
            "MERGE",
            [
                "MERGE INTO public.extension_version t USING (VALUES (1)) s ON true WHEN MATCHED THEN UPDATE SET runtime = 'x'",
                "MERGE INTO public.extension_version t USING (VALUES (1)) s ON true WHEN MATCHED THEN DELETE",
            ],
            writers(VERSION),
        ),
        way(
            "writable CTE",
            [
                "WITH gone AS (DELETE FROM public.extension_bundle RETURNING *) SELECT count(*) FROM gone",
                "WITH gone AS (DELETE FROM public.extension_bundle WHERE version_id = '00000000-0000-0000-0000-0000000000a1' RETURNING *)
                 INSERT INTO public.extension_bundle (id, version_id, content_hash)
                 SELECT id, version_id, 'sha256:' || repeat('c', 64) FROM gone",
            ],
            writers(BUNDLE),
        ),
        way(
            "moving an install to another version, removing it",
            [
                "BEGIN; UPDATE public.tenant_extension_install SET version_id = '00000000-0000-0000-0000-0000000000a0'; ROLLBACK",
                "BEGIN; DELETE FROM public.tenant_extension_install; ROLLBACK",
                "BEGIN; TRUNCATE public.tenant_extension_install; ROLLBACK",
            ],
            writers(Allowed("installs come and go, versions stay")),
        ),
    ]
}
