//! Follows the published contract: `fetch` reads it, `generate` writes Rust from it, and `check` compares that with the
//! files. `diff` says what changed in the contract, and `update` does all that a change needs.
//!
//! `fetch → parts → dialect → canonical → bundle → overlay → model → generate → output`: each is a module. `diff` compares
//! two models. Only `fetch` uses the network, and only `output` writes. `project` has the settings for this contract.

#![allow(clippy::indexing_slicing, reason = "a `Value` without such a member gives `null`")]

mod bundle;
mod canonical;
mod changelog;
mod dialect;
mod diff;
mod document;
mod fetch;
mod generate;
mod graph;
mod kept;
mod keywords;
mod model;
mod output;
mod overlay;
mod parts;
mod project;
mod sources;
mod update;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Follows the published contract", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// The workspace to work on
    #[arg(long, global = true, hide = true, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Download the published documents into openapi/contract
    ///
    /// Reads the documents of openapi/sources.toml and those they refer to, and writes openapi/contract/*.json and
    /// openapi/contract.lock: all of them, or none when anything is wrong.
    Fetch(fetch::Options),
    /// Follow the newest published contract: fetch, diff, generate, an entry in the changelog, and the tests
    ///
    /// The contract, its lock and the changelog are written together, or nothing is. Exits with 0 when all is well,
    /// whether there was a change or not, and 1 when something is left to be done, which it names.
    Update(update::Options),
    /// Generate the Rust code from openapi/contract and openapi/overlays
    Generate(GenerateOptions),
    /// Compare what `generate` would write with what is there; exit with 1 and a diff when they differ
    Check(GenerateOptions),
    /// Say what two contracts mean differently, and whom that breaks
    ///
    /// Exits with 0 when nothing changed, 1 when all changes are compatible, 2 when one breaks somebody, 3 on an error.
    Diff(diff::Options),
    /// Run the tests against implementations that we did not write
    ///
    /// Needs python3 (with venv), node and npm, and installs what tests/peers pins into the target folder.
    Peers,
}

#[derive(Args)]
struct GenerateOptions {
    /// Report overlay actions and steps that no longer match anything as warnings, as an older contract needs
    #[arg(long)]
    allow_stale: bool,
}

/// The bytes of stack to work with.
const STACK: usize = 1 << 30;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => help.exit(),
        // clap would exit with 2, which `diff` uses for a breaking change.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(diff::FAILED);
        }
    };
    let root = cli.root.unwrap_or_else(workspace);
    // The schemas of a contract may refer to each other over thousands of steps.
    let done = std::thread::scope(|scope| {
        let run = || run(&cli.command, &root);
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        thread.context("a thread")?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            say(format!("error: {error:#}"));
            match &cli.command {
                Command::Diff(_) => ExitCode::from(diff::FAILED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(command: &Command, root: &Path) -> Result<ExitCode> {
    match command {
        Command::Fetch(options) => {
            let fetched = fetch::fetch(root, options)?;
            let changed = fetched.plan.write(root)?;
            for line in &fetched.notes {
                say(line);
            }
            report(&fetched.plan, &changed);
        }
        Command::Update(options) => return update::update(root, options),
        Command::Generate(options) => {
            let generated = generate::generate(root, options.allow_stale)?;
            let changed = generated.plan.write(root)?;
            say(&generated.summary);
            report(&generated.plan, &changed);
        }
        Command::Check(options) => {
            let generated = generate::generate(root, options.allow_stale)?;
            say(&generated.summary);
            let diff = format!("{}{}", sources::lock_diff(root)?, generated.plan.diff(root)?);
            if !diff.is_empty() {
                let _ = std::io::stdout().write_all(diff.as_bytes());
                say("error: run `cargo xtask generate`, or `cargo xtask fetch` where contract.lock differs");
                return Ok(ExitCode::FAILURE);
            }
            say("everything is up to date");
        }
        Command::Diff(options) => {
            let diff = diff::diff(root, options)?;
            let _ = std::io::stdout().write_all(diff.text.as_bytes());
            return Ok(ExitCode::from(diff.code));
        }
        Command::Peers => {
            let run = ["run", "--quiet", "--locked", "--package", "peers"];
            let status = cargo(root).args(run).status().context("cargo")?;
            return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(plan: &output::Plan, changed: &[(&str, bool)]) {
    for (path, written) in changed {
        say(format!("{} {path}", if *written { "wrote" } else { "removed" }));
    }
    say(format!("{} of {} files changed", changed.len(), plan.len()));
}

/// Prints a line for the user, who may have closed the terminal.
fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", line.as_ref());
}

/// Returns a command of the cargo that runs this, in the workspace.
fn cargo(root: &Path) -> std::process::Command {
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

fn workspace() -> PathBuf {
    let xtask =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
