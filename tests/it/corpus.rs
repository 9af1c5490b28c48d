//! The payloads under `corpus/`.

use std::fs;
use std::path::{Path, PathBuf};

/// A payload: what its file is called, without `.json`, and its text.
pub(crate) struct Payload {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The payloads of a folder, sorted by name, and at least one. Metadata is not a payload.
pub(crate) fn payloads(folder: &str) -> Vec<Payload> {
    let folder = path(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| file.strip_suffix(".json").map(str::to_owned))
        .filter(|name| !name.ends_with(".metadata"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{}", folder.display());
    let read = |name: String| Payload { text: read(&folder.join(format!("{name}.json"))), name };
    names.into_iter().map(read).collect()
}

/// What the transport of a payload knew of it.
pub(crate) fn metadata(folder: &str, name: &str) -> String {
    read(&path(folder).join(format!("{name}.metadata.json")))
}

fn path(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
