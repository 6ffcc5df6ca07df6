//! `ext-migrate`: brings a database to the current schema of ext_registry and proves that it lost nothing.

pub mod change;
pub mod cli;
pub mod commands;
pub mod error;
pub mod files;
pub mod holders;
pub mod log;
pub mod migrations;
pub mod output;
pub mod schema;
pub mod session;
pub mod situation;
pub mod wanted;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::commands::Context;
use crate::error::{Error, Exit};
use crate::migrations::Migrations;

/// Reads the command line, runs the command and gives the exit code of the public interface.
pub fn run() -> ExitCode {
    run_with(Migrations::embedded(), std::env::args_os())
}

/// The same with other migrations and this command line, whose first word is the program's name: for tests.
pub fn run_with(migrations: Migrations, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    // clap itself ends with 2 on wrong usage, and with 0 on --help.
    let cli = Cli::parse_from(words);
    let context = Context::new(&cli.common, migrations);
    let exit = dispatch(&context, &cli.command).unwrap_or_else(|error| {
        let error = context.name_holders(error);
        context.output.error(&error);
        error.exit()
    });
    ExitCode::from(exit as u8)
}

fn dispatch(context: &Context, command: &Command) -> Result<Exit, Error> {
    match command {
        Command::Up(args) => commands::up::run(context, args),
        Command::Plan(args) => commands::plan::run(context, args),
        Command::Status(args) => commands::status::run(context, args),
        Command::Check(args) => commands::check::run(context, args),
        Command::Grant(args) => commands::grant::run(context, args),
        Command::Distribute(args) => commands::distribute::run(context, args),
        Command::Seal(args) => commands::seal::run(context, args),
        Command::Audit(args) => commands::audit::run(context, args),
        Command::ExportTiles(args) => commands::export_tiles::run(context, args),
        Command::Completions { shell } => commands::documents::completions(context, *shell),
        Command::Man => commands::documents::man(context),
    }
}
