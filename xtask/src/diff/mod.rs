//! Reports what changed in the contract, and whom that breaks.
//!
//! `diff` compares the meaning of two contracts in canonical form, before overlays. A walk begins at the events, the
//! operations and the schemas that nothing refers to. It follows references, and compares each pair of schemas once. So
//! it finds the change of a shared schema once, at its place, and does not report a schema that only moved or has
//! another name.
//!
//! There are three layers, each of which uses those before it: `facts` finds what changed, `effects` decides by one
//! table whom that affects, and `say` puts it into words. `contract` reads the contracts.

mod contract;
mod effects;
mod facts;
mod say;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::fetch;
use crate::kept::{self, Kept};
use crate::keywords::word;
use crate::model::{Documents, Model, Place};
use crate::overlay::Overlay;
use crate::project::Project;
use crate::sources::Sources;
use contract::Contract;
pub(crate) use contract::NEWEST;
use effects::Verdict;
use effects::reach::Change;
use effects::semver::{self, Api, Bump};
use facts::kind::Kind;
use facts::walk::Walk;
use say::report::{Files, Report};

/// The exit code if the comparison fails.
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

/// The report, and the exit code that sums it up.
pub(crate) struct Diff {
    pub(crate) text: String,
    pub(crate) code: u8,
}

pub(crate) fn diff(root: &Path, options: &Options) -> Result<Diff> {
    let old = options.from.as_ref().map_or_else(|| Contract::pinned(root), |name| Contract::named(root, name))?;
    let new = options.to.as_ref().map_or_else(|| Contract::newest(root), |name| Contract::named(root, name))?;
    let report = report(root, &old, &new, &Overlay::load_all(root)?, &Project::load(root)?)?;
    let text = match options.format {
        Format::Text => report.text(),
        Format::Markdown => report.markdown(),
        Format::Json => report.json()?,
    };
    Ok(Diff { text, code: report.code() })
}

/// The report of an update.
pub(crate) struct Update {
    pub(crate) markdown: String,
    /// The crates that need another version, each with its bump.
    pub(crate) versions: Vec<String>,
    /// The entries of the changelog, by section.
    pub(crate) entries: Vec<(&'static str, Vec<String>)>,
    /// The overlays that keep Rust types as they were. The text is `None` if an overlay has nothing to keep.
    pub(crate) kept: Vec<(String, Option<String>)>,
}

/// Compares the pinned contract with the one that replaces it; `None` if they mean the same.
pub(crate) fn update(root: &Path, read: &fetch::Read, overlays: &[Overlay]) -> Result<Option<Update>> {
    let (old, new, project) = (Contract::pinned(root)?, Contract::read(read), Project::load(root)?);
    let report = report(root, &old, &new, overlays, &project)?;
    let since = read.commit.as_deref().unwrap_or("unknown");
    let kept = kept::files(&old.documents, &new.documents, overlays, since, &project)?;
    let changing = report.crates.iter().filter(|one| one.bump > Bump::None);
    let versions = changing.map(|one| format!("{} {}", one.name, word(one.bump))).collect();
    let update = Update { markdown: report.markdown(), versions, entries: report.changelog(), kept };
    Ok(Some(update).filter(|_| !report.changes.is_empty()))
}

fn report(root: &Path, old: &Contract, new: &Contract, overlays: &[Overlay], project: &Project) -> Result<Report> {
    let kept = Kept::between(&old.documents, &new.documents, overlays, project)?;
    let sources = Sources::load(root)?;
    let files = sources.documents().map(|source| (source.name, source.path)).collect();
    Ok(compare(old, new, &files, &kept, project))
}

/// Compares two contracts. `files` has the published file of each document.
fn compare(old: &Contract, new: &Contract, files: &Files<'_>, kept: &Kept, project: &Project) -> Report {
    let models = [Model::read(&old.documents), Model::read(&new.documents)];
    let operations = models.iter().flat_map(Model::operations).map(|operation| operation.id.clone()).collect();
    let changes = changes(&old.documents, &new.documents, kept, project);
    let api = Api::between(&kept.old, &kept.new, project);
    let crates = semver::crates(&changes, &api, &operations, project);
    Report::new(old, new, files, changes, crates, api)
}

/// Returns the changes, and softens those that overlays keep out of the Rust types.
fn changes(old: &Documents, new: &Documents, kept: &Kept, project: &Project) -> Vec<Change> {
    let found = |old: &Model, new: &Model, is_kept: &dyn Fn(&Place, Kind) -> bool| {
        let mut walk = Walk::new(old, new, project);
        facts::roots::roots(&mut walk);
        effects::reach::changes(&mut walk, is_kept)
    };
    let types = [(&kept.old, old), (&kept.new, new)].map(|(kept, as_is)| Model::as_published(kept, as_is));
    let of_types = found(&types[0], &types[1], &|_, _| false);
    let is_kept = |place: &Place, kind| {
        let same = |change: &Change| (&change.place, change.kind) == (place, kind);
        !of_types.iter().any(|change| same(change) && change.source == Verdict::Breaking)
    };
    let mut changes = found(&Model::read(old), &Model::read(new), &is_kept);
    changes.sort_by_key(|change| Reverse(change.verdict()));
    changes
}
