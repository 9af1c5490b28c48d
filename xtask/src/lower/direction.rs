use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::{Context, OPERATIONS};
use crate::document;

/// The names of the schemas that a value refers to.
pub(crate) fn references(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let _ = document::for_each_ref(value, &mut |_, target| {
        names.extend(document::schema_name(target).map(str::to_owned));
        Ok(())
    });
    names
}

/// The names of the schemas that some lead to, and their own.
pub(crate) fn reachable(document: &Value, from: &BTreeSet<String>) -> BTreeSet<String> {
    let mut next: Vec<String> = from.iter().cloned().collect();
    let mut found = BTreeSet::new();
    while let Some(name) = next.pop() {
        if found.insert(name.clone()) {
            next.extend(references(&document["components"]["schemas"][&name]));
        }
    }
    found
}

/// The names of the schemas that a client sends, and of those that it receives. One can be both.
pub(crate) fn directions(document: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let operations = || document[OPERATIONS].as_array().into_iter().flatten();
    let sent = operations().flat_map(|operation| [&operation["parameters"], &operation["body"]]);
    let received = operations().flat_map(|operation| [&operation["response"], &operation["errors"]]);
    let (sent, received) = (sent.flat_map(references).collect(), received.flat_map(references).collect());
    (reachable(document, &sent), reachable(document, &received))
}

/// The names of the schemas that a client sends and never receives.
pub(super) fn only_sent(document: &Value) -> BTreeSet<String> {
    let (sent, received) = directions(document);
    sent.difference(&received).cloned().collect()
}

/// Drops the schemas of an API that no operation leads to: no one could come by them.
pub(super) fn prune(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    if document.get(OPERATIONS).is_none() {
        return Ok(0);
    }
    let (sent, received) = directions(document);
    let Some(schemas) = document::schemas_mut(document) else { return Ok(0) };
    let before = schemas.len();
    schemas.retain(|name, _| sent.contains(name) || received.contains(name));
    Ok(before - schemas.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::reference;
    use crate::lower::testing::{run, run_document, with_operation};
    use serde_json::json;

    #[test]
    fn what_is_also_received_is_not_only_sent() -> Result<()> {
        let mut schemas = json!({ "Unused": {}, "Inner": { "items": reference("Sent") }, "Problem": {}, "Both": {} });
        schemas["Sent"] = json!({ "properties": { "a": reference("Inner"), "b": reference("Both") } });
        schemas["Received"] = json!({ "items": reference("Both") });
        let (document, hits) = run_document(prune, with_operation(schemas))?;
        assert_eq!(only_sent(&document), BTreeSet::from(["Inner".to_owned(), "Sent".to_owned()]));
        assert!(document["components"]["schemas"].get("Unused").is_none());
        assert_eq!(hits, 1);
        assert_eq!(run(prune, json!({ "A": {} })).1, 0, "there is nothing that would lead to it");
        Ok(())
    }
}
