//! The payloads under `tests/corpus`, and one that tests make for a configuration of their own.

use std::fs;
use std::path::{Path, PathBuf};

/// A payload of the corpus.
#[derive(Clone, Debug)]
pub struct Payload {
    /// What its file is called, without `.json`.
    pub name: String,
    /// The text of its file.
    pub text: String,
}

/// The folder of the corpus.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus")
}

/// The payloads of a folder, sorted by name, and at least one. Metadata is not a payload.
pub fn payloads(folder: &str) -> Vec<Payload> {
    let folder = root().join(folder);
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
pub fn metadata(folder: &str, name: &str) -> String {
    read(&root().join(folder).join(format!("{name}.metadata.json")))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The API's answer for an installation: its configuration has this JSON as its content.
pub fn installation(config: &str) -> String {
    format!(
        r#"{{"id":"i","projectId":"p","integrationId":"n","healthStatus":"healthy","createdBy":"c","createTime":"t","config":
            {{"id":"c","revisionId":"r","createTime":"t","createdBy":"c","content":{config}}},"connection":{{"id":"c",
            "projectId":"p","provider":"x","authScheme":"none","status":"working","createTime":"t","group":{{"groupRef":"g",
            "groupName":"G","projectId":"p","createTime":"t"}},"consumer":{{"consumerRef":"r","consumerName":"R",
            "projectId":"p","createTime":"t"}}}}}}"#
    )
}
