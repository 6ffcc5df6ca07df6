//! `ALTER EXTENSION ext_registry UPDATE`: from this version to a next one that there is not, and from every release to
//! this one. The updated database is the same as a fresh one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use ext_registry_tests::{
    Contents, Database, Options, Refusal, Server, assert_guarded, assert_publishes, ext_migrate,
    extension_folder, finalize, hash, manifest, program, workspace_root,
};
use postgres::Client;

use crate::changelog::releases;
use crate::frozen::install_script_of;
use crate::version::current;

/// A version of the extension as a server offers it.
struct Offer {
    version: String,
    scripts: Vec<(String, String)>,
}

impl Offer {
    fn new(version: &str, install_script: &str) -> Self {
        let file = format!("ext_registry--{version}.sql");
        Self {
            version: version.to_owned(),
            scripts: vec![(file, install_script.to_owned())],
        }
    }

    fn with_update(mut self, from: &str, script: &str) -> Self {
        let file = format!("ext_registry--{from}--{}.sql", self.version);
        self.scripts.push((file, script.to_owned()));
        self
    }
}

fn generated() -> String {
    let file = format!("ext_registry--{}.sql", current());
    fs::read_to_string(extension_folder().join(file)).expect("run `make build`")
}

#[test]
fn to_a_next_version() {
    let next = include_str!("next.sql");
    let old = Offer::new(current(), &generated());
    let new = Offer::new("next", &(generated() + next)).with_update(current(), next);
    assert_updates(&old, &new);
}

#[test]
fn from_every_release() {
    let mut new = Offer::new(current(), &generated());
    for entry in fs::read_dir(workspace_root().join("pg_ext/sql"))
        .into_iter()
        .flatten()
    {
        let file = entry.unwrap();
        let name = file.file_name().into_string().unwrap();
        new.scripts
            .push((name, fs::read_to_string(file.path()).unwrap()));
    }
    for (version, _) in releases() {
        if version != current() {
            let script = workspace_root().join(install_script_of(&version));
            let old = Offer::new(&version, &fs::read_to_string(script).unwrap());
            assert_updates(&old, &new);
        }
    }
}

/// A copy of the server's installation, in which files of the extension can be replaced.
struct Installation {
    root: PathBuf,
    bin: PathBuf,
    extension: PathBuf,
    library: PathBuf,
}

impl Installation {
    fn copy() -> Self {
        let folder = |option: &str| {
            let printed = program("pg_config").arg(option).output().unwrap().stdout;
            PathBuf::from(String::from_utf8(printed).unwrap().trim())
        };
        let (bin, libraries) = (folder("--bindir"), folder("--pkglibdir"));
        let original = bin
            .ancestors()
            .find(|ancestor| {
                extension_folder().starts_with(ancestor) && libraries.starts_with(ancestor)
            })
            .unwrap()
            .to_owned();
        // Beside it: hard links cost no space, and PostgreSQL finds its files relative to its programs.
        static COPIES: AtomicUsize = AtomicUsize::new(0);
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let root = original.with_extension(format!("update-{}-{number}", std::process::id()));
        let copied = Command::new("cp")
            .arg("-al")
            .args([&original, &root])
            .status();
        assert!(
            copied.unwrap().success(),
            "{} cannot be copied",
            original.display()
        );
        let inside = |path: &Path| root.join(path.strip_prefix(&original).unwrap());
        Self {
            bin: inside(&bin),
            extension: inside(&extension_folder()),
            library: inside(&libraries).join("ext_registry.so"),
            root: root.clone(),
        }
    }

    /// Puts the files of a version there and takes those of others away, as a package would.
    fn install(&self, offer: &Offer) {
        for entry in fs::read_dir(&self.extension).unwrap() {
            let file = entry.unwrap();
            if file
                .file_name()
                .to_string_lossy()
                .starts_with("ext_registry--")
            {
                fs::remove_file(file.path()).unwrap();
            }
        }
        for (name, script) in &offer.scripts {
            fs::write(self.extension.join(name), script).unwrap();
        }
        let control = self.extension.join("ext_registry.control");
        let text = fs::read_to_string(&control).unwrap();
        let (before, rest) = text.split_once("default_version = '").unwrap();
        let (_, after) = rest.split_once('\'').unwrap();
        // New files, since the old ones are hard links.
        fs::remove_file(&control).unwrap();
        fs::write(
            &control,
            format!("{before}default_version = '{}'{after}", offer.version),
        )
        .unwrap();
        let library = fs::read(&self.library).unwrap();
        fs::remove_file(&self.library).unwrap();
        fs::write(&self.library, library).unwrap();
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The roles of a registry, the same in all its databases.
struct Roles {
    owner: String,
    publisher: String,
    reader: String,
}

impl Roles {
    fn create(db: &Database) -> Self {
        Self {
            owner: db.create_role("owner"),
            publisher: db.create_role("publisher"),
            reader: db.create_role("reader"),
        }
    }

    /// The registry of a role that is no superuser, with grants to the others.
    fn set_up(&self, db: &Database) {
        let grant = format!(
            "GRANT CREATE ON DATABASE {} TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}",
            db.name(),
            owner = self.owner
        );
        db.client().batch_execute(&grant).unwrap();
        self.up(db);
        self.grant(db);
    }

    /// After an update again: what is new is not granted by itself.
    fn grant(&self, db: &Database) {
        let _ = db
            .ext_migrate(&[
                "grant",
                "--publisher",
                &self.publisher,
                "--reader",
                &self.reader,
            ])
            .succeeded();
    }

    fn up(&self, db: &Database) -> serde_json::Value {
        let mut up = ext_migrate();
        up.args([
            "up",
            "--format",
            "json",
            "--database-url",
            &db.url_as(&self.owner),
        ]);
        let printed = up.output().unwrap();
        assert!(printed.status.success(), "{printed:?}");
        serde_json::from_slice(&printed.stdout).unwrap()
    }
}

fn assert_updates(old: &Offer, new: &Offer) {
    let installation = Installation::copy();
    installation.install(old);
    let server = Server::start(&Options {
        pg_config: Some(installation.bin.join("pg_config")),
        ..Options::default()
    });
    let years = server.registry_of_many_years();
    let (by_up, by_superuser) = (server.empty_database(), server.empty_database());
    let roles = Roles::create(&by_up);
    for db in [&by_up, &by_superuser] {
        roles.set_up(db);
        assert_eq!(installed_version(db), old.version);
    }
    let mut publisher = by_up.client_as(&roles.publisher);
    finalize(&mut publisher, &manifest("1.0.0"), &hash(1)).unwrap();
    let contents = Contents::of(&mut years.client());

    // The new files alone: sessions that are open keep the library they have, new ones load the new one, and both
    // serve the definitions that are there.
    installation.install(new);
    finalize(&mut publisher, &manifest("1.0.*"), &hash(2)).unwrap();
    finalize(
        &mut by_up.client_as(&roles.publisher),
        &manifest("1.0.*"),
        &hash(3),
    )
    .unwrap();
    let mut client = years.client();
    contents.assert_are_in(&mut client);
    assert_guarded(&mut client);
    assert_publishes(&mut client);
    let check = years.ext_migrate(&["check"]).exited(8);
    assert!(check.stdout.contains("EXTENSION_OUTDATED"), "{check:?}");
    let status = by_up
        .ext_migrate(&["status", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(status["extension"]["installed"], *old.version);
    assert_eq!(status["extension"]["available"], *new.version);
    assert_eq!(status["extension"]["updatable"], true);

    let fresh = server.empty_database();
    roles.set_up(&fresh);
    let report = roles.up(&by_up);
    assert_eq!(report["extension"]["action"], "update");
    by_superuser
        .client()
        .batch_execute("ALTER EXTENSION ext_registry UPDATE")
        .unwrap();
    let expected = catalog(&mut fresh.client());
    assert!(expected.len() > 4, "{expected:?}");
    for db in [&by_up, &by_superuser] {
        assert_eq!(installed_version(db), new.version);
        roles.grant(db);
        assert_eq!(catalog(&mut db.client()), expected);
        assert_eq!(roles.up(db)["extension"]["action"], "none");
    }

    let contents = Contents::of(&mut years.client());
    let _ = years.ext_migrate(&["up"]).succeeded();
    contents.assert_live_in(&years);
    for mut client in [publisher, by_up.client_as(&roles.publisher)] {
        finalize(&mut client, &manifest("1.0.*"), &hash(4)).unwrap();
        finalize(&mut client, &manifest("1.0.0"), &hash(1))
            .refused()
            .with_sqlstate("23505")
            .with_code("EXTENSION_VERSION_ALREADY_EXISTS");
    }
    let listed = by_up.client_as(&roles.reader).query(
        "SELECT version FROM ext_list_versions(ext_extension_id('acme', 'widget'))",
        &[],
    );
    assert_eq!(listed.unwrap().len(), 5);
    assert_logged(&mut years.client());
}

/// What earlier versions have published is sealed with all its bundles and verifies; a change of it is found.
fn assert_logged(client: &mut Client) {
    let row = client
        .query_one(
            "SELECT tree_size,
                    (SELECT count(*) FROM extension_version) + (SELECT count(*) FROM extension_bundle)
             FROM ext_seal_log()",
            &[],
        )
        .unwrap();
    let sizes: [i64; 2] = [row.get(0), row.get(1)];
    assert_eq!(sizes[0], sizes[1]);
    let findings = |client: &mut postgres::Transaction<'_>| -> Vec<String> {
        let rows = client.query("SELECT finding FROM ext_verify_log()", &[]);
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    };
    let mut transaction = client.transaction().unwrap();
    assert_eq!(findings(&mut transaction), Vec::<String>::new());
    transaction
        .batch_execute(
            "ALTER TABLE extension_version DISABLE TRIGGER USER;
             UPDATE extension_version SET runtime = 'another'
             WHERE id = (SELECT id FROM extension_version ORDER BY created_at LIMIT 1)",
        )
        .unwrap();
    assert_eq!(findings(&mut transaction), ["CHANGED"]);
}

fn installed_version(db: &Database) -> String {
    let row = db.client().query_one(
        "SELECT extversion FROM pg_extension WHERE extname = 'ext_registry'",
        &[],
    );
    row.unwrap().get(0)
}

/// All that the extension is in a database: its own row, and of each of its objects definition, owner, rights, comment
/// and what it depends on.
pub fn catalog(client: &mut Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT concat_ws(E'\\n', o.identity, pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner),
                        (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(p.proacl) a),
                        obj_description(p.oid, 'pg_proc'),
                        (SELECT string_agg(concat_ws(' ', d.deptype, pg_describe_object(refclassid, refobjid, refobjsubid)),
                                           ', ' ORDER BY d.deptype, pg_describe_object(refclassid, refobjid, refobjsubid))
                         FROM pg_depend d WHERE d.classid = m.classid AND d.objid = m.objid))
             FROM pg_extension e
             JOIN pg_depend m ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid AND m.deptype = 'e'
             CROSS JOIN pg_identify_object(m.classid, m.objid, m.objsubid) o
             LEFT JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
             WHERE e.extname = 'ext_registry'
             UNION ALL
             SELECT concat_ws(' ', e.extname, e.extversion, pg_get_userbyid(e.extowner), e.extnamespace::regnamespace,
                              e.extrelocatable, e.extconfig::text, obj_description(e.oid, 'pg_extension'))
             FROM pg_extension e
             WHERE e.extname = 'ext_registry'
             ORDER BY 1",
            &[],
        )
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
