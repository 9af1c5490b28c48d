//! Reads the contracts to compare, from disk, git or the network.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::model::Documents;
use crate::sources::{CONTRACT, LOCK, Lock, Sources};
use crate::{document, fetch, output};

/// The published branch that is always the newest.
pub(crate) const NEWEST: &str = "main";

/// A contract, and where it came from.
pub(crate) struct Contract {
    /// Where it came from, for the report.
    pub(crate) place: String,
    pub(crate) documents: Documents,
    /// SHA-256 of the published files, by path, as far as they are known.
    pub(crate) published: BTreeMap<String, String>,
}

impl Contract {
    /// Reads the contract on disk.
    pub(crate) fn pinned(root: &Path) -> Result<Self> {
        let read = |path: &str| root.join(path).exists().then(|| output::read(root, path)).transpose();
        let contract = Self::of_files(root, "the pinned contract", read)?;
        if contract.documents.is_empty() {
            bail!("{CONTRACT} is empty: `cargo xtask fetch` first, or say what to compare with --from");
        }
        Ok(contract)
    }

    /// The contract that `fetch` has read and not written yet.
    pub(crate) fn read(read: &fetch::Read) -> Self {
        let (documents, published) = (read.documents.clone(), read.published.clone());
        Self { place: read.place.clone(), documents, published }
    }

    /// Reads the newest published contract.
    pub(crate) fn newest(root: &Path) -> Result<Self> {
        Self::published(root, NEWEST).context("the newest published contract, where --to names no other")
    }

    /// Reads the contract that a maintainer names: a folder, else a revision of this repository, else a published commit or
    /// branch.
    pub(crate) fn named(root: &Path, name: &str) -> Result<Self> {
        if let Some(revision) = name.strip_prefix("published:") {
            return Self::published(root, revision);
        }
        if name.is_empty() {
            bail!("a folder, a revision of this repository, or a published commit or branch is expected");
        }
        if Path::new(name).is_dir() {
            let contract = Self::fetched(root, Some(name), None)?;
            if contract.documents.is_empty() {
                bail!("{name}: none of the documents of openapi/sources.toml is there");
            }
            return Ok(Self { place: name.to_owned(), ..contract });
        }
        if name.starts_with(['/', '.', '~']) {
            bail!("{name} is no folder");
        }
        match revision(root, name) {
            Some(commit) => Self::of_revision(root, name, &commit),
            None => Self::published(root, name).with_context(|| {
                format!("{name} is no folder and no revision of this repository; as a published commit or branch")
            }),
        }
    }

    fn fetched(root: &Path, from: Option<&str>, rev: Option<&str>) -> Result<Self> {
        let (from, rev) = (from.map(str::to_owned), rev.map(str::to_owned));
        let options = fetch::Options { from, rev, allow_missing: true };
        Ok(Self::read(&fetch::read(root, &options)?))
    }

    fn published(root: &Path, revision: &str) -> Result<Self> {
        let contract = Self::fetched(root, None, Some(revision))?;
        Ok(Self { place: format!("the published {}", contract.place), ..contract })
    }

    fn of_revision(root: &Path, name: &str, commit: &str) -> Result<Self> {
        let place = format!("revision {name} of this repository");
        let contract = Self::of_files(root, &place, |path| show(root, commit, path))?;
        if contract.documents.is_empty() {
            bail!("{place} has no {CONTRACT}; for what is published under that name, say published:{name}");
        }
        Ok(contract)
    }

    fn of_files(root: &Path, place: &str, read: impl Fn(&str) -> Result<Option<String>>) -> Result<Self> {
        let mut documents = Documents::new();
        for source in Sources::load(root)?.documents() {
            let path = format!("{CONTRACT}/{}.json", source.name);
            if let Some(text) = read(&path)? {
                let document = document::read(&path, text.as_bytes()).with_context(|| place.to_owned())?;
                document::check_refs(&path, &document)?;
                documents.insert(source.name.to_owned(), document);
            }
        }
        let lock: Option<Lock> = read(LOCK)?.map(|text| toml::from_str(&text)).transpose().context(LOCK)?;
        let lock = lock.unwrap_or_default();
        let commit = lock.commit.map(|commit| format!(", which is of the published commit {commit}"));
        let place = format!("{place}{}", commit.unwrap_or_default());
        Ok(Self { place, documents, published: lock.published })
    }
}

/// Returns the commit of this repository that a name stands for.
fn revision(root: &Path, name: &str) -> Option<String> {
    let commit = format!("{name}^{{commit}}");
    let output = git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    Some(String::from_utf8_lossy(&output).trim().to_owned())
}

/// Returns a file of a commit; `None` if the commit does not have it.
fn show(root: &Path, commit: &str, path: &str) -> Result<Option<String>> {
    let file = format!("{commit}:./{path}");
    let text = git(root, &["show", "--end-of-options", &file]).map(String::from_utf8);
    text.transpose().with_context(|| file)
}

/// Returns the output of git; `None` if git fails or is not installed.
fn git(root: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    output.status.success().then_some(output.stdout)
}
