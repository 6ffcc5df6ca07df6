//! What a published version costs: WAL while it is written, tables and indexes for as long as it stays. The same
//! versions go through finalize here and through the old apps' tables, indexes and random keys there.

use std::time::Duration;

use ext_registry_tests::{Database, Server};

use crate::baselines::{FINALIZE, Lane, OLD};
use crate::databases::empty;
use crate::publication::Publication;
use crate::report::{Row, Target};
use crate::scale::{Scale, count};
use crate::sessions::{Limit, Load, Publishers};

/// Bytes per version.
struct Cost {
    wal: f64,
    tables: f64,
    indexes: f64,
}

pub fn run(server: &Server, scale: &Scale) -> Vec<Row> {
    // The old schema has no column for assets.
    let lane = Lane {
        next: |picks| Publication::of_new_version(picks.next(), false),
        ..FINALIZE
    };
    let ours = publish(server, scale, lane);
    let theirs = publish(server, scale, OLD);
    let at = format!("{} versions", count(scale.stored));
    let row = |work: &str, value: fn(&Cost) -> f64, target| Row {
        work: format!("{work} per version, over the old schema"),
        at: at.clone(),
        measured: format!("{:.0} / {:.0} bytes", value(&ours), value(&theirs)),
        ratio: value(&ours) / value(&theirs),
        cpu: None,
        target,
    };
    vec![
        row("WAL", |cost| cost.wal, Target::AtMost(1.1)),
        row(
            "tables and indexes",
            |cost| cost.tables + cost.indexes,
            Target::AtMost(1.1),
        ),
        row("tables", |cost| cost.tables, Target::None),
        row("indexes", |cost| cost.indexes, Target::None),
    ]
}

fn publish(server: &Server, scale: &Scale, lane: Lane) -> Cost {
    let database = empty(server, lane.tables);
    // None comes in between: the server's limits are far, and pages that are new need no image in the WAL.
    server.administer("CHECKPOINT");
    let versions = usize::try_from(scale.stored).expect("fits");
    let mut publishers = Publishers::open(
        lane,
        &database,
        scale.stored,
        Load {
            clients: 4,
            synchronous_commit: false,
            warm_up: scale.warm_up,
        },
    );
    let before = wal(&database);
    let slice = publishers.slice(Limit {
        time: Duration::MAX,
        operations: versions,
    });
    let after = wal(&database);
    let each = slice.operations as f64;
    let sizes = sizes(&database);
    // Those of the warm-up are in the tables too.
    let stored = sizes.versions as f64;
    Cost {
        wal: (after - before) / each,
        tables: sizes.tables as f64 / stored,
        indexes: sizes.indexes as f64 / stored,
    }
}

/// Bytes of WAL so far: the server has no other work.
fn wal(database: &Database<'_>) -> f64 {
    let mut client = database.client();
    let row = client.query_one("SELECT (pg_current_wal_insert_lsn() - '0/0')::float8", &[]);
    row.expect("the server is no standby").get(0)
}

struct Sizes {
    versions: i64,
    tables: i64,
    indexes: i64,
}

fn sizes(database: &Database<'_>) -> Sizes {
    let mut client = database.client();
    let row = client.query_one(
        "SELECT (SELECT count(*) FROM extension_version), sum(pg_table_size(name))::bigint, sum(pg_indexes_size(name))::bigint
         FROM unnest('{extension_registry,extension_version,extension_bundle}'::regclass[]) name",
        &[],
    );
    let row = row.expect("the tables are there");
    Sizes {
        versions: row.get(0),
        tables: row.get(1),
        indexes: row.get(2),
    }
}
