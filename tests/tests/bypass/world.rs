//! A registry with history in it, and the roles that attack it.

use ext_registry_tests::{Database, Server};
use postgres::Client;

/// Who tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// EXECUTE on finalize, no right on a table.
    Publisher,
    /// What `ext-migrate grant --reader` gives.
    Reader,
    /// An old app's role: SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES on all four tables.
    App,
    /// The same with TRIGGER.
    TriggerApp,
    /// Owns the four tables and is no superuser.
    Owner,
    Superuser,
}

impl Who {
    pub const ALL: [Self; 6] = [
        Self::Publisher,
        Self::Reader,
        Self::App,
        Self::TriggerApp,
        Self::Owner,
        Self::Superuser,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::Reader => "reader",
            Self::App => "app role",
            Self::TriggerApp => "app role with TRIGGER",
            Self::Owner => "owner",
            Self::Superuser => "superuser",
        }
    }

    /// Has a right on the tables that a command of DDL takes: at least TRIGGER.
    pub fn may_alter(self) -> bool {
        matches!(self, Self::TriggerApp | Self::Owner | Self::Superuser)
    }

    /// The roles are cluster-wide and the same for every database of this binary.
    pub fn role(self) -> &'static str {
        match self {
            Self::Publisher => "bypass_publisher",
            Self::Reader => "bypass_reader",
            Self::App => "bypass_app",
            Self::TriggerApp => "bypass_trigger_app",
            Self::Owner => "bypass_owner",
            Self::Superuser => "postgres",
        }
    }
}

/// Rows with ids that statements can name. Version 0.1.0 and its two bundles were there before the guards.
const HISTORY: &str = "
    SET session_replication_role = replica;
    INSERT INTO extension_registry (id, publisher, name) VALUES
        ('00000000-0000-0000-0000-00000000000e', 'acme', 'widget'),
        ('00000000-0000-0000-0000-0000000000e0', 'acme', 'empty');
    INSERT INTO extension_version (id, registry_id, version, runtime, main_entry, created_at, adopted) VALUES
        ('00000000-0000-0000-0000-0000000000a0', '00000000-0000-0000-0000-00000000000e', '0.1.0', 'node@1', 'main', NULL, true);
    INSERT INTO extension_bundle (id, version_id, content_hash, adopted) VALUES
        ('00000000-0000-0000-0000-0000000000b0', '00000000-0000-0000-0000-0000000000a0', 'OLD-1', true),
        ('00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-0000000000a0', 'OLD-2', true);
    RESET session_replication_role;
    INSERT INTO extension_version (id, registry_id, version, runtime, main_entry) VALUES
        ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-00000000000e', '1.0.0', 'node@1', 'main');
    INSERT INTO extension_bundle (id, version_id, content_hash) VALUES
        ('00000000-0000-0000-0000-0000000000b2', '00000000-0000-0000-0000-0000000000a1', 'sha256:' || repeat('a', 64));
    INSERT INTO tenant_extension_install (id, tenant_id, registry_id, version_id) VALUES
        ('00000000-0000-0000-0000-0000000000f0', 't', '00000000-0000-0000-0000-00000000000e', '00000000-0000-0000-0000-0000000000a1');
    SELECT ext_finalize_version('{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"1.1.0\", \"runtime\": \"node@1\"}',
        repeat('b', 64));";

/// What was published: every contract column of every version that was there, with all its bundles, by its names.
const PUBLISHED: &str = "
    SET row_security = off;
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) || ' ' || count(*)
    FROM (
        SELECT concat_ws('|', r.id, r.publisher, r.name, v.id, v.registry_id, v.version, v.runtime, v.main_entry, v.api,
                   v.api_endpoints, v.ui, v.capabilities, v.assets, v.created_at, v.adopted, b.id, b.version_id,
                   b.content_hash, b.signature, b.precompiled, b.storage_url, b.size_bytes, b.created_at, b.adopted) AS line
        FROM public.extension_registry r
        JOIN public.extension_version v ON v.registry_id = r.id
        LEFT JOIN public.extension_bundle b ON b.version_id = v.id
        WHERE r.publisher = 'acme' AND r.name = 'widget' AND v.version IN ('0.1.0', '1.0.0', '1.1.0')
    ) history";

/// A server whose template holds the world.
pub fn server() -> &'static Server {
    static WORLD: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    let server = Server::shared();
    WORLD.get_or_init(|| build(server));
    server
}

/// The same with the DDL guard on.
pub fn guarded() -> Database<'static> {
    static GUARDED: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    let server = server();
    GUARDED.get_or_init(|| {
        server.administer("CREATE DATABASE bypass_guarded TEMPLATE bypass_world");
        let url = server.url("bypass_guarded");
        let mut up = ext_registry_tests::ext_migrate();
        let output = up
            .args(["up", "--ddl-guard", "--database-url", &url])
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
    });
    server.database_with("TEMPLATE bypass_guarded")
}

/// A database of one's own with the history in it.
pub fn database() -> Database<'static> {
    server().database_with("TEMPLATE bypass_world")
}

fn build(server: &Server) {
    for who in Who::ALL {
        if who != Who::Superuser {
            server.administer(&format!("CREATE ROLE {} LOGIN", who.role()));
        }
    }
    server.administer("CREATE DATABASE bypass_world");
    let mut client = server.client("bypass_world");
    client
        .batch_execute("CREATE SCHEMA hostile; GRANT ALL ON SCHEMA public, hostile TO PUBLIC")
        .unwrap();
    let migrate = |role: &str, arguments: &[&str]| {
        let url = server
            .url("bypass_world")
            .replacen("//postgres@", &format!("//{role}@"), 1);
        let output = ext_registry_tests::ext_migrate()
            .args(arguments)
            .args(["--database-url", &url])
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    migrate(Who::Owner.role(), &["up", "--without-extension"]);
    migrate("postgres", &["up"]);
    migrate(
        "postgres",
        &[
            "grant",
            "--publisher",
            Who::Publisher.role(),
            "--reader",
            Who::Reader.role(),
        ],
    );
    for who in [Who::App, Who::TriggerApp] {
        client
            .batch_execute(&format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES
                 ON extension_registry, extension_version, extension_bundle, tenant_extension_install TO {}",
                who.role()
            ))
            .unwrap();
    }
    client
        .batch_execute(&format!(
            "GRANT TRIGGER ON extension_registry, extension_version, extension_bundle TO {};
             GRANT EXECUTE ON FUNCTION ext_finalize_version, ext_finalize_bundle TO {}",
            Who::TriggerApp.role(),
            Who::Owner.role()
        ))
        .unwrap();
    client.batch_execute(HISTORY).unwrap();
}

/// A checksum of all that was published in [`HISTORY`], with the number of rows.
pub fn published(client: &mut Client) -> String {
    let (setup, query) = PUBLISHED.split_once(';').unwrap();
    client.batch_execute(setup).unwrap();
    client
        .query_one(query, &[])
        .unwrap()
        .get::<_, Option<String>>(0)
        .unwrap_or_default()
}
