//! Measures the registry against what people would use instead, side by side, in one run.
//!
//! `make bench` and `make bench-large` run it under `cargo bench`; `ARGS="finalize list"` runs parts. Under
//! `cargo test` it runs once at tiny sizes, without judging any time.

mod agreement;
mod baselines;
mod bundle;
mod databases;
mod finalize;
mod list;
mod log;
mod migrate;
mod plot;
mod publication;
mod report;
mod scale;
mod sessions;
mod storage;

use std::env;
use std::fs;

use ext_registry_tests::{Server, workspace_root};

use crate::report::Part;
use crate::scale::{LARGE, SMALL, SMOKE, Scale};

type Measure = fn(&Server, &Scale) -> Part;

const PARTS: [(&str, Measure); 6] = [
    ("finalize", finalize::run),
    ("bundle", |server, scale| bundle::run(server, scale).into()),
    ("list", list::run),
    ("storage", |server, scale| {
        storage::run(server, scale).into()
    }),
    ("log", log::run),
    ("migrate", |server, scale| {
        migrate::run(server, scale).into()
    }),
];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    // Cargo says --bench to what `cargo bench` runs.
    let scale = match (has("--bench"), has("--large")) {
        (false, _) => &SMOKE,
        (true, false) => &SMALL,
        (true, true) => &LARGE,
    };
    let named: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| *name == part);

    let server = databases::server(scale);
    agreement::check(&server);
    let mut rows = Vec::new();
    for (name, measure) in PARTS.into_iter().filter(|(name, _)| wanted(name)) {
        eprintln!("measuring {name}");
        let part = measure(&server, scale);
        rows.extend(part.rows);
        if let Some(drawing) = &part.drawing {
            let svg = plot::draw(drawing).expect("lines can be drawn");
            write(scale, &format!("{}-{name}.svg", scale.name), &svg);
        }
        // After each part: the next one may take long.
        write(scale, &format!("{}.md", scale.name), &report::table(&rows));
    }
    if scale.name != SMOKE.name {
        println!("{}", report::table(&rows));
    }
}

/// Into `.build/bench`.
fn write(scale: &Scale, name: &str, contents: &str) {
    let folder = workspace_root().join(".build/bench");
    fs::create_dir_all(&folder).expect("the folder can be made");
    let file = folder.canonicalize().expect("it is there").join(name);
    fs::write(&file, contents).expect("the file can be written");
    if scale.name != SMOKE.name {
        eprintln!("written: {}", file.display());
    }
}
