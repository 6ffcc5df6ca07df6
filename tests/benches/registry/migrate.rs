//! `ext-migrate up`, wall time, against psql doing the least that is needed.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use ext_registry_tests::{Database, Server, ext_migrate, workspace_root};

use crate::report::{Row, Target, median};
use crate::scale::Scale;

pub fn run(server: &Server, scale: &Scale) -> Vec<Row> {
    let rounds = scale.rounds * 2;
    let file = workspace_root().join(".build/bench.sql");
    let first = server.empty_database();
    let plan = first.ext_migrate(&["plan", "--sql"]).succeeded();
    fs::write(&file, plan.stdout).expect("the file can be written");

    let (mut up, mut psql) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (ours, theirs) = (server.empty_database(), server.empty_database());
        up.push(seconds(ext_migrate_up(&ours)));
        let mut command = theirs.program("psql");
        command
            .args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file"])
            .arg(&file);
        psql.push(seconds(command));
    }
    let fresh = row(
        "up on an empty database over psql -f of the same SQL",
        &up,
        &psql,
        1.5,
    );

    first.ext_migrate(&["up"]).succeeded();
    let (mut up, mut psql) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        up.push(seconds(ext_migrate_up(&first)));
        let mut command = first.program("psql");
        command.args(["--quiet", "--no-psqlrc", "--command", "select 1"]);
        psql.push(seconds(command));
    }
    let nothing = row(
        "up with nothing to do over psql -c 'select 1'",
        &up,
        &psql,
        3.0,
    );
    vec![fresh, nothing]
}

fn ext_migrate_up(database: &Database<'_>) -> Command {
    let mut command = ext_migrate();
    command.args(["up", "--database-url", &database.url()]);
    command
}

fn seconds(mut command: Command) -> f64 {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status().expect("the program starts");
    assert!(status.success(), "{command:?}");
    begin.elapsed().as_secs_f64()
}

fn row(work: &str, ours: &[f64], theirs: &[f64], target: f64) -> Row {
    let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
    Row {
        work: work.to_owned(),
        at: "wall time".to_owned(),
        ratio: median(ratios.collect()),
        measured: format!(
            "{:.1} / {:.1} ms",
            median(ours.to_vec()) * 1e3,
            median(theirs.to_vec()) * 1e3
        ),
        cpu: None,
        target: Target::AtMost(target),
    }
}
