//! Publishing: the extension against its baselines, at all sizes, with one client and several, waiting for the disk
//! at commit or not.

use ext_registry_tests::{Database, Server};

use crate::baselines::{
    CLIENT_FLOW, DUPLICATE, FINALIZE, Lane, OLD, PLPGSQL, RAW, Tables, UNGUARDED,
};
use crate::databases::{copy, copy_without_guards, filled};
use crate::plot::{Drawing, Series};
use crate::report::{Comparison, Part, Row, Target};
use crate::scale::{Scale, count};
use crate::sessions::{Limit, Load, Publishers, Slice, rotated};

const LANES: [Lane; 7] = [
    FINALIZE,
    PLPGSQL,
    RAW,
    CLIENT_FLOW,
    DUPLICATE,
    UNGUARDED,
    OLD,
];

/// Databases up to this size are made anew for each round, so that they do not grow under the measurement.
const COPIED_UP_TO: u64 = 20_000;

/// A slice adds this part of the versions at most.
const GROWTH: u64 = 10;

/// Databases of one size.
struct Place<'server> {
    versions: u64,
    guarded: Database<'server>,
    /// For the base size only.
    unguarded: Option<Database<'server>>,
    old: Database<'server>,
}

/// What one combination of clients and commit mode has given.
struct Cell {
    clients: usize,
    synchronous_commit: bool,
    measured: Vec<Measured>,
}

/// The slices of one lane at one size.
struct Measured {
    versions: u64,
    lane: Lane,
    slices: Vec<Slice>,
}

pub fn run(server: &Server, scale: &Scale) -> Part {
    let places: Vec<_> = scale
        .versions
        .iter()
        .map(|&versions| Place::fill(server, versions, versions == scale.base()))
        .collect();
    let mut rows = Vec::new();
    let mut drawing = None;
    for &clients in scale.clients {
        for synchronous_commit in [false, true] {
            let cell = Cell::measure(scale, &places, clients, synchronous_commit);
            cell.report(scale, &mut rows);
            if cell.is_simplest() {
                drawing = Some(Drawing {
                    title: "Time of one publish, 1 client, synchronous_commit off",
                    series: [FINALIZE, PLPGSQL, RAW, CLIENT_FLOW, OLD]
                        .map(|lane| cell.series(lane))
                        .into(),
                });
            }
        }
    }
    Part { rows, drawing }
}

impl<'server> Place<'server> {
    fn fill(server: &'server Server, versions: u64, base: bool) -> Self {
        let guarded = filled(server, Tables::Guarded, versions);
        let unguarded = base.then(|| copy_without_guards(&guarded));
        let old = filled(server, Tables::Old, versions);
        Self {
            versions,
            guarded,
            unguarded,
            old,
        }
    }

    fn copy(&self) -> Self {
        Self {
            versions: self.versions,
            guarded: copy(&self.guarded),
            unguarded: self.unguarded.as_ref().map(copy),
            old: copy(&self.old),
        }
    }

    /// Leaves the databases to the end of the server: to drop one forces a checkpoint, after which every page that the
    /// next round touches goes into the WAL as a whole.
    fn leave(self) {
        std::mem::forget((self.guarded, self.unguarded, self.old));
    }

    fn database(&self, tables: Tables) -> Option<&Database<'server>> {
        match tables {
            Tables::Guarded => Some(&self.guarded),
            Tables::Unguarded => self.unguarded.as_ref(),
            Tables::Old => Some(&self.old),
        }
    }

    fn open(&self, load: Load) -> Vec<(Lane, Publishers)> {
        let open = |lane: &Lane| {
            let database = self.database(lane.tables)?;
            Some((
                *lane,
                Publishers::open(*lane, database, self.versions, load),
            ))
        };
        LANES.iter().filter_map(open).collect()
    }
}

impl Cell {
    fn measure(
        scale: &Scale,
        places: &[Place<'_>],
        clients: usize,
        synchronous_commit: bool,
    ) -> Self {
        // All sizes in the simplest case, for the plot; else the smallest and the largest.
        let load = Load {
            clients,
            synchronous_commit,
            warm_up: scale.warm_up,
        };
        let simplest = is_simplest(clients, synchronous_commit);
        let places: Vec<_> = places
            .iter()
            .filter(|place| simplest || [scale.base(), scale.largest()].contains(&place.versions))
            .collect();
        let mut kept: Vec<_> = places
            .iter()
            .map(|place| (place.versions > COPIED_UP_TO).then(|| place.open(load)))
            .collect();
        let mut cell = Self {
            clients,
            synchronous_commit,
            measured: Vec::new(),
        };
        for round in 0..scale.rounds {
            for (number, place) in places.iter().enumerate() {
                let limit = Limit {
                    time: scale.slice,
                    operations: usize::try_from(place.versions / GROWTH).unwrap_or(usize::MAX),
                };
                let copied = kept[number].is_none().then(|| place.copy());
                let mut opened = copied.as_ref().map(|place| place.open(load));
                let lanes = opened
                    .as_mut()
                    .or(kept[number].as_mut())
                    .expect("kept or opened");
                for lane in rotated(lanes.len(), round) {
                    let (kind, publishers) = &mut lanes[lane];
                    let slice = publishers.slice(limit);
                    cell.add(place.versions, *kind, slice);
                }
                drop(opened);
                if let Some(copied) = copied {
                    copied.leave();
                }
            }
        }
        cell
    }

    fn add(&mut self, versions: u64, lane: Lane, slice: Slice) {
        let same = |measured: &&mut Measured| measured.is(versions, lane);
        match self.measured.iter_mut().find(same) {
            Some(measured) => measured.slices.push(slice),
            None => self.measured.push(Measured {
                versions,
                lane,
                slices: vec![slice],
            }),
        }
    }

    /// In ascending order.
    fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<_> = self
            .measured
            .iter()
            .map(|measured| measured.versions)
            .collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    fn report(&self, scale: &Scale, rows: &mut Vec<Row>) {
        for versions in self.sizes() {
            let at = self.at(&count(versions));
            let only_off = |target| {
                if self.synchronous_commit {
                    Target::None
                } else {
                    target
                }
            };
            let mut compare = |work: &str, ours: Lane, theirs: Lane, target| {
                if let Some(comparison) = self.comparison((versions, ours), (versions, theirs)) {
                    rows.push(comparison.row(work, &at, target));
                }
            };
            use Target::AtLeast;
            compare(
                "finalize over PL/pgSQL",
                FINALIZE,
                PLPGSQL,
                only_off(AtLeast(1.2)),
            );
            compare("finalize over raw", FINALIZE, RAW, AtLeast(0.95));
            compare(
                "finalize over the client flow",
                FINALIZE,
                CLIENT_FLOW,
                only_off(AtLeast(3.0)),
            );
            compare(
                "duplicate refused over finalize",
                DUPLICATE,
                FINALIZE,
                only_off(AtLeast(1.5)),
            );
            compare(
                "finalize with guards over without",
                FINALIZE,
                UNGUARDED,
                AtLeast(0.9),
            );
            compare(
                "finalize over raw on the old schema",
                FINALIZE,
                OLD,
                Target::None,
            );
            compare("raw over raw on the old schema", RAW, OLD, Target::None);
        }
        let (base, largest) = (scale.base(), scale.largest());
        let at = self.at(&format!("{} over {}", count(largest), count(base)));
        if let Some(comparison) = self.comparison((largest, FINALIZE), (base, FINALIZE)) {
            rows.push(comparison.row(
                "finalize, more versions over few",
                &at,
                Target::AtLeast(0.8),
            ));
        }
    }

    fn is_simplest(&self) -> bool {
        is_simplest(self.clients, self.synchronous_commit)
    }

    fn series(&self, lane: Lane) -> Series {
        let points = self.sizes().into_iter().filter_map(|versions| {
            let slices = self.lane((versions, lane))?;
            Some((versions, Slice::median_micros(slices)))
        });
        Series {
            name: lane.name,
            points: points.collect(),
        }
    }

    fn at(&self, versions: &str) -> String {
        let Self { clients, .. } = self;
        let clients = if *clients == 1 {
            "1 client".to_owned()
        } else {
            format!("{clients} clients")
        };
        let commit = if self.synchronous_commit { "on" } else { "off" };
        format!("{versions} versions, {clients}, commit {commit}")
    }

    fn comparison(&self, ours: (u64, Lane), theirs: (u64, Lane)) -> Option<Comparison<'_>> {
        Some(Comparison {
            ours: self.lane(ours)?,
            theirs: self.lane(theirs)?,
        })
    }

    fn lane(&self, (versions, lane): (u64, Lane)) -> Option<&[Slice]> {
        let mut measured = self.measured.iter();
        let found = measured.find(|measured| measured.is(versions, lane))?;
        Some(&found.slices)
    }
}

impl Measured {
    fn is(&self, versions: u64, lane: Lane) -> bool {
        (self.versions, self.lane.name) == (versions, lane.name)
    }
}

fn is_simplest(clients: usize, synchronous_commit: bool) -> bool {
    clients == 1 && !synchronous_commit
}
