//! The command `ampersand`.

mod args;
mod changes;
mod check;
mod cmd;
mod connection;
mod contract;
mod dead_letter;
mod drift;
mod gaps;
mod input;
mod kept;
mod known;
mod metadata;
mod nearest;
mod output;
mod reader;
mod secrets;
mod signals;
mod store;
mod table;
mod usage;

use std::process::ExitCode;

use anyhow::Result;
use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _};
use output::{Messages, plain};
use usage::{Usage, usage};

fn main() -> ExitCode {
    // reqwest uses the provider of the process. No other code can have installed one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) if error.is::<output::Closed>() => ExitCode::SUCCESS,
        Err(error) => {
            // The message may contain a file name, and anyone may have chosen that.
            Messages::default().say(format_args!("error: {}", plain(&format!("{error:#}"))));
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Decode(options) => cmd::decode::run(&options),
        Command::Resolve(options) => cmd::resolve::run(options),
        Command::Verify(options) => cmd::verify::run(&options),
        Command::Listen(options) if options.demo => cmd::demo::run(),
        Command::Listen(options) => cmd::listen::run(options),
        Command::Inspect(options) => cmd::inspect::run(options),
        Command::Serve(options) => cmd::serve::run(options),
        Command::Inbox { command } => cmd::inbox::run(&command),
        Command::Setup(options) => cmd::setup::run(&options),
        Command::Trigger(options) => cmd::trigger::run(options),
        Command::Api(api) => cmd::api::run(&api.0),
        Command::Explain(options) => cmd::explain::run(&options),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ampersand", &mut script);
            output::print(&script)
        }
        Command::Man { command } => {
            let mut page = Vec::new();
            clap_mangen::Man::new(manual(&command)?).render(&mut page)?;
            output::print(&page)
        }
    }
}

/// Returns the command of a manual page, by its names from the outside in.
fn manual(names: &[String]) -> Result<clap::Command> {
    let mut whole = Cli::command();
    whole.build(); // gives the commands their full names
    let command = names.iter().try_fold(&whole, |command, name| command.find_subcommand(name));
    let unknown = || usage(format!("there is no command `{}`: see `ampersand help`", names.join(" ")));
    command.cloned().ok_or_else(unknown)
}
