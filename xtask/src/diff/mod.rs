//! What changed in the contract, and whom it breaks.
//!
//! Two contracts in canonical form, before overlays, are compared by what they mean. A walk begins at what goes in and
//! out (events, operations, and schemas that stand for themselves), follows references, and compares each pair of
//! schemas once. So a change of a schema that many share is found once, where it is, and a schema that only moved or got
//! another name is not found at all.
//!
//! `contract` reads; `side` and `shape` say what a schema means; `walk`, `members` and `same` compare schemas, `operations` and
//! `messages` a REST API; `names` tells what is renamed. `roots` says where to begin, `reach` where that leads, `rust` and
//! `verdict` what it does, `semver` what follows for the crates; `report`, `markdown` and `words` tell.

mod changelog;
mod changes;
mod contract;
mod markdown;
mod members;
mod messages;
mod names;
mod operations;
mod reach;
mod report;
mod roots;
mod rust;
mod same;
mod semver;
mod shape;
mod side;
#[cfg(test)]
mod tests;
mod verdict;
mod walk;
mod words;

use std::cmp::Reverse;
use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::fetch;
use crate::kept::{self, Kept};
use crate::overlay::Overlay;
use crate::sources::Sources;
use changes::{Change, Kind};
use contract::Contract;
pub(crate) use contract::NEWEST;
use report::{Report, Summary};
use semver::{Api, Bump};
use side::{Documents, Place, Side};
use verdict::Verdict;
use walk::Walk;

/// The exit code of a comparison that was not made.
pub(crate) const FAILED: u8 = 3;

#[derive(Args)]
pub(crate) struct Options {
    /// The contract to compare with; what openapi/contract is when absent.
    ///
    /// A directory in the published layout, a git revision of this repository (of which openapi/contract is read), or a
    /// published commit or branch. `published:NAME` is never a revision of this repository
    #[arg(long, value_name = "OLD")]
    from: Option<String>,
    /// The contract that is compared; the newest published one when absent
    #[arg(long, value_name = "NEW")]
    to: Option<String>,
    /// For a terminal, for a pull request or a changelog, or for a program
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Markdown,
    Json,
}

/// What there is to say, and the exit code that says it in short.
pub(crate) struct Diff {
    pub(crate) text: String,
    pub(crate) code: u8,
}

pub(crate) fn diff(root: &Path, options: &Options) -> Result<Diff> {
    let old = options.from.as_ref().map_or_else(|| Contract::pinned(root), |name| Contract::named(root, name))?;
    let new = options.to.as_ref().map_or_else(|| Contract::newest(root), |name| Contract::named(root, name))?;
    let sources = Sources::load(root)?;
    let files = sources.documents().map(|source| (source.name, source.path)).collect();
    let kept = Kept::between(&old.documents, &new.documents, &Overlay::load_all(root)?)?;
    let report = compare(&old, &new, &files, &kept);
    let text = match options.format {
        Format::Text => report.text(),
        Format::Markdown => report.markdown(),
        Format::Json => report.json()?,
    };
    Ok(Diff { text, code: report.code() })
}

/// What there is to say of an update.
pub(crate) struct Update {
    pub(crate) markdown: String,
    /// Each crate whose version changes, and by what.
    pub(crate) versions: Vec<String>,
    /// By the sections of a changelog, what users have to know.
    pub(crate) entries: Vec<(&'static str, Vec<String>)>,
    /// The overlays that keep types as they were, and their text; nothing where none is kept.
    pub(crate) kept: Vec<(String, Option<String>)>,
}

/// Compares the pinned contract with one that is to take its place; nothing where they mean the same.
pub(crate) fn update(root: &Path, read: &fetch::Read, overlays: &[Overlay]) -> Result<Option<Update>> {
    let (old, new) = (Contract::pinned(root)?, Contract::read(read));
    let kept = Kept::between(&old.documents, &new.documents, overlays)?;
    let sources = Sources::load(root)?;
    let files = sources.documents().map(|source| (source.name, source.path)).collect();
    let report = compare(&old, &new, &files, &kept);
    let since = read.commit.as_deref().unwrap_or("unknown");
    let files = kept::files(&old.documents, &new.documents, overlays, since)?;
    let changing = report.summary.crates.iter().filter(|one| one.bump > Bump::None);
    let versions = changing.map(|one| format!("{} {}", one.name, one.bump.word())).collect();
    let update = Update { markdown: report.markdown(), versions, entries: report.changelog(), kept: files };
    Ok(Some(update).filter(|_| !report.changes.is_empty()))
}

/// Compares two contracts, of whose documents it is known which published file is which.
fn compare(old: &Contract, new: &Contract, files: &report::Files<'_>, kept: &Kept) -> Report {
    let changes = changes(&old.documents, &new.documents, kept);
    let summary = Summary::new(old, new, &changes, Api::between(&kept.old, &kept.new), files);
    Report { summary, changes }
}

/// What changed, and what of that does not change the types as they are kept.
fn changes(old: &Documents, new: &Documents, kept: &Kept) -> Vec<Change> {
    let sides = (Side::as_published(&kept.old, old), Side::as_published(&kept.new, new));
    let of_types = found(&sides.0, &sides.1, |_, _| false);
    let is_kept = |place: &Place, kind| {
        let same = |change: &Change| (change.place(), change.kind) == (place.clone(), kind);
        !of_types.iter().any(|change| same(change) && change.source == Verdict::Breaking)
    };
    let mut changes = found(&Side::new(old), &Side::new(new), is_kept);
    changes.sort_by_key(|change| Reverse(change.verdict()));
    changes
}

fn found(old: &Side<'_>, new: &Side<'_>, is_kept: impl Fn(&Place, Kind) -> bool) -> Vec<Change> {
    let mut walk = Walk::new(old, new);
    let roots = roots::roots(&mut walk);
    reach::changes(&mut walk, &roots, |document| roots::TYPES.contains(&document), is_kept)
}
