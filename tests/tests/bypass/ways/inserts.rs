use super::{Allowed, BUNDLE, DENIED, ENTRY, Refused, VERSION, Way, way, writers};
use crate::world::Who;

const NEW_HASH: &str = "'sha256:' || repeat('c', 64)";

fn bundle(columns: &str, values: &str) -> String {
    format!(
        "INSERT INTO public.extension_bundle (id, version_id, content_hash{columns}) VALUES (gen_random_uuid(), {values})"
    )
}

fn version(columns: &str, values: &str) -> String {
    format!(
        "INSERT INTO public.extension_version (id, registry_id, version, runtime, main_entry{columns})
         VALUES (gen_random_uuid(), '00000000-0000-0000-0000-00000000000e', {values})"
    )
}

const OF_1_0_0: &str = "'00000000-0000-0000-0000-0000000000a1'";
const OF_OLD: &str = "'00000000-0000-0000-0000-0000000000a0'";

pub fn inserts() -> Vec<Way> {
    vec![
        way(
            "finalize of a version that exists",
            ["SELECT ext_finalize_version('{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"1.0.0\", \"runtime\": \"x@1\"}',
                repeat('c', 64))",
             "SELECT ext_finalize_version('{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"0.1.0\", \"runtime\": \"x@1\"}',
                repeat('c', 64))",
             "SELECT ext_finalize_bundle('{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"1.0.0\", \"runtime\": \"x@1\"}',
                'bytes')"],
            vec![
                (Who::Publisher, Refused("23505", Some("extension_version_registry_id_version_unique"))),
                (Who::Reader, DENIED),
                (Who::App, DENIED),
                (Who::Owner, Refused("23505", Some("extension_version_registry_id_version_unique"))),
                (Who::Superuser, Refused("23505", Some("extension_version_registry_id_version_unique"))),
            ],
        ),
        way(
            "INSERT of a version that exists, OVERRIDING too",
            [
                version("", "'1.0.0', 'x', 'x'"),
                version("", "'1.0.0', 'x', 'x'").replace("VALUES", "OVERRIDING SYSTEM VALUE VALUES"),
            ],
            writers(Refused("23505", Some("extension_version_registry_id_version_unique"))),
        ),
        way(
            "INSERT of a second bundle",
            [
                bundle("", &format!("{OF_1_0_0}, {NEW_HASH}")),
                bundle("", &format!("{OF_OLD}, {NEW_HASH}")),
                bundle(", created_at", &format!("{OF_OLD}, {NEW_HASH}, 'infinity'")),
                format!("{}, (gen_random_uuid(), {OF_1_0_0}, {NEW_HASH})", bundle("", &format!("{OF_OLD}, {NEW_HASH}"))),
            ],
            writers(BUNDLE),
        ),
        way(
            "two bundles of a new version in one INSERT",
            [format!(
                "BEGIN; {}; INSERT INTO public.extension_bundle (id, version_id, content_hash)
                 SELECT gen_random_uuid(), v.id, 'sha256:' || repeat(h, 64)
                 FROM public.extension_version v, (VALUES ('c'), ('d')) AS hashes (h) WHERE v.version = '3.0.0'",
                version("", "'3.0.0', 'x', 'x'")
            )],
            writers(BUNDLE),
        ),
        way(
            "INSERT of a bundle whose hash has another form",
            ["repeat('c', 64)", "upper('sha256:' || repeat('c', 64))", "'sha256:' || repeat('C', 64)", "'sha256:' || repeat('c', 63)"]
                .map(|hash| format!(
                    "BEGIN; {}; INSERT INTO public.extension_bundle (id, version_id, content_hash)
                     SELECT gen_random_uuid(), v.id, {hash} FROM public.extension_version v WHERE v.version = '3.0.0'",
                    version("", "'3.0.0', 'x', 'x'")
                )),
            writers(Refused("23514", Some("extension_bundle_content_hash_check"))),
        ),
        way(
            "the same bundle again",
            [bundle("", &format!("{OF_1_0_0}, 'sha256:' || repeat('a', 64)"))],
            writers(Refused("23505", Some("extension_bundle_version_id_content_hash_unique"))),
        ),
        way(
            "the same bundle again, ON CONFLICT DO NOTHING",
            [
                format!("{} ON CONFLICT DO NOTHING", bundle("", &format!("{OF_1_0_0}, 'sha256:' || repeat('a', 64)"))),
                format!("{} ON CONFLICT DO NOTHING", version("", "'1.0.0', 'x', 'x'")),
            ],
            writers(Allowed("no row is stored")),
        ),
        way(
            "upsert of a version",
            [
                format!("{} ON CONFLICT (registry_id, version) DO UPDATE SET runtime = 'x'", version("", "'1.0.0', 'x', 'x'")),
                format!("{} ON CONFLICT ON CONSTRAINT extension_version_registry_id_version_unique DO UPDATE SET id = excluded.id",
                    version("", "'0.1.0', 'x', 'x'")),
            ],
            writers(VERSION),
        ),
        way(
            "upsert of a bundle",
            [format!(
                "{} ON CONFLICT (version_id, content_hash) DO UPDATE SET content_hash = {NEW_HASH}",
                bundle("", &format!("{OF_1_0_0}, 'sha256:' || repeat('a', 64)"))
            )],
            writers(BUNDLE),
        ),
        way(
            "upsert of what is there, as old apps do",
            [
                format!(
                    "{} ON CONFLICT (registry_id, version) DO UPDATE
                     SET runtime = excluded.runtime, main_entry = excluded.main_entry, api = excluded.api,
                         ui = excluded.ui, capabilities = excluded.capabilities",
                    version("", "'1.0.0', 'node@1', 'main'")
                ),
                format!(
                    "{} ON CONFLICT (version_id, content_hash) DO UPDATE
                     SET signature = excluded.signature, storage_url = excluded.storage_url RETURNING id",
                    bundle("", &format!("{OF_1_0_0}, 'sha256:' || repeat('a', 64)"))
                ),
                "INSERT INTO public.extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')
                 ON CONFLICT (publisher, name) DO UPDATE SET name = excluded.name, updated_at = now()".to_owned(),
            ],
            writers(Allowed("every version and bundle stays what it is")),
        ),
        way(
            "upsert of an entry under another name",
            ["INSERT INTO public.extension_registry (id, publisher, name) VALUES (gen_random_uuid(), 'acme', 'widget')
              ON CONFLICT (publisher, name) DO UPDATE SET name = 'other'"],
            writers(ENTRY),
        ),
        way(
            "marking a new version as adopted",
            [version(", adopted", "'3.0.0', 'x', 'x', true"), version(", adopted, created_at", "'3.0.0', 'x', 'x', true, NULL")],
            writers(VERSION),
        ),
        way(
            "marking a new bundle as adopted",
            [bundle(", adopted", &format!("{OF_OLD}, {NEW_HASH}, true")), bundle(", adopted", &format!("{OF_1_0_0}, 'x', true"))],
            writers(BUNDLE),
        ),
        way(
            "COPY FROM of a second bundle, or of one marked as adopted",
            [
                format!("COPY public.extension_bundle (id, version_id, content_hash) FROM STDIN data:
00000000-0000-0000-0000-0000000000c0\t00000000-0000-0000-0000-0000000000a1\tsha256:{}", "c".repeat(64)),
                "COPY public.extension_bundle (id, version_id, content_hash, adopted) FROM STDIN data:
00000000-0000-0000-0000-0000000000c0\t00000000-0000-0000-0000-0000000000a0\tx\ttrue".to_owned(),
            ],
            writers(BUNDLE),
        ),
        way(
            "COPY FROM of a version that exists",
            ["COPY public.extension_version (id, registry_id, version, runtime, main_entry) FROM STDIN data:
00000000-0000-0000-0000-0000000000c0\t00000000-0000-0000-0000-00000000000e\t1.0.0\tx\tx"],
            writers(Refused("23505", Some("extension_version_registry_id_version_unique"))),
        ),
        way(
            "INSERT into the log, and any change of the history of migrations, granted to everybody",
            [
                "INSERT INTO public.extension_log_leaf (leaf_index, version_id, leaf_hash)
                 VALUES ((random() * 1e9)::bigint, gen_random_uuid(), sha256(''))",
                "INSERT INTO public.extension_log_checkpoint (tree_size, root, origin)
                 VALUES ((random() * 1e9)::bigint, sha256(''), 'evil') ON CONFLICT DO NOTHING",
                "DELETE FROM public.ext_registry_schema_history WHERE version = 0",
                "UPDATE public.ext_registry_schema_history SET name = name",
                "BEGIN; TRUNCATE public.ext_registry_schema_history; ROLLBACK",
            ],
            vec![
                (Who::Publisher, DENIED),
                (Who::Reader, DENIED),
                (Who::App, DENIED),
                (Who::Owner, Allowed("each seal and each audit names what no seal has written")),
                (Who::Superuser, Allowed("each seal and each audit names what no seal has written")),
            ],
        )
        .given(
            "GRANT ALL ON extension_log_leaf, extension_log_checkpoint, ext_registry_schema_history TO PUBLIC",
        ),
    ]
}
