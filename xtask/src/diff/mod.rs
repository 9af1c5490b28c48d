//! What changed in the contract, and whom it breaks.
//!
//! Two contracts in canonical form, before overlays, are compared by what they mean. A walk begins at what goes in and
//! out (events, operations, and schemas that stand for themselves), follows references, and compares each pair of
//! schemas once. So a change of a schema that many share is found once, where it is, and a schema that only moved or got
//! another name is not found at all.
//!
//! What changed: `facts`, found by `walk` and `fields` between schemas (as `seen`), by `operations` and `roots` where values
//! come in or go out; `names` tells what is renamed. Whom it affects: `effects` is the table, `reach` says whom a change
//! comes to, `semver` what follows for the crates. How to say it: `words` and `say`, then `report`, `markdown` and `changelog`.

mod changelog;
mod contract;
mod effects;
mod facts;
mod fields;
mod kind;
mod markdown;
mod names;
mod operations;
mod reach;
mod report;
mod roots;
mod say;
mod seen;
mod semver;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use std::cmp::Reverse;
use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::fetch;
use crate::kept::{self, Kept};
use crate::model::{Documents, Model, Place};
use crate::overlay::Overlay;
use crate::project::Project;
use crate::sources::Sources;
use contract::Contract;
pub(crate) use contract::NEWEST;
use effects::Verdict;
use facts::Change;
use kind::Kind;
use report::{Report, Summary};
use semver::{Api, Bump};
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
    let project = Project::load(root)?;
    let kept = Kept::between(&old.documents, &new.documents, &Overlay::load_all(root)?, &project)?;
    let report = compare(&old, &new, &files, &kept, &project);
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
    let project = Project::load(root)?;
    let kept = Kept::between(&old.documents, &new.documents, overlays, &project)?;
    let sources = Sources::load(root)?;
    let files = sources.documents().map(|source| (source.name, source.path)).collect();
    let report = compare(&old, &new, &files, &kept, &project);
    let since = read.commit.as_deref().unwrap_or("unknown");
    let files = kept::files(&old.documents, &new.documents, overlays, since, &project)?;
    let changing = report.summary.crates.iter().filter(|one| one.bump > Bump::None);
    let versions = changing.map(|one| format!("{} {}", one.name, one.bump.word())).collect();
    let update = Update { markdown: report.markdown(), versions, entries: report.changelog(), kept: files };
    Ok(Some(update).filter(|_| !report.changes.is_empty()))
}

/// Compares two contracts, of whose documents it is known which published file is which.
fn compare(old: &Contract, new: &Contract, files: &report::Files<'_>, kept: &Kept, project: &Project) -> Report {
    let models = [Model::read(&old.documents, project), Model::read(&new.documents, project)];
    let operations = models.iter().flat_map(Model::operations).map(|operation| operation.id.clone()).collect();
    let changes = changes(&old.documents, &new.documents, kept, project);
    let summary =
        Summary::new((old, new), &changes, Api::between(&kept.old, &kept.new, project), &operations, project, files);
    Report { summary, changes }
}

/// What changed, and what of that does not change the types as they are kept.
fn changes(old: &Documents, new: &Documents, kept: &Kept, project: &Project) -> Vec<Change> {
    let of_types = found(
        &Model::as_published(&kept.old, old, project),
        &Model::as_published(&kept.new, new, project),
        project,
        |_, _| false,
    );
    let is_kept = |place: &Place, kind| {
        let same = |change: &Change| (change.place(), change.kind) == (place.clone(), kind);
        !of_types.iter().any(|change| same(change) && change.source == Verdict::Breaking)
    };
    let mut changes = found(&Model::read(old, project), &Model::read(new, project), project, is_kept);
    changes.sort_by_key(|change| Reverse(change.verdict()));
    changes
}

fn found(old: &Model, new: &Model, project: &Project, is_kept: impl Fn(&Place, Kind) -> bool) -> Vec<Change> {
    let mut walk = Walk::new(old, new);
    let roots = roots::roots(&mut walk, project);
    reach::changes(&mut walk, &roots, project, is_kept)
}
