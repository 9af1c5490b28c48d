//! Small documents of our own, before and after one change.

mod history;
mod names;
mod operations;
mod report;
mod schemas;
mod shared;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::effects::Verdict;
use super::effects::reach::Change;
use crate::kept::Kept;
use crate::keywords::word;
use crate::model::Documents;
use crate::project::Project;

/// A document of schemas alone.
fn schemas(schemas: Value) -> Value {
    json!({ "openapi": "3.0.1", "info": {}, "paths": {}, "components": { "schemas": schemas } })
}

fn documents<const N: usize>(documents: [(&str, Value); N]) -> Documents {
    documents.into_iter().map(|(name, document)| (name.to_owned(), document)).collect::<BTreeMap<_, _>>()
}

/// Changes in short: kind, place, what was and is; and the verdicts on inbound, inbound with closed enums, outbound and
/// source, each by the first letter of compatible, warning or breaking.
fn brief(changes: &[Change]) -> Vec<String> {
    let mut lines: Vec<String> = changes
        .iter()
        .map(|change| {
            let letter = |verdict: Verdict| word(verdict)[..1].to_owned();
            let verdicts = [change.inbound, change.inbound_closed, change.outbound, change.source].map(letter).concat();
            let kind = change.kind.words();
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let (old, new) = (text(&change.old), text(&change.new));
            format!(
                "{kind} {}{}: {old} > {new} [{verdicts}]",
                change.place.schema,
                change.place.path.trim_start_matches('$')
            )
        })
        .collect();
    lines.sort();
    lines
}

fn project() -> Project {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    Project::load(root).expect("a project")
}

/// The changes between two contracts, where nothing was kept before.
fn changes(old: &Documents, new: &Documents) -> Vec<Change> {
    let kept = Kept::between(old, new, &[], &project()).expect("actions that can be read");
    super::changes(old, new, &kept, &project())
}

/// The changes between two documents of one name.
fn between(name: &str, old: Value, new: Value) -> Vec<String> {
    brief(&changes(&documents([(name, old)]), &documents([(name, new)])))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}
