//! `completions` and `man`: made from the command line's own description.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::commands::Context;
use crate::error::{Error, Exit};

/// Prints the completions of one shell.
pub fn completions(context: &Context, shell: Shell) -> Result<Exit, Error> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ext-migrate", &mut text);
    context.output.raw(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

/// Prints the manual page: the command and, after it, every subcommand.
pub fn man(context: &Context) -> Result<Exit, Error> {
    let mut text = Vec::new();
    let written = render(&mut text);
    written.map_err(|source| Error::Io {
        doing: "writing the manual page".to_owned(),
        source,
    })?;
    context.output.raw(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

fn render(text: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(text)?;
    for subcommand in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let name = format!("ext-migrate {}", subcommand.get_name());
        clap_mangen::Man::new(subcommand.clone().display_name(name)).render(text)?;
    }
    Ok(())
}
