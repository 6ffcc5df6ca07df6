//! Reading: pages of the list and the whole list, against hand-written SQL and against what apps do today.

use std::time::SystemTime;

use ext_registry_tests::{Database, Server, backend_pid};
use postgres::types::ToSql;
use postgres::{Client, Statement};
use uuid::Uuid;

use crate::baselines::Tables;
use crate::databases::{empty, fill_listed};
use crate::plot::{Drawing, Series};
use crate::report::{Comparison, Part, Row, Target};
use crate::scale::{Scale, count};
use crate::sessions::{Slice, connect, repeat, rotated};

const PAGE: u64 = 20;

/// The deep page that is measured, or the last one of a shorter list.
const DEEP: u64 = 500;

/// An app's tenant, which has installed a version of each extension.
pub const TENANT: &str = "tenant-7";

/// Both lists of a page, with the same columns.
const LISTS: [&str; 2] = [
    "SELECT version_id, version, published_at, content_hash, installed, bundle_count
     FROM ext_list_versions($1, $2)
     @page@",
    // Limited before it is joined.
    "SELECT v.id, v.version::text, v.created_at, b.content_hash, COALESCE(v.id = i.version_id, false), COALESCE(b.bundles, 0)
     FROM (
         SELECT id, version, created_at, registry_id
         FROM extension_version
         WHERE registry_id = $1 @page@
     ) v
     LEFT JOIN LATERAL (
         SELECT c.content_hash::text, (count(*) OVER ())::integer AS bundles
         FROM extension_bundle c
         WHERE c.version_id = v.id
         ORDER BY c.created_at DESC NULLS LAST, c.content_hash COLLATE \"C\" DESC
         LIMIT 1
     ) b ON true
     LEFT JOIN tenant_extension_install i ON i.tenant_id = $2 AND i.registry_id = $1
     ORDER BY v.created_at DESC NULLS LAST, v.id DESC",
];

const FIRST: [&str; 2] = [
    "LIMIT 20",
    "ORDER BY created_at DESC NULLS LAST, id DESC LIMIT 20",
];

const NEXT: [&str; 2] = [
    "WHERE (published_at, version_id) < ($3, $4) LIMIT 20",
    "AND (created_at, id) < ($3, $4) ORDER BY created_at DESC NULLS LAST, id DESC LIMIT 20",
];

/// A page: of which list, how far down, by which query.
struct Page {
    versions: u64,
    deep: bool,
    ours: bool,
    statement: Statement,
    extension: Uuid,
    /// Where the page begins.
    after: Option<(SystemTime, Uuid)>,
    slices: Vec<Slice>,
}

pub fn run(server: &Server, scale: &Scale) -> Part {
    let database = empty(server, Tables::Guarded);
    fill_listed(&database, scale.listed);
    let mut part = pages(&database, scale);
    part.rows.push(whole_list(&database, scale));
    part
}

fn pages(database: &Database<'_>, scale: &Scale) -> Part {
    let mut client = connect(database);
    let mut pages = Vec::new();
    for &versions in scale.listed {
        for deep in [false, true] {
            for ours in [true, false] {
                pages.push(Page::prepare(&mut client, versions, deep, ours));
            }
        }
    }
    let backend = backend_pid(&mut client);
    for page in &pages {
        for _ in 0..20 {
            assert_eq!(page.read(&mut client), PAGE, "the page is full");
        }
    }
    for round in 0..scale.rounds * 3 {
        for number in rotated(pages.len(), round) {
            let page = &pages[number];
            let slice = repeat(backend, scale.slice / 4, || {
                page.read(&mut client);
            });
            pages[number].slices.push(slice);
        }
    }
    report(scale, &pages)
}

impl Page {
    fn prepare(client: &mut Client, versions: u64, deep: bool, ours: bool) -> Self {
        let extension = listed(client, versions);
        let after = deep.then(|| {
            let pages = DEEP.min(versions / PAGE) - 1;
            let last = i64::try_from(pages * PAGE - 1).expect("few");
            let row = client.query_one(
                "SELECT created_at, id FROM extension_version WHERE registry_id = $1
                 ORDER BY created_at DESC NULLS LAST, id DESC OFFSET $2 LIMIT 1",
                &[&extension, &last],
            );
            let row = row.expect("there are as many");
            (row.get(0), row.get(1))
        });
        let which = usize::from(!ours);
        let page = if deep { NEXT[which] } else { FIRST[which] };
        let statement = client
            .prepare(&LISTS[which].replace("@page@", page))
            .expect("the tables are there");
        Self {
            versions,
            deep,
            ours,
            statement,
            extension,
            after,
            slices: Vec::new(),
        }
    }

    /// Gives the number of rows.
    fn read(&self, client: &mut Client) -> u64 {
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&self.extension, &TENANT];
        if let Some((time, id)) = &self.after {
            parameters.push(time);
            parameters.push(id);
        }
        let rows = client.query(&self.statement, &parameters);
        rows.expect("the app may read").len() as u64
    }

    fn place(&self) -> String {
        if self.deep {
            format!("page {}", DEEP.min(self.versions / PAGE))
        } else {
            "first page".to_owned()
        }
    }
}

/// Rows of the table: latency is the inverse of what one client gets through.
fn report(scale: &Scale, pages: &[Page]) -> Part {
    let find = |versions, deep, ours| {
        pages
            .iter()
            .find(|page| (page.versions, page.deep, page.ours) == (versions, deep, ours))
            .expect("all were measured")
    };
    let mut rows = Vec::new();
    for &versions in scale.listed {
        for deep in [false, true] {
            let (ours, theirs) = (find(versions, deep, true), find(versions, deep, false));
            let comparison = Comparison {
                ours: &ours.slices,
                theirs: &theirs.slices,
            };
            let at = format!("{} of {} versions", ours.place(), count(versions));
            let target = Target::AtMost(1.05);
            rows.push(comparison.latency("list page of 20 over hand-written", &at, target));
        }
    }
    let (few, many) = (scale.listed[0], scale.listed[scale.listed.len() - 1]);
    for deep in [false, true] {
        let (ours, theirs) = (find(many, deep, true), find(few, deep, true));
        let comparison = Comparison {
            ours: &ours.slices,
            theirs: &theirs.slices,
        };
        let at = format!(
            "{} of {} over {} of {} versions",
            ours.place(),
            count(many),
            theirs.place(),
            count(few)
        );
        let target = Target::AtMost(1.2);
        rows.push(comparison.latency("list page of 20, more versions over few", &at, target));
    }
    let series =
        [(true, "ext_list_versions"), (false, "hand-written")].map(|(ours, name)| Series {
            name,
            points: scale
                .listed
                .iter()
                .map(|&versions| {
                    (
                        versions,
                        Slice::median_micros(&find(versions, true, ours).slices),
                    )
                })
                .collect(),
        });
    Part {
        rows,
        drawing: Some(Drawing {
            title: "Time of a page of 20 versions deep in the list",
            series: series.into(),
        }),
    }
}

/// All versions at once, against the three queries of apps: versions, the bundles of those, the tenant's install.
fn whole_list(database: &Database<'_>, scale: &Scale) -> Row {
    let mut client = connect(database);
    let backend = backend_pid(&mut client);
    let versions = scale.listed_whole;
    let extension = listed(&mut client, versions);
    let mut prepare = |sql: &str| client.prepare(sql).expect("the tables are there");
    let ours = prepare(
        "SELECT version_id, version, published_at, content_hash, installed, bundle_count
         FROM ext_list_versions($1, $2)",
    );
    let versions_of = prepare(
        "SELECT id, version, created_at FROM extension_version
         WHERE registry_id = $1 ORDER BY created_at DESC NULLS LAST, id DESC",
    );
    let bundles_of = prepare(
        "SELECT version_id, content_hash, created_at FROM extension_bundle WHERE version_id = ANY ($1)",
    );
    let install_of = prepare(
        "SELECT version_id FROM tenant_extension_install WHERE tenant_id = $1 AND registry_id = $2",
    );

    let (mut our_slices, mut their_slices) = (Vec::new(), Vec::new());
    // One more, for warming up.
    for _ in 0..=scale.rounds {
        our_slices.push(repeat(backend, scale.slice, || {
            let rows = client.query(&ours, &[&extension, &TENANT]);
            assert_eq!(rows.expect("the app may read").len() as u64, versions);
        }));
        their_slices.push(repeat(backend, scale.slice, || {
            let mut query = |statement, parameters: &[&(dyn ToSql + Sync)]| {
                let rows = client.query(statement, parameters);
                rows.expect("the app may read")
            };
            let listed = query(&versions_of, &[&extension]);
            let ids: Vec<Uuid> = listed.iter().map(|row| row.get(0)).collect();
            let bundles = query(&bundles_of, &[&ids]);
            let install = query(&install_of, &[&TENANT, &extension]);
            assert_eq!((ids.len(), install.len()), (bundles.len(), 1));
        }));
    }
    let comparison = Comparison {
        ours: &our_slices[1..],
        theirs: &their_slices[1..],
    };
    let at = format!("{} versions", count(versions));
    comparison.latency(
        "whole list over the three queries of apps",
        &at,
        Target::AtMost(0.5),
    )
}

/// The extension that `fill_listed.sql` gave so many versions.
fn listed(client: &mut Client, versions: u64) -> Uuid {
    let row = client.query_one(
        "SELECT ext_extension_id('listed', $1)",
        &[&format!("with-{versions}")],
    );
    row.expect("it was filled").get(0)
}
