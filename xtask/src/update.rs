//! Follows the newest contract: all that a maintainer would do, one step after the other.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::changelog::{self, CHANGELOG};
use crate::diff::{self, Update};
use crate::overlay::Overlay;
use crate::{cargo, fetch, generate, output, report, say};

#[derive(Args)]
#[group(skip)] // Its group would have the same name as that of `fetch::Options`.
pub(crate) struct Options {
    #[command(flatten)]
    source: fetch::Options,
    /// Where the meaning of the contract changed, write to this file the title of a pull request, an empty line, and its
    /// text in markdown: what changed, the next versions, and what is left to be done
    #[arg(long, value_name = "FILE")]
    pull_request: Option<PathBuf>,
}

/// Runs the update. It first writes the contract and its changelog entry together, so that a run that stops later can
/// be continued and no change is forgotten.
pub(crate) fn update(root: &Path, options: &Options) -> Result<ExitCode> {
    let update = follow(root, &options.source)?;
    let made = make(root, update.is_some());
    if let Some(update) = &update {
        say(format!("next versions, at least: {}", update.versions.join(", ")));
        if let Some(file) = &options.pull_request {
            std::fs::write(file, pull_request(update, &made)).with_context(|| file.display().to_string())?;
        }
    }
    match made {
        Made::Well => return Ok(ExitCode::SUCCESS),
        Made::Not(why) => say(format!(
            "error: {why}\nThe contract, its lock and the changelog are written, and what is generated is as it was: mend \
             openapi/overlays (docs/overlays.md), then `cargo xtask update` again"
        )),
        Made::Failing(why) => say(format!("error: {why}")),
    }
    Ok(ExitCode::FAILURE)
}

/// Writes the newest contract, and adds the changes of its meaning to the changelog.
fn follow(root: &Path, source: &fetch::Options) -> Result<Option<Update>> {
    let newest = source.from.is_none().then(|| diff::NEWEST.to_owned());
    let source = fetch::Options { rev: source.rev.clone().or(newest), ..source.clone() };
    let mut fetched = fetch::fetch(root, &source)?;
    let overlays = Overlay::load_all(root)?;
    let update = diff::update(root, &fetched.read, &overlays)?;
    if let Some(update) = &update {
        let text = changelog::with(&output::read(root, CHANGELOG)?, &update.entries)?;
        fetched.plan.add(CHANGELOG.to_owned(), text);
        for (file, text) in &update.kept {
            match text {
                Some(text) => {
                    fetched.plan.add(file.clone(), text.clone());
                    fetched.notes.push(format!("{file} keeps Rust types as they were, until a major release"));
                }
                None => fetched.plan.remove(file.clone()),
            }
        }
    }
    let changed = fetched.plan.write(root)?;
    fetched.notes.iter().for_each(say);
    report(&fetched.plan, &changed);
    say(if update.is_some() {
        "the meaning of the contract changed"
    } else {
        "nothing that a program could notice changed"
    });
    Ok(update)
}

/// How far the update got.
enum Made {
    Well,
    /// Nothing could be generated.
    Not(String),
    /// Code was generated, but a test fails.
    Failing(String),
}

fn make(root: &Path, has_changed: bool) -> Made {
    let generated = generate::generate(root, false).and_then(|generated| {
        let changed = generated.plan.write(root)?;
        say(&generated.summary);
        report(&generated.plan, &changed);
        Ok(!changed.is_empty())
    });
    match generated {
        Ok(false) if !has_changed => Made::Well,
        Ok(_) => test(root).map_or_else(|error| Made::Failing(format!("{error:#}")), |()| Made::Well),
        Err(error) => Made::Not(format!("{error:#}")),
    }
}

/// Runs all tests. The error names the tests that fail, and the snapshots to review.
fn test(root: &Path) -> Result<()> {
    let arguments = ["test", "--workspace", "--locked", "--no-fail-fast"];
    say(format!("cargo {}", arguments.join(" ")));
    let mut run = cargo(root)
        .args(arguments)
        .env("INSTA_UPDATE", "new") // a file beside each snapshot that differs
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo test")?;
    let mut text = "`cargo test --workspace` fails".to_owned();
    for line in run.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
        let line = line.context("cargo test")?;
        say(&line);
        if line.starts_with("test ") && line.ends_with("FAILED") {
            write!(text, "\n  {line}")?;
        }
    }
    if run.wait().context("cargo test")?.success() {
        return Ok(());
    }
    let snapshots = pending(root, root);
    if !snapshots.is_empty() {
        write!(text, "\nsnapshots to be looked at (`cargo insta review`):\n  {}", snapshots.join("\n  "))?;
    }
    anyhow::bail!(text)
}

/// Returns the snapshots that insta found to differ.
fn pending(root: &Path, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if name != "target" && name != ".git" {
                found.extend(pending(root, &path));
            }
        } else if name.ends_with(".snap.new") || name.ends_with(".pending-snap") {
            found.push(path.strip_prefix(root).unwrap_or(&path).display().to_string());
        }
    }
    found.sort();
    found
}

/// Returns the title and the text of a pull request.
fn pull_request(update: &Update, made: &Made) -> String {
    let mut text = format!("Follow the published contract: {}\n\n", update.versions.join(", "));
    let (what, why) = match made {
        Made::Well => ("All tests pass.", ""),
        Made::Not(why) => ("**Nothing could be generated**, so there is no code in this yet:", why.as_str()),
        Made::Failing(why) => ("**The tests fail**:", why.as_str()),
    };
    text.push_str(what);
    if !why.is_empty() {
        text.push_str(&format!("\n\n```text\n{why}\n```"));
    }
    text + "\n\nThe changelog has an entry below Unreleased: shorten it to what users will notice.\n\n"
        + &update.markdown
}
