use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase as _;
use serde_json::Value;

use super::client::{Group, TYPES_PATH};
use crate::document;
use crate::lower::{self, Content, Operation, RUST_TYPE};

/// So many operations are named; of more, how many there are.
const NAMED: usize = 4;

/// For each type of the client, a sentence that links to the operations that send it or receive it.
pub(super) fn users(document: &Value, groups: &[Group<'_>]) -> BTreeMap<String, String> {
    let leads: BTreeMap<String, BTreeSet<String>> =
        document::schemas(document).map(|(name, schema)| (lower::pascal(name), types(schema))).collect();
    let (mut sent, mut received) = (BTreeMap::<_, Vec<String>>::new(), BTreeMap::<_, Vec<String>>::new());
    for (group, operation) in groups.iter().flat_map(|group| group.operations.iter().map(move |one| (group, one))) {
        let link = link(group, operation);
        for (values, users) in [(taken(operation), &mut sent), (given(operation), &mut received)] {
            for name in reachable(values.into_iter().flat_map(types), &leads) {
                users.entry(name).or_default().push(link.clone());
            }
        }
    }
    let names: BTreeSet<&String> = sent.keys().chain(received.keys()).collect();
    let said = |name: &String| {
        let sent = sent.get(name).map(|links| format!("Sent by {}.", list(links)));
        let received = received.get(name).map(|links| format!("Received from {}.", list(links)));
        sent.into_iter().chain(received).collect::<Vec<_>>().join(" ")
    };
    names.into_iter().map(|name| (name.clone(), said(name))).collect()
}

fn taken(operation: &Operation) -> Vec<&Value> {
    operation.parameters.iter().map(|one| &one.schema).chain(operation.body.iter().map(|body| &body.schema)).collect()
}

fn given(operation: &Operation) -> Vec<&Value> {
    let response = match &operation.response {
        Content::Json(schema) => Some(schema),
        Content::Empty | Content::Text => None,
    };
    response.into_iter().chain(operation.errors.values()).collect()
}

fn link(group: &Group<'_>, operation: &Operation) -> String {
    let (module, name, method) = (&group.name, lower::pascal(&group.name), operation.id.to_snake_case());
    format!("[`{method}`](crate::groups::{module}::{name}::{method})")
}

fn list(links: &[String]) -> String {
    match links {
        [one] => one.clone(),
        [some @ .., last] if links.len() <= NAMED => format!("{} and {last}", some.join(", ")),
        [some @ .., _] => {
            let named: Vec<&str> = some.iter().take(NAMED - 1).map(String::as_str).collect();
            format!("{} and {} more operations", named.join(", "), links.len() - named.len())
        }
        [] => String::new(),
    }
}

/// The types of the client that a schema names, structs and enums.
fn types(schema: &Value) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = lower::references(schema).iter().map(|name| lower::pascal(name)).collect();
    let mut next = vec![schema];
    while let Some(value) = next.pop() {
        let path = value[RUST_TYPE]["path"].as_str().and_then(|path| path.strip_prefix(TYPES_PATH)?.strip_prefix("::"));
        found.extend(path.map(str::to_owned));
        match value {
            Value::Object(members) => next.extend(members.values()),
            Value::Array(items) => next.extend(items),
            _ => {}
        }
    }
    found
}

fn reachable(start: impl Iterator<Item = String>, leads: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut next: Vec<String> = start.collect();
    let mut found = BTreeSet::new();
    while let Some(name) = next.pop() {
        if found.insert(name.clone()) {
            next.extend(leads.get(&name).into_iter().flatten().cloned());
        }
    }
    found
}
