//! Files to write, or to compare with the existing ones. Only this module changes the tree.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use similar::TextDiff;
use tempfile::TempPath;

/// The files that should exist, by their path below the workspace's root.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// `None` for a file that should not exist.
    files: BTreeMap<String, Option<String>>,
}

impl Plan {
    pub(crate) fn add(&mut self, path: String, text: String) {
        self.files.insert(path, Some(text));
    }

    pub(crate) fn remove(&mut self, path: String) {
        self.files.insert(path, None);
    }

    /// Plans to remove the files in `directory` that were not added.
    pub(crate) fn nothing_else_in(&mut self, root: &Path, directory: &str) -> Result<()> {
        for path in list(root, directory)? {
            self.files.entry(path).or_insert(None);
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Writes the files that differ, and returns their paths and whether each exists now. Stages all files before it
    /// replaces one, so that a full disk leaves the tree as it was. Does not touch unchanged files.
    pub(crate) fn write(&self, root: &Path) -> Result<Vec<(&str, bool)>> {
        let changed = self.changed(root)?;
        // In reverse order, so that the lock comes last and `check` notices an interrupted run.
        for (temporary, path) in stage(root, &changed)?.into_iter().rev() {
            temporary.persist(&path).map_err(|error| error.error).with_context(|| path.display().to_string())?;
        }
        for (path, _) in changed.iter().filter(|(_, text)| text.is_none()) {
            fs::remove_file(root.join(path)).with_context(|| (*path).to_owned())?;
        }
        Ok(changed.into_iter().map(|(path, text)| (path, text.is_some())).collect())
    }

    /// Returns a unified diff from the existing files to the planned ones; empty if they are the same.
    pub(crate) fn diff(&self, root: &Path) -> Result<String> {
        let changed = self.changed(root)?;
        let diffs = changed.iter().map(|(path, text)| {
            let old = read_if_there(root, path)?.unwrap_or_default();
            Ok(unified(path, &old, text.unwrap_or_default()))
        });
        diffs.collect()
    }

    fn changed(&self, root: &Path) -> Result<Vec<(&str, Option<&str>)>> {
        let mut changed = Vec::new();
        for (path, text) in &self.files {
            if read_if_there(root, path)? != *text {
                changed.push((path.as_str(), text.as_deref()));
            }
        }
        Ok(changed)
    }
}

/// Writes each new text beside the file that it will replace. Dropping a staged file removes it.
fn stage(root: &Path, changed: &[(&str, Option<&str>)]) -> Result<Vec<(TempPath, PathBuf)>> {
    let mut staged = Vec::new();
    for (path, text) in changed {
        let Some(text) = text else { continue };
        let path = root.join(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // `NamedTempFile` makes files that only their owner can read.
        let temporary = TempPath::try_from_path(path.with_file_name(format!(".{name}.{}.new", std::process::id())))?;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        fs::write(&temporary, text).with_context(|| temporary.display().to_string())?;
        staged.push((temporary, path));
    }
    Ok(staged)
}

pub(crate) fn unified(path: &str, old: &str, new: &str) -> String {
    let (from, to) = (format!("a/{path}"), format!("b/{path}"));
    TextDiff::from_lines(old, new).unified_diff().header(&from, &to).to_string()
}

/// Returns the text of a file that must exist.
pub(crate) fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| path.to_owned())
}

fn read_if_there(root: &Path, path: &str) -> Result<Option<String>> {
    match fs::read(root.join(path)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.to_owned()),
    }
}

/// Returns the files in a directory, sorted; empty if there is no such directory. Hidden files are not ours.
pub(crate) fn list(root: &Path, directory: &str) -> Result<Vec<String>> {
    let entries = match fs::read_dir(root.join(directory)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| directory.to_owned()),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            files.push(format!("{directory}/{name}"));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(files: &[(&str, &str)]) -> Plan {
        let mut plan = Plan::default();
        for (path, text) in files {
            plan.add((*path).to_owned(), (*text).to_owned());
        }
        plan
    }

    #[test]
    fn writes_what_differs_and_removes_what_should_not_be() -> Result<()> {
        let root = tempfile::tempdir()?;
        let root = root.path();
        plan(&[("out/a", "1\n"), ("out/b", "2\n"), ("out/old", "3\n")]).write(root)?;

        let mut next = plan(&[("out/a", "1\n"), ("out/b", "4\n")]);
        next.nothing_else_in(root, "out")?;
        assert_eq!(
            next.diff(root)?,
            "--- a/out/b\n+++ b/out/b\n@@ -1 +1 @@\n-2\n+4\n--- a/out/old\n+++ b/out/old\n@@ -1 +0,0 @@\n-3\n"
        );
        assert_eq!(next.write(root)?, [("out/b", true), ("out/old", false)]);
        assert_eq!(list(root, "out")?, ["out/a", "out/b"]);
        assert_eq!(next.diff(root)?, "");
        assert_eq!(next.write(root)?, []);
        Ok(())
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_rest_as_it_was() -> Result<()> {
        let root = tempfile::tempdir()?;
        let root = root.path();
        plan(&[("a", "1\n"), ("blocked", "")]).write(root)?;
        plan(&[("a", "2\n"), ("blocked/b", "")]).write(root).expect_err("a file is in the way");
        assert_eq!(read(root, "a")?, "1\n");
        // No staged file is left, though its name hides it from `list`.
        assert_eq!(fs::read_dir(root)?.count(), 2);
        Ok(())
    }
}
