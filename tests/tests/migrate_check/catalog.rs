//! `sql/catalog.json` is what the migrations, the extension and the DDL guard make on a fresh database, read by the
//! query that `check` reads every database with. `UPDATE_CATALOG=1` writes it anew.

use ext_migrate::change::{ddl_guard, distribution, migration};
use ext_migrate::migrations::Migrations;
use ext_migrate::schema::Schema;
use ext_migrate::situation::Facts;
use ext_migrate::situation::facts::Names;
use ext_migrate::wanted::catalog::Dated;
use ext_migrate::wanted::object::{Kind, Object};
use ext_registry_tests::{Server, workspace_root};
use postgres::{Client, GenericClient};

/// What stands in the file for the name of the schema.
const SCHEMA: &str = "@schema@";

#[test]
fn the_catalog_is_what_a_fresh_database_prints() {
    let db = Server::shared().empty_database();
    let mut client = db.client();
    let schema = Schema::new(SCHEMA).unwrap();
    client
        .batch_execute(&format!("CREATE SCHEMA {}", schema.quoted()))
        .unwrap();
    client
        .batch_execute(&migration::create_sql(&schema))
        .unwrap();
    let mut made: Vec<Dated> = Vec::new();
    for migration in Migrations::embedded().in_schema(&schema).unwrap() {
        client.batch_execute(&migration.sql).unwrap();
        date(&mut made, &printed(&mut client), migration.version);
    }
    client
        .batch_execute(&format!(
            "CREATE EXTENSION ext_registry SCHEMA {}",
            schema.quoted()
        ))
        .unwrap();
    let extension = functions(&printed(&mut client), "ext_");
    // The block of the extension's script does nothing where there is no Citus.
    let for_citus = include_str!("../../../pg_ext/src/citus.sql")
        .replace("'citus'", "'plpgsql'")
        .replace("@extschema@", &schema.quoted());
    let readers = functions(&printed_after(&mut client, &for_citus), "ext_");
    let guards = printed_after(&mut client, &distribution::guards(&schema));
    let ddl_guard = printed_after(&mut client, &ddl_guard::sql(&schema));

    let readers = other(&readers, &extension);
    let plain: Vec<_> = made.iter().map(|dated| dated.object.clone()).collect();
    let guards = other(&functions(&guards, "extension_"), &plain);
    let ours = |object: &Object| object.name.starts_with("ext_registry_ddl_guard");
    let ddl_guard: Vec<_> = ddl_guard.into_iter().filter(ours).collect();

    let mut text = String::from("{\n");
    list(
        &mut text,
        "migrations",
        made.iter().map(serde_json::to_string),
    );
    for (name, objects) in [
        ("extension", extension),
        ("readers_on_citus", readers),
        ("guards_on_shards", guards),
        ("ddl_guard", ddl_guard),
    ] {
        list(&mut text, name, objects.iter().map(serde_json::to_string));
    }
    text.truncate(text.len() - 2);
    text.push_str("\n}\n");

    let path = workspace_root().join("sql/catalog.json");
    if std::env::var_os("UPDATE_CATALOG").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    for (number, (written, made)) in file.lines().zip(text.lines()).enumerate() {
        assert!(
            written == made,
            "line {} of sql/catalog.json is not what this server prints; UPDATE_CATALOG=1 writes it\n\
             written: {written}\nprinted: {made}",
            number + 1
        );
    }
    assert_eq!(file.len(), text.len());
}

/// All that is in the schema: nothing else ever was in this database.
fn printed(client: &mut Client) -> Vec<Object> {
    let mut transaction = client.transaction().unwrap();
    read(&mut transaction)
}

/// The same as it would be after this script.
fn printed_after(client: &mut Client, sql: &str) -> Vec<Object> {
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(sql).unwrap();
    read(&mut transaction)
}

fn read(client: &mut impl GenericClient) -> Vec<Object> {
    let mut names = |query: &str| -> Vec<String> {
        let rows = client.query(query, &[]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let names = Names {
        tables: names(
            r#"SELECT relname::text FROM pg_class
               WHERE relnamespace = '"@schema@"'::regnamespace AND relkind = 'r'"#,
        ),
        functions: names(
            r#"SELECT proname::text FROM pg_proc WHERE pronamespace = '"@schema@"'::regnamespace"#,
        ),
        indexes: Vec::new(),
    };
    Object::all(&Facts::read(client, SCHEMA, &names).unwrap())
}

fn functions(objects: &[Object], prefix: &str) -> Vec<Object> {
    let wanted =
        |object: &&Object| object.kind == Kind::Function && object.name.starts_with(prefix);
    objects.iter().filter(wanted).cloned().collect()
}

/// Those that are not the same in `objects`.
fn other(objects: &[Object], than: &[Object]) -> Vec<Object> {
    let new = |object: &&Object| !than.contains(object);
    objects.iter().filter(new).cloned().collect()
}

/// Adds what this migration has made, and ends what it has changed or removed.
fn date(made: &mut Vec<Dated>, now: &[Object], version: i32) {
    for dated in made.iter_mut().filter(|dated| dated.until.is_none()) {
        if !now.contains(&dated.object) {
            dated.until = Some(version);
        }
    }
    for object in now {
        let known = |dated: &Dated| dated.until.is_none() && dated.object == *object;
        if !made.iter().any(known) {
            made.push(Dated {
                since: version,
                until: None,
                object: object.clone(),
            });
        }
    }
}

/// One object a line, so that a change shows as one.
fn list(text: &mut String, name: &str, objects: impl Iterator<Item = serde_json::Result<String>>) {
    let lines: Vec<_> = objects
        .map(|object| format!("    {}", object.unwrap()))
        .collect();
    text.push_str(&format!("  \"{name}\": [\n{}\n  ],\n", lines.join(",\n")));
}
