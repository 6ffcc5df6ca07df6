//! `ext-migrate` with the migrations of a folder, its first argument, instead of its own.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use ext_migrate::migrations::Migrations;

fn main() -> ExitCode {
    let mut words = env::args_os();
    let program = words.next();
    let folder = words.next().unwrap_or_default();
    match Migrations::of_folder(Path::new(&folder)) {
        Ok(migrations) => ext_migrate::run_with(migrations, program.into_iter().chain(words)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
