//! The payloads in `tests/corpus`, and a response that tests make for a configuration.

use std::fs;
use std::path::{Path, PathBuf};

/// A payload of the corpus.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The name of its file, without `.json`.
    pub name: String,
    /// The text of its file.
    pub text: String,
}

/// The folder of the corpus.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus")
}

/// The payloads of a folder, sorted by name. Panics if there are none. Metadata is not a payload.
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

/// The metadata that came with a payload.
pub fn metadata(folder: &str, name: &str) -> String {
    read(&root().join(folder).join(format!("{name}.metadata.json")))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The API's response for an installation, with this JSON as the content of its configuration.
pub fn installation(config: &str) -> String {
    format!(
        r#"{{"id":"i","projectId":"p","integrationId":"n","healthStatus":"healthy","createdBy":"c","createTime":"t","config":
            {{"id":"c","revisionId":"r","createTime":"t","createdBy":"c","content":{config}}},"connection":{{"id":"c",
            "projectId":"p","provider":"x","authScheme":"none","status":"working","createTime":"t","group":{{"groupRef":"g",
            "groupName":"G","projectId":"p","createTime":"t"}},"consumer":{{"consumerRef":"r","consumerName":"R",
            "projectId":"p","createTime":"t"}}}}}}"#
    )
}
