//! Where documents are read from (`sources.toml`), and what was read (`contract.lock`).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::output;

const SOURCES: &str = "openapi/sources.toml";
pub(crate) const LOCK: &str = "openapi/contract.lock";
pub(crate) const CONTRACT: &str = "openapi/contract";

/// Which published documents make up the contract, and where they are published.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sources {
    /// URL that returns a commit's SHA, with `{rev}` in it.
    pub(crate) revisions: String,
    /// URL of a published file, with `{commit}` and `{path}` in it.
    pub(crate) files: String,
    /// Whether the contract keeps the published descriptions. Its owner may want them.
    #[serde(default)]
    pub(crate) words: bool,
    documents: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Path(String),
    Table { path: String, optional: bool },
}

/// A published document, and its name here.
pub(crate) struct Source<'a> {
    pub(crate) name: &'a str,
    pub(crate) path: &'a str,
    /// Whether a contract may lack it.
    pub(crate) optional: bool,
}

impl Sources {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let text = output::read(root, SOURCES)?;
        toml::from_str(&text).with_context(|| SOURCES.to_owned())
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = Source<'_>> {
        self.documents.iter().map(|(name, entry)| match entry {
            Entry::Path(path) => Source { name, path, optional: false },
            Entry::Table { path, optional } => Source { name, path, optional: *optional },
        })
    }
}

/// The published files that the contract was made from, and the files of the contract.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    /// The published commit; `None` for a copy whose commit was not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// SHA-256 of every published file, by its path.
    pub(crate) published: BTreeMap<String, String>,
    /// Every contract file, by its name.
    pub(crate) contract: BTreeMap<String, Contract>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contract {
    pub(crate) sha256: String,
    /// The commit that first had this content. Later commits that only change prose do not replace it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
}

impl Lock {
    /// Reads the lock on disk; it is empty before the first `fetch`.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        if !root.join(LOCK).exists() {
            return Ok(Self::default());
        }
        let text = output::read(root, LOCK)?;
        toml::from_str(&text).with_context(|| LOCK.to_owned())
    }

    pub(crate) fn to_text(&self) -> Result<String> {
        let body = toml::to_string(self)?;
        Ok(format!("# Written by `cargo xtask fetch`. Not to be edited.\n{body}"))
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the diff from contract.lock to the contract on disk; empty if they agree.
pub(crate) fn lock_diff(root: &Path) -> Result<String> {
    let lock = Lock::load(root)?;
    let mut actual = lock.clone();
    actual.contract.clear();
    for path in output::list(root, CONTRACT)? {
        let sha256 = sha256(output::read(root, &path)?.as_bytes());
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let since = lock.contract.get(&name).and_then(|known| known.since.clone());
        actual.contract.insert(name, Contract { sha256, since });
    }
    Ok(output::unified(LOCK, &lock.to_text()?, &actual.to_text()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_survives_its_text() -> Result<()> {
        let lock = Lock {
            commit: Some("c0ffee".to_owned()),
            published: BTreeMap::from([("api/api.yaml".to_owned(), sha256(b"api"))]),
            contract: BTreeMap::from([("api.json".to_owned(), Contract { sha256: sha256(b""), since: None })]),
        };
        let text = lock.to_text()?;
        assert_eq!(toml::from_str::<Lock>(&text)?, lock, "{text}");
        assert!(text.contains("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        Ok(())
    }
}
