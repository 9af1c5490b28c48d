//! `cargo xtask`, tried as a maintainer would: the built binary, on a workspace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod adapt;
mod diff;
mod fetch;
mod generate;
mod second;
mod update;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A workspace that goes away at the end of a test.
struct Workspace {
    folder: tempfile::TempDir,
}

/// What a run of xtask left.
struct Run {
    code: i32,
    /// What it wrote to stdout and to stderr, without the path of the workspace.
    out: String,
    err: String,
}

impl Workspace {
    fn new(files: &[(&str, &str)]) -> Self {
        let workspace = Self { folder: tempfile::tempdir().unwrap() };
        for (path, text) in files {
            workspace.write(path, text);
        }
        workspace
    }

    /// A copy of some folders and files of this repository.
    fn copy_of(paths: &[&str]) -> Self {
        let workspace = Self::new(&[]);
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for path in paths {
            for file in files(&repository.join(path)) {
                let path = file.strip_prefix(repository).unwrap();
                workspace.write(path.to_str().unwrap(), &fs::read_to_string(&file).unwrap());
            }
        }
        workspace
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Changes a file as an editor would.
    fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old:?}");
        self.write(path, &text.replacen(old, new, 1));
    }

    /// Every file below a folder.
    fn tree(&self, folder: &str) -> BTreeMap<String, String> {
        let name = |path: &Path| path.strip_prefix(self.path()).unwrap().display().to_string();
        let files = files(&self.path().join(folder));
        files.into_iter().map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
    }

    fn xtask(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("--root")
            .arg(self.path())
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&self.path().display().to_string(), "ROOT");
        Run { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn succeed(&self, arguments: &[&str]) -> Run {
        let run = self.xtask(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
        run
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).into_iter().flatten() {
        found.extend(files(&entry.unwrap().path()));
    }
    found.sort();
    found
}
