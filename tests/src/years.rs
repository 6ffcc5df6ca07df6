//! A registry of many years, and what must hold for it wherever it is moved: by dump, replication or upgrade.

use postgres::Client;

use crate::{Database, Refusal, Server, finalize, hash, manifest, manifest_of, old_schema};

/// What a registry shows: every row of its tables, and the list of every extension.
#[derive(Debug, PartialEq, Eq)]
pub struct Contents {
    rows: Vec<String>,
    lists: Vec<String>,
}

impl Server {
    /// A registry that ran the old schema for years, was adopted, and has published since: 202 versions, 302 bundles,
    /// of which 100 versions have several.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn registry_of_many_years(&self) -> Database<'_> {
        let db = self.empty_database();
        let mut client = db.client();
        let sql = old_schema::old_schema(&[]) + old_schema::old_rows();
        client.batch_execute(&sql).expect("the old schema is SQL");
        let _ = db.ext_migrate(&["up"]).succeeded();
        publish_some(&mut client);
        db
    }
}

/// A new extension, and a new version of an old one.
///
/// # Panics
/// When they are refused.
pub fn publish_some(client: &mut Client) {
    for manifest in [manifest("1.0.0"), of_old_extension("2.0.0")] {
        finalize(client, &manifest, &hash(7)).expect("the version is new");
    }
}

/// A manifest for an extension that was there before the guards.
fn of_old_extension(version: &str) -> serde_json::Value {
    let mut manifest = manifest_of("extension 4", version);
    manifest["publisher"] = "publisher 0".into();
    manifest
}

impl Contents {
    /// Reads them, as superuser.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn of(client: &mut Client) -> Self {
        let mut rows = Vec::new();
        for table in old_schema::TABLES {
            // As JSON: columns may stand in another order.
            let query = format!("SELECT '{table} ' || to_jsonb(t)::text FROM {table} t ORDER BY 1");
            rows.extend(texts(client, &query));
        }
        let lists = texts(
            client,
            "SELECT concat_ws(' ', e.name, l.*::text) COLLATE \"C\"
             FROM extension_registry e, ext_list_versions(e.id, 'tenant 3') WITH ORDINALITY l ORDER BY e.name, l.ordinality",
        );
        Self { rows, lists }
    }

    /// How many rows the four tables have together.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Asserts that `db` holds exactly this, is guarded as ever, and works: `check` finds nothing, old versions stay
    /// refused, new ones are published.
    ///
    /// # Panics
    /// When something is lost.
    #[track_caller]
    pub fn assert_live_in(&self, db: &Database) {
        let mut client = db.client();
        self.assert_are_in(&mut client);
        let _ = db.ext_migrate(&["check"]).succeeded();
        assert_guarded(&mut client);
        assert_publishes(&mut client);
    }

    /// Asserts the rows and the lists alone, which works on a standby too.
    ///
    /// # Panics
    /// When one is missing, new or another.
    #[track_caller]
    pub fn assert_are_in(&self, client: &mut Client) {
        let found = Self::of(client);
        for (mine, theirs) in [(&self.rows, &found.rows), (&self.lists, &found.lists)] {
            let lost: Vec<_> = mine.iter().filter(|row| !theirs.contains(row)).collect();
            let new: Vec<_> = theirs.iter().filter(|row| !mine.contains(row)).collect();
            assert!(lost.is_empty() && new.is_empty(), "{lost:#?} {new:#?}");
        }
        assert_eq!(self, &found);
    }
}

/// Asserts that every guard fires always, and that old rows are as final as new ones, whatever the replication role.
///
/// # Panics
/// When not.
#[track_caller]
pub fn assert_guarded(client: &mut Client) {
    let weak = texts(
        client,
        "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'A'
         UNION ALL SELECT count(*) || ' guards' FROM pg_trigger WHERE NOT tgisinternal HAVING count(*) <> 29",
    );
    assert_eq!(weak, Vec::<String>::new());
    for role in ["origin", "replica"] {
        client
            .batch_execute(&format!("SET session_replication_role = {role}"))
            .expect("a superuser may");
        for statement in [
            "UPDATE extension_version SET runtime = 'deno@2' WHERE version = '1.14.0'",
            "DELETE FROM extension_version WHERE version = '2.0.0'",
            "DELETE FROM extension_bundle WHERE content_hash LIKE 'unknown%'",
            "TRUNCATE extension_bundle",
            "UPDATE extension_registry SET name = 'another' WHERE name = 'extension 4'",
        ] {
            client
                .batch_execute(statement)
                .refused()
                .with_sqlstate("23001")
                .with_code("VERSION_IMMUTABLE");
        }
    }
    client
        .batch_execute("RESET session_replication_role")
        .expect("a superuser may");
}

/// Asserts that old and new versions are refused a second time, and that a new one is published and listed.
///
/// # Panics
/// When not.
#[track_caller]
pub fn assert_publishes(client: &mut Client) {
    // 1.14.0 has two bundles from before the guards.
    for version in ["1.14.0", "2.0.0"] {
        finalize(client, &of_old_extension(version), &hash(8))
            .refused()
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS")
            .with_constraint("extension_version_registry_id_version_unique");
    }
    let published = finalize(client, &of_old_extension("2.0.*"), &hash(9)).expect("it is new");
    let listed = crate::list(client, published.extension_id, None).expect("it can be listed");
    let newest = &listed[0];
    assert_eq!(
        (newest.version_id, newest.bundle_count),
        (published.version_id, 1)
    );
}

fn texts(client: &mut Client, query: &str) -> Vec<String> {
    let rows = client.query(query, &[]).expect(query);
    rows.iter().map(|row| row.get(0)).collect()
}
