//! A registry that belongs to an app's role, restored by a superuser or by that role.

use ext_registry_tests::{Contents, Database, Outcome, Refusal, Server, finalize, hash, manifest};

use crate::{Dump, codes};

/// A registry of the role `owner`, which has let `publisher` publish.
struct Owned {
    db: Database<'static>,
    owner: String,
    publisher: String,
}

impl Owned {
    fn create() -> Self {
        let db = Server::shared().empty_database();
        let owner = db.create_role("owner");
        let publisher = db.create_role("publisher");
        give_to(&db, &owner);
        let as_owner = db.url_as(&owner);
        let migrate = |arguments: &[&str]| {
            let mut command = ext_registry_tests::ext_migrate();
            command.args(arguments).args(["--database-url", &as_owner]);
            let _ = crate::run(&mut command).succeeded();
        };
        migrate(&["up"]);
        migrate(&["grant", "--publisher", &publisher]);
        let published = finalize(&mut db.client_as(&publisher), &manifest("1.0.0"), &hash(1));
        published.unwrap();
        Self {
            db,
            owner,
            publisher,
        }
    }

    fn restored(
        &self,
        prepare: impl Fn(&Database),
        arguments: &[&str],
    ) -> (Database<'static>, Outcome) {
        let dump = Dump::of(&self.db, &["--format=custom"]);
        let db = Server::shared().empty_database();
        give_to(&db, &self.owner);
        prepare(&db);
        let outcome = dump.pg_restore(&db, arguments);
        Contents::of(&mut self.db.client()).assert_are_in(&mut db.client());
        (db, outcome)
    }
}

fn give_to(db: &Database, owner: &str) {
    db.client()
        .batch_execute(&format!(
            "ALTER DATABASE {} OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}",
            db.name()
        ))
        .unwrap();
}

fn assert_publishes(db: &Database, roles: [&str; 2]) {
    for role in roles {
        finalize(&mut db.client_as(role), &manifest("1.0.*"), &hash(2)).unwrap();
    }
    assert_eq!(codes(db, 0), Vec::<String>::new());
}

#[test]
fn the_owner_restores_its_own() {
    let original = Owned::create();
    let as_owner = format!("--username={}", original.owner);
    let (db, outcome) = original.restored(|_| (), &[&as_owner, "--exit-on-error"]);
    let _ = outcome.succeeded();
    assert_publishes(&db, [&original.owner, &original.publisher]);
}

#[test]
fn a_superuser_restores_it_once_the_owner_has_the_extension() {
    let original = Owned::create();
    let create = |db: &Database| {
        let mut client = db.client_as(&original.owner);
        client
            .batch_execute("CREATE EXTENSION ext_registry")
            .unwrap();
    };
    let (db, outcome) = original.restored(create, &["--exit-on-error"]);
    let _ = outcome.succeeded();
    assert_publishes(&db, [&original.owner, &original.publisher]);
}

/// The superuser has then installed the extension, and the grants that the owner had made are refused.
#[test]
fn otherwise_the_owner_has_lost_its_rights_and_check_says_so() {
    let original = Owned::create();
    let (db, outcome) = original.restored(|_| (), &[]);
    let outcome = outcome.exited(1);
    assert!(
        outcome.stderr.contains("permission denied for function"),
        "{outcome:?}"
    );
    finalize(
        &mut db.client_as(&original.publisher),
        &manifest("1.0.*"),
        &hash(2),
    )
    .refused()
    .with_sqlstate("42501");
    let report = db
        .ext_migrate(&["check", "--format", "json"])
        .succeeded()
        .json();
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["level"]),
        (&"OWNER_RIGHT".into(), &"note".into())
    );

    let _ = db.ext_migrate(&["up"]).succeeded();
    let _ = db
        .ext_migrate(&["grant", "--publisher", &original.publisher])
        .succeeded();
    assert_publishes(&db, [&original.owner, &original.publisher]);
}
