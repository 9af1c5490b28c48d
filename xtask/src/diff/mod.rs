//! What changed in the contract, and whom it breaks.
//!
//! Two contracts in canonical form, before overlays, are compared by what they mean. A walk begins at what goes in and
//! out (events, operations, and schemas that stand for themselves), follows references, and compares each pair of
//! schemas once. So a change of a schema that many share is found once, where it is, and a schema that only moved or got
//! another name is not found at all.
//!
//! In three layers, each of which knows those before: `facts` finds what changed, `effects` says whom that affects, by one
//! table, and `say` puts it into words. `contract` reads what is compared.

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
use crate::model::{Documents, Model, Place};
use crate::overlay::Overlay;
use crate::project::Project;
use crate::sources::Sources;
use contract::Contract;
pub(crate) use contract::NEWEST;
use effects::Verdict;
use effects::reach::Change;
use effects::semver::{self, Api, Bump};
use facts::kind::{Kind, word};
use facts::walk::Walk;
use say::report::{Files, Report};

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
    let report = report(root, &old, &new, &Overlay::load_all(root)?, &Project::load(root)?)?;
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

/// Compares two contracts, of whose documents it is known which published file is which.
fn compare(old: &Contract, new: &Contract, files: &Files<'_>, kept: &Kept, project: &Project) -> Report {
    let models = [Model::read(&old.documents), Model::read(&new.documents)];
    let operations = models.iter().flat_map(Model::operations).map(|operation| operation.id.clone()).collect();
    let changes = changes(&old.documents, &new.documents, kept, project);
    let api = Api::between(&kept.old, &kept.new, project);
    let crates = semver::crates(&changes, &api, &operations, project);
    Report::new(old, new, files, changes, crates, api)
}

/// What changed, and what of that does not change the types as they are kept.
fn changes(old: &Documents, new: &Documents, kept: &Kept, project: &Project) -> Vec<Change> {
    let found = |old: &Model, new: &Model, is_kept: &dyn Fn(&Place, Kind) -> bool| {
        let mut walk = Walk::new(old, new, project);
        facts::roots::roots(&mut walk);
        effects::reach::changes(&mut walk, is_kept)
    };
    let types = [(&kept.old, old), (&kept.new, new)].map(|(kept, as_is)| Model::as_published(kept, as_is));
    let of_types = found(&types[0], &types[1], &|_, _| false);
    let is_kept = |place: &Place, kind| {
        let same = |change: &Change| (change.place(), change.kind) == (place.clone(), kind);
        !of_types.iter().any(|change| same(change) && change.source == Verdict::Breaking)
    };
    let mut changes = found(&Model::read(old), &Model::read(new), &is_kept);
    changes.sort_by_key(|change| Reverse(change.verdict()));
    changes
}
